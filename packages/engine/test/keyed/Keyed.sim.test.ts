/** A job with deduplications and rankings that crashes, at every fault point: what it told is there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job } from "../../src/index.ts"
import {
  bid,
  type BidLine,
  Bids,
  type BidsCase,
  bidsJob,
  expectedBids,
  foundBids,
  randomBids
} from "../support/Bids.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints, eventually, notingDeltas } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

const of: BidsCase = { ttlMs: 6000, n: 3, order: "desc", outOfOrdernessMs: 2000, windowMs: 5000 }
const lines = randomBids(makeChance(42), 150, 8000)
const placeOf = (line: BidLine) => partitionOf(line.key, Bids.partitions)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]
const startMs = Date.UTC(2026, 0, 14)

const crashed = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    const job = bidsJob(of)
    yield* append(Bids, lines)
    const crossed = yield* crashTwice(job, options, [name, nth])
    assert.deepStrictEqual(yield* foundBids, expectedBids(lines, of, placeOf), `${name} ${nth}`)
    return crossed
  }).pipe(Effect.provide(world))

describe("a job with deduplications and rankings that crashes", () => {
  atCrossings(points, upTo(12), "tells the same once", crashed)

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      yield* append(Bids, lines)
      yield* runOnDeltas(bidsJob(of), options)
      assert.deepStrictEqual(yield* foundBids, expectedBids(lines, of, placeOf))
    }).pipe(Effect.provide(world))
  )

  it.live("takes what comes after the end of time for late where the first record is kept", () =>
    Effect.gen(function* () {
      yield* append(Bids, lines)
      yield* runToEnd(bidsJob(of), options)
      const before = yield* foundBids
      yield* append(Bids, [bid(999, "A0", "B0", 100n, startMs + 3_600_000)])
      yield* runToEnd(bidsJob(of), options)
      const after = yield* foundBids
      assert.deepStrictEqual(after.firsts, before.firsts)
      assert.deepStrictEqual(
        after.late.filter((entry) => !before.late.includes(entry)),
        ["first 999"]
      )
      // a last record is told as ever
      assert.strictEqual(after.lasts.length, before.lasts.length + 1)
    }).pipe(Effect.provide(world))
  )

  it.live("evicts what its bounds leave no room for, over restarts as in one run", () =>
    Effect.gen(function* () {
      const bounded = { ...of, keysMax: 1, recordsHeldMax: 4 }
      const outcome = (crashes: number) =>
        Effect.gen(function* () {
          yield* append(Bids, lines)
          for (let round = 0; round < crashes; round++)
            yield* Effect.exit(runToEnd(bidsJob(bounded), options).pipe(crashAt("after-epoch-commit", 1 + round)))
          yield* runToEnd(bidsJob(bounded), options)
          const entries = (yield* readAll("ledger")).map(({ value }) => value).sort()
          for (const operator of ["first", "last", "top"]) {
            const evicted = entries.filter((entry) => entry.includes(`"${operator}","reason":"evicted"`))
            assert.isAbove(evicted.length, operator === "top" ? 0 : 5, operator)
          }
          return { ...(yield* foundBids), entries }
        }).pipe(Effect.provide(world))
      assert.deepStrictEqual(yield* outcome(5), yield* outcome(0))
    })
  )

  it.live("refuses state of another order, and says what to do", () =>
    Effect.gen(function* () {
      yield* append(Bids, lines)
      yield* Effect.exit(runToEnd(bidsJob(of), options).pipe(crashAt("after-epoch-commit", 5)))
      const failure = yield* Effect.flip(runToEnd(bidsJob({ ...of, n: 2 }), options))
      assert.strictEqual(failure.reason, "StateDiffers")
      assert.include(failure.message, "give the operator another name")
    }).pipe(Effect.provide(world))
  )

  it.live("writes deltas that cost what changed, not what is remembered", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const watching = notingDeltas(sizes)
      const many = Array.from({ length: 2000 }, (_, index) => bid(index, `A${index}`, "B", 100n, startMs + index))
      yield* append(Bids, many)
      yield* runToEnd(bidsJob({ ...of, outOfOrdernessMs: 0, ttlMs: 3_600_000 }), { ...options, epochRecords: 50 }).pipe(
        watching
      )
      assert.isBelow(Math.max(...sizes), 80_000)
    }).pipe(Effect.provide(world))
  )

  it.effect("tells a first record by the time of the other partitions when its own falls silent", () =>
    Effect.gen(function* () {
      const auctions = ["A0", "A1", "A2", "A3", "A4"]
      const at = (auction: string, id: number, second: number) => bid(id, auction, "B0", 100n, startMs + second * 1000)
      const busy = auctions.find((auction) => placeOf(at(auction, 0, 0)) !== placeOf(at("A0", 0, 0)))!
      yield* append(Bids, [at("A0", 1, 0)])
      const fiber = yield* Effect.forkChild(Job.run(bidsJob(of, Bids, 1000), { epochMs: 0 }))
      yield* TestClock.adjust(1500)
      yield* append(Bids, [at(busy, 2, 1), at(busy, 3, 60)])
      const told = Effect.map(foundBids, ({ firsts }) => firsts.includes("A0 B0 1 0"))
      yield* eventually("the first record", told)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})
