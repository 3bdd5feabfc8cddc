/** A window behind a repartition against a slow reference: any order, any batching, any partitions, crashes of both stages. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Log } from "../../src/index.ts"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import {
  byShop,
  expectedByAccount,
  inMergedOrder,
  internalTopic,
  ledgerPlaces,
  repartitionedJob,
  TradesByShop
} from "../support/Repartitioned.ts"
import { foundOf, randomTrades, type Timing } from "../support/Trades.ts"

const timings: ReadonlyArray<Timing> = [
  { sizeMs: 10_000, everyMs: 10_000, latenessMs: 0, outOfOrdernessMs: 5000 },
  { sizeMs: 10_000, everyMs: 10_000, latenessMs: 15_000, outOfOrdernessMs: 2000 },
  { sizeMs: 30_000, everyMs: 5000, latenessMs: 0, outOfOrdernessMs: 3000 },
  { sizeMs: 25_000, everyMs: 10_000, latenessMs: 7000, outOfOrdernessMs: 0 }
]

describe("a window behind a repartition", () => {
  for (const [index, timing] of timings.entries()) {
    for (const disorderMs of [0, 4000, 14_000, 60_000]) {
      const { everyMs, latenessMs, sizeMs } = timing
      it.live(`of ${sizeMs} every ${everyMs}, ${latenessMs} late, over trades ${disorderMs} out of order`, () =>
        Effect.gen(function* () {
          for (let seed = 1; seed <= casesOf(2); seed++) {
            const chance = makeChance(index * 1000 + disorderMs + seed)
            const lines = randomTrades(chance, 120, disorderMs).map(byShop)
            const expected = expectedByAccount(lines, timing)
            const job = repartitionedJob(timing, seed)
            const epochRecords = chance.pick([1, 7, 50])
            const options = { epochRecords, checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER]) }
            yield* Effect.gen(function* () {
              yield* append(TradesByShop, lines)
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(20))))
              yield* runToEnd(job, options)
              assert.deepStrictEqual(yield* foundOf, expected, `seed ${seed}, epochs of ${epochRecords}`)
              const late = new Set(expected.late)
              const places = inMergedOrder(lines, timing.outOfOrdernessMs)
                .filter(({ line }) => late.has(line.value))
                .map(({ line, offset, partition }) => `${partition}/${offset} ${line.value}`)
              assert.includeMembers(places, [...(yield* ledgerPlaces)], "the ledger names where they came from")
              const log = yield* Log
              for (const { end, start } of yield* log.bounds(internalTopic))
                assert.strictEqual(start, end, "what was read is gone")
            }).pipe(Effect.provide(world))
          }
        })
      )
    }
  }
})
