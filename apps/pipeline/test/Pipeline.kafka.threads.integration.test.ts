/**
 * Pipelines on threads with their log on a real Kafka broker: killed and started with another number of threads, and two of them
 * that share the work, one of which is killed. The tables are those of an undisturbed run on one thread, and what the oracle says.
 */
import { join } from "node:path"
import { feedFile } from "@frazil/connect"
import { KeyScanner } from "@frazil/core"
import { Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, logLayer } from "@frazil/platform"
import { expectRawTransactions, rawRow, rowText } from "@frazil/sim"
import { sharedKafka } from "@frazil/sim/kafka"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type PipelineProcess, runFrazil, runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place } from "./support/PipelineRun.ts"
import { answers, boundedArgs, makeInput, often, rawRows } from "./support/TransactionRuns.ts"

// each test begins with an empty log
const kafka = sharedKafka(19_298)
beforeEach(kafka.start, 120_000)
afterEach(kafka.stop, 60_000)

const onKafka = ["--log", `kafka://127.0.0.1:${kafka.broker.port}`] as const
const place = { _tag: "Kafka", brokers: [kafka.broker] } as const

/** The log, opened once: it takes a while. */
const onLog = <A, E, R>(data: string, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, logLayer(dataDirectory(data, undefined, place)))

/** Epochs that the shards of the job's stages have committed. */
const epochs = Effect.gen(function* () {
  const log = yield* Log
  const ids = (yield* log.shards).filter(({ uid }) => uid === "transactions")
  const records = yield* Effect.forEach(ids, (id) => log.inForce(id))
  return records.reduce((sum, record) => sum + (record?.epoch ?? 0), 0)
})

/** Waits until the job has committed more; whether it did so before the pipeline ended. */
const committedMore = Effect.fnUntraced(function* (before: number, running: () => boolean) {
  while (running() && (yield* epochs) <= before + 2) yield* Effect.sleep(10)
  return running()
})

/** The tables are those of a run of the same file on one thread and the embedded log, and raw ones are the oracle's. */
const assertAnswers = Effect.fnUntraced(function* (run: Place, data: string, bytes: Uint8Array) {
  const embedded = join(run.folder, "embedded")
  const undisturbed = yield* runPipelineProcess({ args: boundedArgs(run, embedded, []) })
  assert.strictEqual(undisturbed.code, 0, undisturbed.lines.join("\n"))
  const [found, wanted] = [yield* answers(data, place), yield* answers(embedded, undefined)]
  for (const part of ["raw", "letters", "ledger", "alerts"] as const) {
    const without = (rows: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
      const known = new Set(others)
      return rows.filter((row) => !known.has(row))
    }
    // what differs, not thousands of rows
    assert.deepStrictEqual([without(found[part], wanted[part]), without(wanted[part], found[part])], [[], []], part)
    assert.strictEqual(found[part].length, wanted[part].length, part)
  }
  const expected = expectRawTransactions(bytes).rows.map((row) => rowText({ ...rawRow(row), source_offset: null }))
  assert.deepStrictEqual(yield* rawRows(data, place), expected.sort())
  const audit = yield* runFrazil(data, "tables", "audit", "transactions.raw", ...onKafka)
  assert.strictEqual(audit.code, 0, audit.lines.join("\n"))
})

/** Feeds the file in many small epochs, so that it takes a while. */
const feedSlowly = ({ file }: Place) =>
  Effect.gen(function* () {
    const { name: topic, partitions } = RawTransactions
    yield* (yield* Log).ensureTopic({ name: topic, partitions })
    yield* feedFile({ file, topic, keys: KeyScanner.make(RawTransactions), owner: "test", epochRecordsMax: 100 })
  })

/** Ends when it says so, from now on. */
const says = ({ child }: PipelineProcess, what: RegExp) =>
  Effect.callback<void>((resume) => {
    let said = ""
    child.stderr?.on("data", (data: Buffer) => {
      said += data.toString()
      if (what.test(said)) resume(Effect.void)
    })
  })

const hasPart = /has [1-9]\d* of \d+ parts of the work/
const hasAll = /has (\d+) of \1 parts of the work/

const stop = Effect.fnUntraced(function* ({ child, ended }: PipelineProcess) {
  child.kill("SIGINT")
  const { code, lines } = yield* ended
  assert.strictEqual(code, 0, lines.join("\n"))
  return lines
})

describe("pipelines on threads, on Kafka", () => {
  it.live(
    "are killed, go on with another number of threads, and give the tables of an undisturbed run",
    () =>
      Effect.gen(function* () {
        const bytes = makeInput(10_000)
        const run = yield* makePlace(bytes)
        const data = join(run.folder, "kafka")
        const args = (threads: number) => boundedArgs(run, data, [...onKafka, "--parallelism", String(threads)])
        const kills = Effect.forEach([2, 4], (threads) =>
          Effect.gen(function* () {
            const before = yield* epochs
            const { running } = yield* startPipeline({ args: args(threads) })
            return yield* committedMore(before, running)
          }).pipe(Effect.scoped)
        )
        const [first] = yield* onLog(data, kills)
        assert.isTrue(first, "it was ready before it was killed")
        const ended = yield* runPipelineProcess({ args: args(2) })
        assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        yield* assertAnswers(run, data, bytes)
      }),
    300_000
  )

  it.live(
    "share one log, two with two threads each, one of which is killed",
    () =>
      Effect.gen(function* () {
        const bytes = makeInput(10_000)
        const run = yield* makePlace(bytes)
        const data = join(run.folder, "kafka")
        const live = ["--jobs", "transactions", "--data", data, "--no-generator", "--no-gateway", ...onKafka, ...often]
        const start = startPipeline({ args: [...live, "--parallelism", "2"] })
        yield* Effect.gen(function* () {
          const scope = yield* Effect.scope
          const stays = yield* start
          const [feeding, alone] = yield* Effect.scoped(
            Effect.gen(function* () {
              const dies = yield* start
              yield* Effect.all([says(stays, hasPart), says(dies, hasPart)], { concurrency: "unbounded" })
              const alone = yield* Effect.forkIn(says(stays, hasAll), scope, { startImmediately: true })
              const feeding = yield* Effect.forkIn(feedSlowly(run), scope)
              assert.isTrue(yield* committedMore(0, dies.running))
              return [feeding, alone] as const
            })
          )
          yield* Fiber.join(feeding)
          yield* Fiber.join(alone)
          const said = yield* stop(stays)
          // how many were left for it depends on how fast the other was
          assert.match(said.join("\n"), /^transactions: [\d,]+ records in = /m)
        }).pipe(Effect.scoped, (use) => onLog(data, use))
        // what has not landed yet
        const ended = yield* runPipelineProcess({ args: boundedArgs(run, data, [...onKafka, "--parallelism", "2"]) })
        assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        yield* assertAnswers(run, data, bytes)
      }),
    300_000
  )
})
