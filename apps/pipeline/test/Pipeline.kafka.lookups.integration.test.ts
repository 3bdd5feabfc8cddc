/**
 * Lending and claims with their log on a real Kafka broker: what plain loops say of the files, as it is with the embedded
 * log, undisturbed and killed at moments when something is half way.
 */
import { assert, afterEach, beforeEach, describe, it } from "@effect/vitest"
import { kafkaLogLayer } from "@frazil/connect"
import type { FaultPointName } from "@frazil/core"
import { Log, type LogShape, type ShardId } from "@frazil/engine"
import { auditTable, Catalog, identifierFromText } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { sharedKafka } from "@frazil/sim/kafka"
import { Context, Effect, Layer } from "effect"
import { assertLookupsLeft, bureauScores, lookupsPlace } from "./support/LookupRuns.ts"
import { runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { type Place, runIn } from "./support/PipelineRun.ts"

// each test begins with an empty log
const kafka = sharedKafka(19_992, { more: "transaction.abort.timed.out.transaction.cleanup.interval.ms=300" })
beforeEach(kafka.start)
afterEach(kafka.stop)

const onKafka = `kafka://127.0.0.1:${kafka.broker.port}`
const log = { _tag: "Kafka", brokers: [kafka.broker] } as const

const argsOf = ({ data, inputs }: Place) => [
  ...["--jobs", "lending,claims", "--data", data, "--log", onKafka, "--summary", `${data}.json`],
  ...[...inputs].flatMap(([topic, file]) => ["--input", `${topic}=${file}`]),
  ...["--epoch", "50ms", "--lake-commit-every", "300ms", "--checkpoint-every", "500ms"]
]

/** Topics and tables are what loops say, and audits of the tables find nothing. */
const assertAll = Effect.fnUntraced(function* ({ data }: Place) {
  yield* assertLookupsLeft(data, yield* bureauScores, log)
  const landed = tables.filter(({ table }) => /^(lending|claims)\.|^system\.dead_letter$/.test(table))
  assert.isAtLeast(landed.length, 5)
  yield* Effect.forEach(
    landed,
    Effect.fnUntraced(function* (landing) {
      const { matches, problems } = yield* auditTable(landing)
      assert.isTrue(matches, `audit of ${landing.table}: ${problems.join("; ")}`)
    }),
    { discard: true }
  ).pipe(Effect.provide(systemLayer(dataDirectory(data, undefined, log))))
})

const runToEnd = Effect.fnUntraced(function* (place: Place) {
  const ended = yield* runPipelineProcess({ args: argsOf(place) })
  assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
})

/** Something is in the topic. */
const written = (topic: string) =>
  Effect.gen(function* () {
    const bounds = yield* (yield* Log).bounds(topic)
    return bounds.some(({ end }) => end > 0)
  }).pipe(Effect.orElseSucceed(() => false))

const landed = (table: string) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const { metadata } = yield* catalog.loadTable(identifierFromText(table)!)
    return metadata.currentSnapshotId !== null
  }).pipe(Effect.orElseSucceed(() => false))

/** When to kill: files half fed, lookups asked, outputs written, tables begun. */
const moments = [
  written("customers"),
  written("internal_checks"),
  written("loan_decisions"),
  written("large-claims"),
  landed("lending.decisions")
]

/** How many of the runs were killed: some may end just before. */
const killedAt = (place: Place, each: typeof moments) =>
  Effect.forEach(each, (moment) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { running } = yield* startPipeline({ args: argsOf(place) })
        while (running() && !(yield* moment)) yield* Effect.sleep(20)
        return running()
      })
    )
  ).pipe(
    Effect.map((killed) => killed.filter(Boolean).length),
    Effect.provide(systemLayer(dataDirectory(place.data, undefined, log)))
  )

/** Longer than a transaction may take there. */
const tooLongMs = 2_000

const impatientLog = Effect.map(
  Layer.build(kafkaLogLayer({ brokers: [kafka.broker], transactionTimeoutMs: 1_000 })),
  (context) => Context.get(context, Log)
)

/** A run in this process; `hit` is done at some crossings between what an epoch sends and its end. */
const runWith = Effect.fnUntraced(function* (
  place: Place,
  crossings: ReadonlyArray<number>,
  hit: (sent: ReadonlyArray<ShardId>) => Effect.Effect<void>
) {
  const log = yield* impatientLog
  const sent = new Map<string, ShardId>()
  const watched: LogShape = {
    ...log,
    commit: (epoch) => {
      for (const { id } of epoch.shards) sent.set(`${id.uid}/${id.stage}/${id.shard}`, id)
      return log.commit(epoch)
    }
  }
  let crossed = 0
  const atCrossing = (point: FaultPointName) =>
    point === "during-epoch-commit" && crossings.includes(++crossed) ? hit([...sent.values()]) : Effect.void
  const flows = ["lending", "claims"] as const
  yield* runIn(place, { flows, hit: atCrossing, log: watched, recordsMax: 20, epochRecords: 20 })
  assert.isAbove(crossed, Math.max(...crossings))
}, Effect.scoped)

describe("lending and claims on Kafka", () => {
  it.live("decide on every application and payment once, as the rules and the tables say", () =>
    Effect.gen(function* () {
      const place = yield* lookupsPlace
      yield* runToEnd(place)
      yield* assertAll(place)
    })
  )

  it.live("killed again and again, lose nothing and double nothing", () =>
    Effect.gen(function* () {
      const place = yield* lookupsPlace
      // the later ones may end before this process has looked
      assert.isAtLeast(yield* killedAt(place, moments), 2)
      yield* runToEnd(place)
      yield* assertAll(place)
    })
  )

  it.live("start over by themselves where transactions took too long, and stop where another owner came", () =>
    Effect.gen(function* () {
      const place = yield* lookupsPlace
      const other = yield* impatientLog
      const stopped = yield* Effect.flip(
        runWith(place, [4], (sent) =>
          Effect.andThen(Effect.sleep(tooLongMs), Effect.orDie(Effect.asVoid(other.fence("another", sent))))
        )
      )
      assert.include(stopped, { _tag: "LogError", reason: "Fenced" })
      yield* runWith(place, [2, 7], () => Effect.sleep(tooLongMs))
      yield* assertAll(place)
    })
  )
})
