/** A job with a pattern that crashes, at every fault point: matches, timeouts and the ledger are there once. */
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
  type PatternCase,
  randomSignals,
  signal,
  type SignalLine,
  Signals,
  signalsJob,
  step
} from "../support/Sequences.ts"

/** Everything that state may hold: partial matches of several lengths, pending ones, conditions over earlier steps. */
const open: PatternCase = {
  steps: [
    step("s0", "a", { many: true, min: 1, max: 2 }),
    step("s1", "b", { code: true, also: "first" }),
    step("s2", "c", { how: "notFollowedBy" })
  ],
  withinMs: 9000,
  skip: "noSkip",
  timeouts: true
}
/** Matches that wait for earlier ones. */
const skipping: PatternCase = {
  steps: [step("s0", "a"), step("s1", "b", { many: true, min: 2, max: 3, code: true, also: "rising" })],
  withinMs: 20_000,
  skip: "skipPastLastEvent",
  timeouts: false
}

const outOfOrdernessMs = 2000
const lines = randomSignals(makeChance(42), 150, 8000)
const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]

const crashed = (pattern: PatternCase, name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    const job = signalsJob(pattern, outOfOrdernessMs)
    yield* append(Signals, lines)
    const crossed = yield* crashTwice(job, options, [name, nth])
    assert.deepStrictEqual(yield* foundOf, expectedOf(lines, pattern, outOfOrdernessMs, placeOf), `${name} ${nth}`)
    return crossed
  }).pipe(Effect.provide(world))

describe("a job with a pattern that crashes", () => {
  it("has something to lose", () => {
    const expected = expectedOf(lines, open, outOfOrdernessMs, placeOf)
    assert.isAbove(expected.matches.length, 10)
    assert.isAbove(expected.timeouts.length, 10)
    assert.isAbove(expected.late.length, 10)
    assert.isAbove(expectedOf(lines, skipping, outOfOrdernessMs, placeOf).matches.length, 3)
  })

  atCrossings(points, upTo(12), "finds the same once", (name, nth) =>
    crashed(nth % 2 === 0 ? skipping : open, name, nth)
  )

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      const job = signalsJob(open, outOfOrdernessMs)
      yield* append(Signals, lines)
      yield* runOnDeltas(job, options)
      assert.deepStrictEqual(yield* foundOf, expectedOf(lines, open, outOfOrdernessMs, placeOf))
    }).pipe(Effect.provide(world))
  )

  it.live("does nothing more once it finished, and takes what comes after the end of time for late", () =>
    Effect.gen(function* () {
      const job = signalsJob(open, outOfOrdernessMs)
      yield* append(Signals, lines)
      yield* runToEnd(job, options)
      yield* runToEnd(job, options)
      const before = yield* foundOf
      yield* append(Signals, [signal(999, "A0", "a", 1, Date.UTC(2026, 5, 1))])
      yield* runToEnd(job, options)
      const after = yield* foundOf
      assert.deepStrictEqual([after.matches, after.timeouts], [before.matches, before.timeouts])
      assert.strictEqual(after.late.length, before.late.length + 1)
    }).pipe(Effect.provide(world))
  )

  it.live("counts evictions over restarts as one run does, and finds what is left of matches alike", () =>
    Effect.gen(function* () {
      const bounds = { partialMatchesMax: 2, recordsHeldMax: 6 }
      const job = signalsJob(open, outOfOrdernessMs, bounds)
      const outcome = (crashes: number) =>
        Effect.gen(function* () {
          yield* append(Signals, lines)
          for (let round = 0; round < crashes; round++)
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + round)))
          const monitor = Job.monitor()
          yield* runToEnd(job, { ...options, observer: monitor })
          const entries = (yield* readAll("ledger")).map(({ value }) => value).sort()
          assert.isAbove(entries.filter((entry) => entry.includes("evicted")).length, 20)
          return { ...(yield* foundOf), entries }
        }).pipe(Effect.provide(world))
      const calm = yield* outcome(0)
      assert.deepStrictEqual(yield* outcome(5), calm)
      const all = expectedOf(lines, open, outOfOrdernessMs, placeOf).matches
      assert.isBelow(calm.matches.length, all.length)
    })
  )

  it.live("refuses state of another pattern, and says what to do", () =>
    Effect.gen(function* () {
      yield* append(Signals, lines)
      yield* Effect.exit(runToEnd(signalsJob(open, 2000), options).pipe(crashAt("after-epoch-commit", 5)))
      const failure = yield* Effect.flip(runToEnd(signalsJob({ ...open, withinMs: 1000 }, 2000), options))
      assert.strictEqual(failure.reason, "StateDiffers")
      assert.include(failure.message, "give the operator another name")
    }).pipe(Effect.provide(world))
  )

  it.live("writes deltas that cost what changed, not what is open", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const watching = notingDeltas(sizes)
      // partial matches of many accounts that stay open
      const many = Array.from({ length: 2000 }, (_, index) =>
        signal(index, `account-${index}`, "a", 1, Date.UTC(2026, 0, 14) + index)
      )
      yield* append(Signals, many)
      yield* runToEnd(signalsJob(skipping, 0), { ...options, epochRecords: 50 }).pipe(watching)
      // the last one ends them all
      assert.isBelow(Math.max(...sizes.slice(0, -6)), 40_000)
    }).pipe(Effect.provide(world))
  )

  it.effect("ends by the time of the other partitions when its own falls silent", () =>
    Effect.gen(function* () {
      const at = (account: string, id: number, kind: string, second: number) =>
        signal(id, account, kind, 1, Date.UTC(2026, 0, 14) + second * 1000)
      const [quiet, busy] = ["A0", "A1", "A2", "A3", "A4"].filter(
        (account, index) => index === 0 || placeOf(at(account, 0, "a", 0)) !== placeOf(at("A0", 0, "a", 0))
      )
      const pattern: PatternCase = { ...open, steps: [step("s0", "a"), step("s1", "b")], withinMs: 5000 }
      const job = signalsJob(pattern, outOfOrdernessMs, {}, Signals, 1000)
      yield* append(Signals, [at(quiet!, 1, "a", 0)])
      const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0 }))
      yield* TestClock.adjust(1500)
      yield* append(Signals, [at(busy!, 2, "c", 1), at(busy!, 3, "c", 60)])
      yield* eventually(
        "the timeout",
        Effect.map(
          foundOf.pipe(Effect.orElseSucceed(() => ({ timeouts: [] }))),
          ({ timeouts }) => timeouts.length === 1
        )
      )
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})
