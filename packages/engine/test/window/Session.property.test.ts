/** Sessions against a slow reference that recomputes them from all records: any order, any batching, any restart. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { randomTrades, type TradeLine, Trades } from "../support/Trades.ts"
import { expectedVisits, foundVisits, visitsJob, visitTimings } from "../support/Visits.ts"

const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)
const hourMs = 3_600_000

describe("sessions", () => {
  let retracted = 0
  for (const [index, timing] of visitTimings.entries()) {
    const { gapMs, latenessMs, maxMs } = timing
    for (const disorderMs of [0, 4000, 14_000, 60_000]) {
      it.live(`of ${gapMs}, at most ${maxMs}, ${latenessMs} late, over records ${disorderMs} out of order`, () =>
        Effect.gen(function* () {
          for (let seed = 1; seed <= casesOf(3); seed++) {
            const chance = makeChance(index * 1000 + disorderMs + seed)
            const lines = randomTrades(chance, 120, disorderMs)
            const expected = expectedVisits(lines, timing, placeOf)
            retracted += expected.retracted
            if (disorderMs <= timing.outOfOrdernessMs) assert.strictEqual(expected.late.length, 0)
            const epochRecords = chance.pick([1, 7, 50])
            const found = yield* Effect.gen(function* () {
              yield* append(Trades, lines)
              // a crash now and then
              const options = { epochRecords, checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER]) }
              yield* Effect.exit(
                runToEnd(visitsJob(timing), options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9)))
              )
              yield* runToEnd(visitsJob(timing), options)
              return yield* foundVisits
            }).pipe(Effect.provide(world))
            assert.deepStrictEqual(found, expected, `seed ${seed}, epochs of ${epochRecords}`)
          }
        })
      )
    }
  }

  it("take results back in these tests", () => assert.isAbove(retracted, 100))

  it.live(
    "inside the out-of-orderness: every order of the records, on any number of partitions, gives the same sessions",
    () =>
      Effect.gen(function* () {
        const timing = { gapMs: 6000, maxMs: hourMs, latenessMs: 0, outOfOrdernessMs: 5000 }
        const chance = makeChance(7)
        const lines = randomTrades(chance, 100, 0)
        const answers = expectedVisits(lines, timing, placeOf).standing
        for (let round = 0; round < 6; round++) {
          const delayed = lines.map((line, at) => ({ line, at: at * 1000 + chance.below(4900) }))
          const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
          const topic = { ...Trades, partitions: 1 + (round % 4) }
          const found = yield* Effect.gen(function* () {
            yield* append(topic, shuffled)
            yield* runToEnd(visitsJob(timing, topic))
            return yield* foundVisits
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found.standing, answers)
          assert.deepStrictEqual(found.late, [])
          assert.strictEqual(found.retracted, 0)
        }
      })
  )

  it.live("inside the lateness: every order gives the same last results, whatever was taken back", () =>
    Effect.gen(function* () {
      const timing = { gapMs: 3000, maxMs: hourMs, latenessMs: 60_000, outOfOrdernessMs: 0 }
      const chance = makeChance(8)
      const lines = randomTrades(chance, 100, 0)
      const answers = expectedVisits(lines, timing, placeOf).standing
      let taken = 0
      for (let round = 0; round < 5; round++) {
        const delayed = lines.map((line, at) => ({ line, at: at * 1000 + chance.below(50_000) }))
        const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
        const found = yield* Effect.gen(function* () {
          yield* append(Trades, shuffled)
          yield* runToEnd(visitsJob(timing), { epochRecords: chance.pick([1, 9, 100]) })
          return yield* foundVisits
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(found.standing, answers)
        assert.deepStrictEqual(found.late, [])
        taken += found.retracted
      }
      assert.isAbove(taken, 20)
    })
  )
})
