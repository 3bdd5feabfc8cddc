/** Two stages that crash, at every fault point of either: results, revisions and the ledger are there once. */
import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Job, Log } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { byShop, expectedByAccount, internalTopic, repartitionedJob, TradesByShop } from "../support/Repartitioned.ts"
import { foundOf, randomTrades, type Timing } from "../support/Trades.ts"

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const job = repartitionedJob(timing, 3)
const lines = randomTrades(makeChance(42), 150, 60_000).map(byShop)
const expected = expectedByAccount(lines, timing)
const options = { epochRecords: 10, checkpointEveryMs: 0 }

const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore", "before-delete-records"]

const crashed = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    yield* append(TradesByShop, lines)
    const monitor = Job.monitor()
    const crossed = yield* crashTwice(job, options, [name, nth], { before: 9, last: { observer: monitor } })
    assert.deepStrictEqual(yield* foundOf, expected, `${name}, crossing ${nth}`)
    const [reading, writing] = monitor.status()
    assert.strictEqual(reading?.in, lines.length)
    assert.strictEqual(writing?.in, lines.length, "records that tell time only do not count")
    assert.strictEqual(writing?.late, expected.late.length)
    return crossed
  }).pipe(Effect.provide(world))

describe("a job of two stages that crashes", () => {
  it("has something to lose", () => {
    assert.isAbove(expected.late.length, 5)
    assert.isAbove(expected.results, expected.windows.length)
  })

  atCrossings(points, [...upTo(8), 13, 18, 23], "gives the same results once", crashed)

  it.live("does nothing more once it finished, and takes what comes after the end of time for late", () =>
    Effect.gen(function* () {
      yield* append(TradesByShop, lines)
      yield* runToEnd(job, options)
      yield* runToEnd(job, options)
      assert.deepStrictEqual(yield* foundOf, expected)
      yield* append(TradesByShop, [lines[0]!])
      yield* runToEnd(job, options)
      assert.strictEqual((yield* readAll("totals")).length, expected.results)
      assert.strictEqual((yield* foundOf).late.length, expected.late.length + 1)
    }).pipe(Effect.provide(world))
  )

  it.live("stops as well when only the stage that writes that topic had committed", () =>
    Effect.gen(function* () {
      yield* append(TradesByShop, lines)
      yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1)))
      const log = yield* Log
      assert.isUndefined(yield* log.inForce({ uid: job.name, stage: internalTopic, shard: 0 }))
      yield* log.deleteTopic(internalTopic)
      const failure = yield* Effect.flip(runToEnd(job, options))
      assert.strictEqual(failure.reason, "TopicRecreated")
    }).pipe(Effect.provide(world))
  )

  it.live("stops with the way out when its internal topic was deleted and made anew (rule 9)", () =>
    Effect.gen(function* () {
      yield* append(TradesByShop, lines)
      yield* runToEnd(job, options)
      const log = yield* Log
      yield* log.deleteTopic(internalTopic)
      yield* append(TradesByShop, [lines[0]!])
      const failure = yield* Effect.flip(runToEnd(job, options))
      assert.strictEqual(failure.reason, "TopicRecreated")
      assert.include(failure.message, internalTopic)
      const grown = yield* Effect.flip(runToEnd(repartitionedJob(timing, 4), options))
      assert.strictEqual(grown.reason, "TopicDiffers")
    }).pipe(Effect.provide(world))
  )
})
