/** A job with windows that crashes, at every fault point: the results, their revisions and the ledger are there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Job, Log } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints, notingDeltas } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, randomTrades, type Timing, type TradeLine, Trades, tradesJob } from "../support/Trades.ts"

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const job = tradesJob(timing)
const lines = randomTrades(makeChance(42), 150, 60_000)
const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)
const expected = expectedOf(lines, timing, placeOf)
const options = { epochRecords: 10, checkpointEveryMs: 0 }

const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]

const crashed = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    yield* append(Trades, lines)
    const monitor = Job.monitor()
    const crossed = yield* crashTwice(job, options, [name, nth], { last: { observer: monitor } })
    assert.deepStrictEqual(yield* foundOf, expected, `${name}, crossing ${nth}`)
    assert.strictEqual(monitor.status()[0]?.late, expected.late.length)
    return crossed
  }).pipe(Effect.provide(world))

describe("a job with windows that crashes", () => {
  it("has something to lose", () => {
    assert.isAbove(expected.late.length, 5)
    assert.isAbove(expected.results, expected.windows.length)
  })

  atCrossings(points, upTo(12), "gives the same results once", crashed)

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      yield* runOnDeltas(job, options)
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
      const watching = notingDeltas(sizes)
      const many = Array.from({ length: 2000 }, (_, index) => lines.map((line) => line)[index % 3]!)
      yield* append(Trades, many)
      yield* runToEnd(job, { ...options, epochRecords: 50 }).pipe(watching)
      // three trades over and over: as many panes at most
      assert.isBelow(Math.max(...sizes), 2000)
    }).pipe(Effect.provide(world))
  )
})
