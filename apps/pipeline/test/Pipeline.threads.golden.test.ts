/**
 * Pipelines on threads as processes: killed again and again, each time started with another number of threads, what is in
 * topics and tables in the end is what the oracle reads out of the file; stopped, they end cleanly.
 */
import { existsSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Log } from "@frazil/engine"
import { dataDirectory, logLayer } from "@frazil/platform"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertLeftBehind } from "./support/LeftBehind.ts"
import { runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, makePlaceOf } from "./support/PipelineRun.ts"

/** Bytes in the log and its journal: it grows with each epoch. */
const logBytes = (data: string) =>
  ["log.db", "log.db-wal"].reduce((sum, name) => {
    return sum + (statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0)
  }, 0)

/** The job of transactions has, some records. */
const hasCommitted = (data: string) =>
  Effect.gen(function* () {
    if (!existsSync(join(data, "log.db"))) return false
    const log = yield* Log
    const own = (yield* log.shards).filter(({ uid }) => uid === "transactions")
    const records = yield* Effect.forEach(own, (id) => log.inForce(id))
    return records.some((record) => (record?.positions[0]?.offset ?? 0) > 0)
  }).pipe(Effect.provide(logLayer(dataDirectory(data))))

/** Kills it when it has committed something, or lets it end. Whether it was killed. */
const killInTheMiddle = (args: ReadonlyArray<string>, data: string) =>
  Effect.gen(function* () {
    const before = logBytes(data)
    const { child, ended, running } = yield* startPipeline({ args })
    while (running() && logBytes(data) < before + 400_000) yield* Effect.sleep(2)
    const killed = running() && child.kill("SIGKILL")
    yield* ended
    return killed
  }).pipe(Effect.scoped)

describe("a pipeline on threads", () => {
  it.live("that is killed, and goes on with 1, 2, 4 and 1 threads, lands what the oracle reads out of the file", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 21, lines: 8_000, longLineBytes: [] })
      const expected = expectRawTransactions(bytes)
      const { data, file } = yield* makePlace(bytes)
      const args = (threads: number) => {
        const options = ["--epoch", "1ms", "--checkpoint-every", "20ms", "--parallelism", String(threads)]
        return ["--jobs", "transactions", "--input", `raw-transactions=${file}`, "--data", data, ...options]
      }
      let kills = 0
      for (const threads of [1, 2, 4]) if (yield* killInTheMiddle(args(threads), data)) kills++
      const last = yield* runPipelineProcess({ args: args(1) })
      assert.deepStrictEqual([last.code, last.errors], [0, []])
      assert.isAbove(kills, 0)
      yield* assertLeftBehind(data, expected)
    })
  )

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`ends with 0 at ${signal}, and says what it came to`, () =>
      Effect.gen(function* () {
        const { data } = yield* makePlaceOf({})
        const args = ["--data", data, "--no-gateway", "--rate", "50", "--parallelism", "2"]
        const { child, ended, running } = yield* startPipeline({ args })
        while (running() && !(yield* hasCommitted(data))) yield* Effect.sleep(50)
        child.kill(signal)
        const { code, errors, lines } = yield* ended
        assert.deepStrictEqual([code, errors], [0, []])
        assert.isTrue(
          lines.some((line) => /^transactions: [1-9][\d,]* records in = /.test(line)),
          lines.join("\n")
        )
      }).pipe(Effect.scoped)
    )
  }

  it.live("whose number of threads makes no sense says what it takes", () =>
    Effect.gen(function* () {
      const { data } = yield* makePlaceOf({})
      const { code, errors } = yield* runPipelineProcess({ args: ["--data", data, "--parallelism", "0"] })
      assert.deepStrictEqual([code, errors], [1, ["error: --parallelism takes a number of threads from 1 to 64"]])
    })
  )

  it.live("takes the number of threads from frazil.yaml and from the environment as well", () =>
    Effect.gen(function* () {
      const { data, folder } = yield* makePlaceOf({ nothing: "" })
      writeFileSync(join(folder, "frazil.yaml"), "parallelism: 65\n")
      const fromFile = yield* runPipelineProcess({ args: ["--data", data], cwd: folder })
      const env = { FRAZIL_PARALLELISM: "66" }
      const fromEnvironment = yield* runPipelineProcess({ args: ["--data", data], env })
      for (const { errors } of [fromFile, fromEnvironment])
        assert.deepStrictEqual(errors, ["error: --parallelism takes a number of threads from 1 to 64"])
    })
  )
})
