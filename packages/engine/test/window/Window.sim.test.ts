/** A job with windows that crashes, at every fault point: the results, their revisions and the ledger are there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Job, Log } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt, onLog } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, randomTrades, type Timing, type TradeLine, Trades, tradesJob } from "../support/Trades.ts"

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const job = tradesJob(timing)
const lines = randomTrades(makeChance(42), 150, 60_000)
const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)
const expected = expectedOf(lines, timing, placeOf)
const options = { epochRecords: 10, checkpointEveryMs: 0 }

const points: ReadonlyArray<FaultPointName> = [
  "after-init",
  "before-epoch-commit",
  "during-epoch-commit",
  "after-epoch-commit",
  "before-snapshot",
  "after-snapshot",
  "before-name",
  "before-delta-drop",
  "snapshot-delete",
  "mid-restore"
]

/** Crashes twice, the second time while it comes back or later. */
const crashed = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    yield* append(Trades, lines)
    if (name === "mid-restore") yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 5)))
    const first = yield* Effect.exit(runToEnd(job, options).pipe(crashAt(name, nth)))
    yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 3)))
    const monitor = Job.monitor()
    yield* runToEnd(job, { ...options, observer: monitor })
    assert.deepStrictEqual(yield* foundOf, expected, `${name}, crossing ${nth}`)
    assert.strictEqual(monitor.status()[0]?.late, expected.late.length)
    return Exit.isFailure(first)
  }).pipe(Effect.provide(world))

describe("a job with windows that crashes", () => {
  it("has something to lose", () => {
    assert.isAbove(expected.late.length, 5)
    assert.isAbove(expected.results, expected.windows.length)
  })

  for (const name of points) {
    it.live(`at ${name}, at any crossing, gives the same results once`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (let nth = 1; nth <= 12; nth++) {
          if (!(yield* crashed(name, nth))) break
          crashes++
        }
        assert.isAbove(crashes, 0, `${name} was never crossed`)
      })
    )
  }

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      const deltasOnly = { ...options, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
      yield* append(Trades, lines)
      for (let round = 1; round < 8; round++) {
        yield* Effect.exit(runToEnd(job, deltasOnly).pipe(crashAt("after-epoch-commit", 2)))
      }
      yield* runToEnd(job, deltasOnly)
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("does nothing more once it finished, and takes what comes after the end of time for late", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      yield* runToEnd(job, options)
      yield* runToEnd(job, options)
      assert.deepStrictEqual(yield* foundOf, expected)
      const log = yield* Log
      const packed = yield* log.read("trades", 0, 0, { recordsMax: 1, bytesMax: 100_000 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const producer = yield* log.producer("more")
          yield* producer.append(0, [{ topic: "trades", partition: 0, records: packed }])
        })
      )
      yield* runToEnd(job, options)
      assert.strictEqual((yield* readAll("totals")).length, expected.results)
      assert.strictEqual((yield* foundOf).late.length, expected.late.length + 1)
    }).pipe(Effect.provide(world))
  )

  it.live("refuses state of other aggregates, and says what to do", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 5)))
      const failure = yield* Effect.flip(runToEnd(tradesJob({ ...timing, sizeMs: 40_000 }), options))
      assert.strictEqual(failure.reason, "StateDiffers")
      assert.include(failure.message, "give the operator another name")
    }).pipe(Effect.provide(world))
  )

  it.live("writes deltas that cost what changed, not what is open", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const watching = onLog((log) => ({
        commit: (epoch) => {
          for (const { delta } of epoch.shards) sizes.push(delta?.length ?? 0)
          return log.commit(epoch)
        }
      }))
      const many = Array.from({ length: 2000 }, (_, index) => lines.map((line) => line)[index % 3]!)
      yield* append(Trades, many)
      yield* runToEnd(job, { ...options, epochRecords: 50 }).pipe(watching)
      // three trades over and over: as many panes at most
      assert.isBelow(Math.max(...sizes), 2000)
    }).pipe(Effect.provide(world))
  )
})
