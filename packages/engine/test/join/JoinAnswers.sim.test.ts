/** Random joins against a slow reference that recomputes every result from all records: any order, batching, restart. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, joinJob, randomJoin } from "../support/Joins.ts"
import { randomSignals, type SignalLine, Signals } from "../support/Sequences.ts"

const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const outOfOrdernessMs = 3000
const joinsOfEach = 40
const kinds = ["interval", "asOf", "latest"] as const

describe("joins", () => {
  it.live("hold no more records of a key than they may: one more meets those that are there, and is evicted", () =>
    Effect.gen(function* () {
      let evicted = 0
      for (let seed = 1; seed <= joinsOfEach; seed++) {
        const chance = makeChance(seed)
        const of = { ...randomJoin(chance, "interval"), kind: "inner" } as const
        const recordsPerKeyMax = 1 + chance.below(4)
        const lines = randomSignals(chance, 90, chance.pick([0, 20_000]))
        const expected = expectedOf(lines, of, outOfOrdernessMs, placeOf, recordsPerKeyMax)
        const job = joinJob(of, { outOfOrdernessMs, bounds: { recordsPerKeyMax } })
        const found = yield* Effect.gen(function* () {
          yield* append(Signals, lines)
          yield* Effect.exit(runToEnd(job).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
          yield* runToEnd(job)
          return yield* foundOf(of)
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
        evicted += expected.ledger.filter((entry) => entry.startsWith("evicted")).length
      }
      assert.isAbove(evicted, 200)
    })
  )

  for (const join of kinds) {
    for (const disorderMs of [0, 2900, 20_000]) {
      it.live(`${join} over records ${disorderMs} out of order, with crashes`, () =>
        Effect.gen(function* () {
          const met = { both: 0, alone: 0, retracted: 0, late: 0, dropped: 0 }
          for (let seed = 1; seed <= joinsOfEach; seed++) {
            const chance = makeChance(disorderMs * 1000 + seed)
            const of = randomJoin(chance, join)
            const lines = randomSignals(chance, 90, disorderMs)
            const expected = expectedOf(lines, of, outOfOrdernessMs, placeOf)
            if (disorderMs <= outOfOrdernessMs) assert.strictEqual(expected.ledger.length, 0)
            const options = {
              epochRecords: chance.pick([1, 7, 50]),
              checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
            }
            const job = joinJob(of, { outOfOrdernessMs })
            const found = yield* Effect.gen(function* () {
              yield* append(Signals, lines)
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
              yield* Effect.exit(runToEnd(job, options).pipe(crashAt("before-epoch-commit", 1 + chance.below(9))))
              yield* runToEnd(job, options)
              return yield* foundOf(of)
            }).pipe(Effect.provide(world))
            assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
            for (const result of expected.results.flatMap(([, results]) => results)) {
              met[result.includes("retracted") ? "retracted" : result.includes("-") ? "alone" : "both"]++
            }
            for (const entry of expected.ledger) met[entry.startsWith("late") ? "late" : "dropped"]++
          }
          // the comparison means little where nothing happens
          assert.isAbove(met.both, 100)
          assert.isAbove(met.alone, 150)
          if (join === "latest") assert.isAbove(met.retracted, 50)
          if (disorderMs > outOfOrdernessMs) {
            assert.isAbove(met.late, 80)
            if (join !== "interval") assert.isAbove(met.dropped, 30)
          }
        })
      )
    }

    it.live(`${join}, inside the out-of-orderness: any order, batching and number of partitions find the same`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= 12; seed++) {
          const chance = makeChance(seed)
          // when a row is over while its partition is silent, the others' time tells
          const of = randomJoin(chance, join, join === "latest" ? [86_400_000] : [4000, 12_000])
          // times of their own: which of two records of one time comes first is the log's order
          const lines = randomSignals(chance, 80, 0)
          const { results } = expectedOf(lines, of, outOfOrdernessMs, placeOf)
          for (const partitions of [1, 2, 5]) {
            const delayed = lines.map((line) => ({ line, at: line.at + chance.below(outOfOrdernessMs) }))
            const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
            const topic = { ...Signals, partitions }
            const found = yield* Effect.gen(function* () {
              yield* append(topic, shuffled)
              const job = joinJob(of, { outOfOrdernessMs, topic })
              yield* runToEnd(job, { epochRecords: chance.pick([1, 9, 80]) })
              return yield* foundOf(of)
            }).pipe(Effect.provide(world))
            assert.deepStrictEqual(found, { results, ledger: [] }, `seed ${seed}, ${partitions} partitions`)
          }
        }
      })
    )
  }
})
