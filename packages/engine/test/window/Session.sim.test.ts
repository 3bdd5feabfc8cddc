/** Jobs with sessions, and with rolling totals and early results, that crash at every fault point: all is there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints, eventually, notingDeltas } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import {
  expectedOf,
  foundOf,
  randomTrades,
  type Timing,
  trade,
  type TradeLine,
  Trades,
  tradesJob
} from "../support/Trades.ts"
import { expectedVisits, foundVisits, type VisitTiming, visitsJob } from "../support/Visits.ts"

const lines = randomTrades(makeChance(42), 150, 60_000)
const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)
const options = { epochRecords: 10, checkpointEveryMs: 0 }

const visits: VisitTiming = { gapMs: 4000, maxMs: 3_600_000, latenessMs: 30_000, outOfOrdernessMs: 2000 }
const rolling: Timing = {
  sizeMs: 40_000,
  everyMs: 10_000,
  latenessMs: 20_000,
  outOfOrdernessMs: 2000,
  rolling: true,
  earlyMs: 3000
}

const startMs = Date.UTC(2026, 0, 14)

const jobs = {
  sessions: { job: visitsJob(visits), expected: expectedVisits(lines, visits, placeOf), found: foundVisits },
  "rolling totals": { job: tradesJob(rolling), expected: expectedOf(lines, rolling, placeOf), found: foundOf }
}

for (const [what, { expected, found, job }] of Object.entries(jobs)) {
  const crashed = (name: FaultPointName, nth: number) =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      const crossed = yield* crashTwice(job, options, [name, nth])
      assert.deepStrictEqual<unknown>(yield* found, expected, `${name}, crossing ${nth}`)
      return crossed
    }).pipe(Effect.provide(world))

  describe(`a job with ${what} that crashes`, () => {
    atCrossings([...epochPoints, "mid-restore"], upTo(8), "gives the same results once", crashed)

    it.live("goes on from deltas alone, without any snapshot", () =>
      Effect.gen(function* () {
        yield* append(Trades, lines)
        yield* runOnDeltas(job, options)
        assert.deepStrictEqual<unknown>(yield* found, expected)
      }).pipe(Effect.provide(world))
    )
  })
}

describe("sessions", () => {
  it("have something to lose", () => {
    const { expected } = jobs.sessions
    assert.isAbove(expected.late.length, 5)
    assert.isAbove(expected.retracted, 5)
  })

  it.live("refuse state of another gap, and say what to do", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      yield* Effect.exit(runToEnd(jobs.sessions.job, options).pipe(crashAt("after-epoch-commit", 5)))
      const failure = yield* Effect.flip(runToEnd(visitsJob({ ...visits, gapMs: 5000 }), options))
      assert.strictEqual(failure.reason, "StateDiffers")
      assert.include(failure.message, "give the operator another name")
    }).pipe(Effect.provide(world))
  )

  it.live("that would be one too many for a key are not opened: the record is entered", () =>
    Effect.gen(function* () {
      const trades = randomTrades(makeChance(5), 60, 0).filter((_, index) => index % 5 === 0)
      const slow = { gapMs: 1000, maxMs: 60_000, latenessMs: 0, outOfOrdernessMs: 3_000_000, openPerKeyMax: 2 }
      yield* append(Trades, trades)
      yield* runToEnd(visitsJob(slow), options)
      const perKey = Map.groupBy(trades, ({ account }) => account)
      const kept = [...perKey.values()].reduce((sum, { length }) => sum + Math.min(length, 2), 0)
      assert.strictEqual((yield* readAll("visits")).length, kept)
      const reasons = (yield* readAll("ledger")).map(({ value }) => (JSON.parse(value) as { reason: string }).reason)
      assert.deepStrictEqual(
        reasons,
        Array.from({ length: trades.length - kept }, () => "evicted")
      )
    }).pipe(Effect.provide(world))
  )

  it.live("write deltas that cost what changed, not what is open", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const watching = notingDeltas(sizes)
      const many = Array.from({ length: 2000 }, (_, index) => lines[index % 3]!)
      yield* append(Trades, many)
      yield* runToEnd(jobs.sessions.job, { ...options, epochRecords: 50 }).pipe(watching)
      assert.isBelow(Math.max(...sizes), 2000)
    }).pipe(Effect.provide(world))
  )

  it.effect("of a partition that fell silent end by the time of the others; what comes after all takes them back", () =>
    Effect.gen(function* () {
      const [quiet, busy] = ["A0", "A1", "A2"].filter(
        (account, index) => index === 0 || partitionOf(account, 3) !== partitionOf("A0", 3)
      ) as [string, string]
      const at = (account: string, second: number) => trade(account, startMs + second * 1000, 100n)
      const told = Effect.map(
        Effect.orElseSucceed(readAll("visits"), () => []),
        (all) =>
          all
            .map(({ value }) => JSON.parse(value) as Record<string, string | number | boolean>)
            .filter(({ account }) => account === quiet)
            .map(({ count, retracted, revision }) => `${String(revision)} ${String(count)} ${String(retracted)}`)
      )
      const silent = { gapMs: 6000, maxMs: 60_000, latenessMs: 30_000, outOfOrdernessMs: 2000, idleAfterMs: 1000 }
      let second = 20
      /** The others go on until the silent one has told so much; a second each time. */
      const goOn = (results: number) =>
        eventually(
          `${results} results`,
          Effect.gen(function* () {
            if ((yield* told).length >= results) return true
            if (second < 40) yield* append(Trades, [at(busy, second++)])
            yield* TestClock.adjust("1100 millis")
            return false
          })
        )
      yield* append(Trades, [at(quiet, 5), at(quiet, 9), at(busy, 6)])
      const running = yield* Effect.forkChild(Job.run(visitsJob(silent), { epochMs: 0, checkpointEveryMs: 0 }))
      yield* goOn(1)
      assert.deepStrictEqual(yield* told, ["0 2 false"])
      yield* append(Trades, [at(quiet, 14)])
      yield* goOn(3)
      assert.deepStrictEqual(yield* told, ["0 2 false", "1 2 true", "2 3 false"])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )
})
