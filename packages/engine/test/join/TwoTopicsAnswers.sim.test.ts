/** Random joins of two topics of other records against the slow reference: any layout, order, batching, restart. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Log } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { runToEnd } from "../support/Harness.ts"
import { expectedOf, foundOf, type JoinCase, randomJoin } from "../support/Joins.ts"
import { randomSignals } from "../support/Sequences.ts"
import {
  appendSplit,
  expectedOfSplit,
  placedLedger,
  placedWorld,
  randomLayout,
  split,
  splitJob
} from "../support/SplitJoins.ts"

const outOfOrdernessMs = 3000
const joinsOfEach = 14
const kinds = ["interval", "asOf", "latest"] as const

const placed = (of: JoinCase) =>
  Effect.gen(function* () {
    const { results } = yield* foundOf(of)
    return { results, ledger: yield* placedLedger }
  })

describe("joins of two topics", () => {
  for (const join of kinds) {
    for (const disorderMs of [0, 2900, 20_000]) {
      it.live(`${join} over records ${disorderMs} out of order, with crashes`, () =>
        Effect.gen(function* () {
          const met = { both: 0, alone: 0, retracted: 0, ledger: 0 }
          for (let seed = 1; seed <= joinsOfEach; seed++) {
            const chance = makeChance(disorderMs * 1000 + seed)
            const of = { ...randomJoin(chance, join), same: false } as const
            const layout = randomLayout(chance)
            const lines = split(randomSignals(chance, 90, disorderMs))
            const run = { outOfOrdernessMs, layout }
            const expected = expectedOfSplit(lines, of, run)
            const options = {
              epochRecords: chance.pick([1, 7, 50]),
              checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
            }
            const job = splitJob(of, run)
            const found = yield* Effect.gen(function* () {
              yield* appendSplit(lines, layout)
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(20))))
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("before-epoch-commit", 1 + chance.below(20))))
              yield* runToEnd(job, options)
              const log = yield* Log
              for (const { end, start } of yield* log.bounds("meetings.between.repartition"))
                assert.strictEqual(start, end, "what was read is gone")
              return yield* placed(of)
            }).pipe(Effect.provide(placedWorld))
            assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify({ of, layout, options })}`)
            for (const result of expected.results.flatMap(([, results]) => results)) {
              met[result.includes("retracted") ? "retracted" : result.includes("-") ? "alone" : "both"]++
            }
            met.ledger += expected.ledger.length
          }
          // the comparison means little where nothing happens
          assert.isAbove(met.both, 35)
          assert.isAbove(met.alone, 50)
          if (join === "latest") assert.isAbove(met.retracted, 15)
          if (disorderMs > outOfOrdernessMs) assert.isAbove(met.ledger, 20)
          else assert.strictEqual(met.ledger, 0)
        })
      )
    }

    it.live(`${join}, inside the out-of-orderness: any order, batching and layout find the same`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= 6; seed++) {
          const chance = makeChance(seed)
          // when a row is over while its partition is silent, the others' time tells
          const of = { ...randomJoin(chance, join, join === "latest" ? [86_400_000] : [4000, 12_000]), same: false }
          // times of their own: which of two records of one time comes first is the log's order
          const lines = randomSignals(chance, 80, 0)
          const { results } = expectedOf(lines, of, outOfOrdernessMs, () => 0)
          for (const layout of [randomLayout(chance), randomLayout(chance), { bids: 1, asks: 3, between: 1 }]) {
            const delayed = split(lines).map((line) => ({ line, at: line.signal.at + chance.below(outOfOrdernessMs) }))
            const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
            const found = yield* Effect.gen(function* () {
              yield* appendSplit(shuffled, layout)
              yield* runToEnd(splitJob(of, { outOfOrdernessMs, layout }), { epochRecords: chance.pick([1, 9, 80]) })
              return yield* placed(of)
            }).pipe(Effect.provide(placedWorld))
            assert.deepStrictEqual(found, { results, ledger: [] }, `seed ${seed}: ${JSON.stringify({ of, layout })}`)
          }
        }
      })
    )
  }

  it.live("hold no more records of a key than they may, of both sides together", () =>
    Effect.gen(function* () {
      let evicted = 0
      for (let seed = 1; seed <= 12; seed++) {
        const chance = makeChance(seed)
        const of = { ...randomJoin(chance, "interval"), kind: "inner", same: false } as const
        const recordsPerKeyMax = 1 + chance.below(4)
        const layout = randomLayout(chance)
        const lines = split(randomSignals(chance, 90, chance.pick([0, 20_000])))
        const run = { outOfOrdernessMs, layout, bounds: { recordsPerKeyMax } }
        const expected = expectedOfSplit(lines, of, run, recordsPerKeyMax)
        const found = yield* Effect.gen(function* () {
          yield* appendSplit(lines, layout)
          yield* Effect.exit(runToEnd(splitJob(of, run)).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
          yield* runToEnd(splitJob(of, run))
          return yield* placed(of)
        }).pipe(Effect.provide(placedWorld))
        assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify({ of, layout })}`)
        evicted += expected.ledger.filter((entry) => entry.startsWith("evicted")).length
      }
      assert.isAbove(evicted, 40)
    })
  )
})
