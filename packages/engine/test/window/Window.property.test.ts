/** Windows against a slow reference that recomputes them from all records: any order, any batching, any restart. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, randomTrades, timings, type TradeLine, Trades, tradesJob } from "../support/Trades.ts"

const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)

describe("windows", () => {
  for (const [index, timing] of timings.entries()) {
    const { earlyMs, everyMs, latenessMs, rolling, sizeMs } = timing
    const kind = `${rolling === true ? "rolling" : ""}${earlyMs === undefined ? "" : ` early ${earlyMs}`}`
    for (const disorderMs of [0, 4000, 14_000, 60_000]) {
      it.live(
        `${kind} of ${sizeMs} every ${everyMs}, ${latenessMs} late, over records ${disorderMs} out of order`,
        () =>
          Effect.gen(function* () {
            for (let seed = 1; seed <= casesOf(2); seed++) {
              const chance = makeChance(index * 1000 + disorderMs + seed)
              const lines = randomTrades(chance, 120, disorderMs)
              const expected = expectedOf(lines, timing, placeOf)
              if (disorderMs <= timing.outOfOrdernessMs) assert.strictEqual(expected.late.length, 0)
              const epochRecords = chance.pick([1, 7, 50])
              const found = yield* Effect.gen(function* () {
                yield* append(Trades, lines)
                // a crash now and then
                const options = { epochRecords, checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER]) }
                yield* Effect.exit(
                  runToEnd(tradesJob(timing), options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9)))
                )
                yield* runToEnd(tradesJob(timing), options)
                return yield* foundOf
              }).pipe(Effect.provide(world))
              assert.deepStrictEqual(found, expected, `seed ${seed}, epochs of ${epochRecords}`)
            }
          })
      )
    }
  }

  it.live("inside the out-of-orderness: every order of the records gives the same last results", () =>
    Effect.gen(function* () {
      const timing = timings[2]!
      const chance = makeChance(7)
      const lines = randomTrades(chance, 100, 0)
      const answers = expectedOf(lines, timing, placeOf).windows
      for (let round = 0; round < 5; round++) {
        const delayed = lines.map((line, index) => ({ line, at: index * 1000 + chance.below(4900) }))
        const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
        const found = yield* Effect.gen(function* () {
          yield* append(Trades, shuffled)
          yield* runToEnd(tradesJob(timing))
          return yield* foundOf
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(found.windows, answers)
        assert.deepStrictEqual(found.late, [])
      }
    })
  )
})
