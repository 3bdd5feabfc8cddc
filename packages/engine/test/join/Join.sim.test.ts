/** Jobs with joins that crash, at every fault point: results and the ledger are there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints, eventually, notingDeltas } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, type JoinCase, joinJob } from "../support/Joins.ts"
import { randomSignals, signal, type SignalLine, Signals } from "../support/Sequences.ts"

const common = { latenessMs: 1000, same: false, coded: false, expressions: false }
/** Everything that state may hold: matched and unmatched records of both sides, versions, deletions, rows. */
const interval: JoinCase = {
  ...common,
  expressions: true,
  join: "interval",
  kind: "full",
  lowerMs: -3000,
  upperMs: 4000
}
const asOf: JoinCase = { ...common, join: "asOf", kind: "left", ttlMs: 6000, coded: true }
const latest: JoinCase = { ...common, join: "latest", kind: "left", ttlMs: 9000 }
const cases = [interval, asOf, latest]

const outOfOrdernessMs = 2000
const lines = randomSignals(makeChance(42), 150, 8000)
const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]

const crashed = (of: JoinCase, name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    const job = joinJob(of, { outOfOrdernessMs })
    yield* append(Signals, lines)
    const crossed = yield* crashTwice(job, options, [name, nth])
    const expected = expectedOf(lines, of, outOfOrdernessMs, placeOf)
    assert.deepStrictEqual(yield* foundOf(of), expected, `${of.join} ${name} ${nth}`)
    return crossed
  }).pipe(Effect.provide(world))

const resultsOf = (of: JoinCase) =>
  expectedOf(lines, of, outOfOrdernessMs, placeOf).results.flatMap(([, found]) => found)

describe("a job with a join that crashes", () => {
  it("has something to lose", () => {
    for (const of of cases) {
      assert.isAbove(resultsOf(of).filter((result) => !result.includes("-")).length, 10, of.join)
      assert.isAbove(resultsOf(of).filter((result) => result.includes("-")).length, 10, of.join)
      assert.isAbove(expectedOf(lines, of, outOfOrdernessMs, placeOf).ledger.length, 10, of.join)
    }
  })

  atCrossings(points, upTo(12), "finds the same once", (name, nth) => crashed(cases[nth % 3]!, name, nth))

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      for (const of of cases) {
        const found = yield* Effect.gen(function* () {
          const job = joinJob(of, { outOfOrdernessMs })
          yield* append(Signals, lines)
          yield* runOnDeltas(job, options)
          return yield* foundOf(of)
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(found, expectedOf(lines, of, outOfOrdernessMs, placeOf), of.join)
      }
    })
  )

  it.live("does nothing more once it finished, and takes what comes after the end of time for late", () =>
    Effect.gen(function* () {
      for (const of of cases) {
        yield* Effect.gen(function* () {
          const job = joinJob(of, { outOfOrdernessMs })
          yield* append(Signals, lines)
          yield* runToEnd(job, options)
          yield* runToEnd(job, options)
          const before = yield* foundOf(of)
          yield* append(Signals, [signal(999, "A0", "a", 1, Date.UTC(2026, 5, 1))])
          yield* runToEnd(job, options)
          const after = yield* foundOf(of)
          assert.deepStrictEqual(after.results, before.results, of.join)
          const late = ({ ledger }: typeof after) => ledger.filter((entry) => entry.startsWith("late"))
          assert.strictEqual(late(after).length, late(before).length + 1, of.join)
        }).pipe(Effect.provide(world))
      }
    })
  )

  it.live("counts evictions over restarts as one run does, and finds what is left alike", () =>
    Effect.gen(function* () {
      for (const of of cases) {
        const job = joinJob(of, { outOfOrdernessMs, bounds: { recordsPerKeyMax: 2, recordsHeldMax: 4 } })
        const outcome = (crashes: number) =>
          Effect.gen(function* () {
            yield* append(Signals, lines)
            for (let round = 0; round < crashes; round++)
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + round)))
            const monitor = Job.monitor()
            yield* runToEnd(job, { ...options, observer: monitor })
            return yield* foundOf(of)
          }).pipe(Effect.provide(world))
        const calm = yield* outcome(0)
        assert.isAbove(calm.ledger.filter((entry) => entry.startsWith("evicted")).length, 10, of.join)
        assert.deepStrictEqual(yield* outcome(5), calm, of.join)
        assert.isBelow(calm.results.flatMap(([, found]) => found).length, resultsOf(of).length, of.join)
      }
    })
  )

  it.live("refuses state of a join with other times, and says what to do; takes that of another kind", () =>
    Effect.gen(function* () {
      yield* append(Signals, lines)
      const run = (of: JoinCase) => runToEnd(joinJob(of, { outOfOrdernessMs }), options)
      yield* Effect.exit(run(interval).pipe(crashAt("after-epoch-commit", 5)))
      const failure = yield* Effect.flip(run({ ...interval, upperMs: 1000 }))
      assert.strictEqual(failure.reason, "StateDiffers")
      assert.include(failure.message, "give the operator another name")
      assert.strictEqual((yield* Effect.flip(run(latest))).reason, "StateDiffers")
      yield* run({ ...interval, kind: "inner" })
    }).pipe(Effect.provide(world))
  )

  it.live("writes deltas that cost what changed, not what is held", () =>
    Effect.gen(function* () {
      // records of many accounts that wait for partners for long
      const many = Array.from({ length: 2000 }, (_, index) =>
        signal(index, `account-${index}`, index % 2 === 0 ? "a" : "b", 1, Date.UTC(2026, 0, 14) + index)
      )
      for (const of of [{ ...interval, upperMs: 3_600_000 }, asOf, { ...latest, ttlMs: 86_400_000 }]) {
        const sizes: Array<number> = []
        const watching = notingDeltas(sizes)
        yield* Effect.gen(function* () {
          yield* append(Signals, many)
          yield* runToEnd(joinJob(of, { outOfOrdernessMs: 0 }), { ...options, epochRecords: 50 }).pipe(watching)
        }).pipe(Effect.provide(world))
        // the last one ends them all
        assert.isBelow(Math.max(...sizes.slice(0, -6)), 40_000, of.join)
      }
    })
  )

  it.effect("tells that there is no partner by the time of the other partitions when its own falls silent", () =>
    Effect.gen(function* () {
      const at = (account: string, id: number, kind: string, second: number) =>
        signal(id, account, kind, 1, Date.UTC(2026, 0, 14) + second * 1000)
      const [quiet, busy] = ["A0", "A1", "A2", "A3", "A4"].filter(
        (account, index) => index === 0 || placeOf(at(account, 0, "a", 0)) !== placeOf(at("A0", 0, "a", 0))
      )
      yield* append(Signals, [at(quiet!, 1, "a", 0)])
      const job = joinJob(interval, { outOfOrdernessMs, idleAfterMs: 1000 })
      const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0 }))
      yield* TestClock.adjust(1500)
      yield* append(Signals, [at(busy!, 2, "c", 1), at(busy!, 3, "c", 60)])
      yield* eventually(
        "the record without a partner",
        Effect.map(
          Effect.orElseSucceed(readAll("pairs"), () => []),
          (found) => found.length === 1
        )
      )
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})
