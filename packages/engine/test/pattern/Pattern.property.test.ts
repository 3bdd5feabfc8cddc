/** Random patterns against a slow reference that recomputes every match from all records: any order, batching, restart. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import {
  expectedOf,
  foundOf,
  randomPattern,
  randomSignals,
  type SignalLine,
  Signals,
  signalsJob
} from "../support/Sequences.ts"

const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const outOfOrdernessMs = 3000
const patternsOfEach = casesOf(30)

describe("patterns", () => {
  for (const disorderMs of [0, 2900, 20_000]) {
    it.live(`over records ${disorderMs} out of order, with crashes`, () =>
      Effect.gen(function* () {
        const met = { matches: 0, timeouts: 0, late: 0, skipping: 0 }
        for (let seed = 1; seed <= patternsOfEach; seed++) {
          const chance = makeChance(disorderMs * 1000 + seed)
          const pattern = randomPattern(chance)
          const lines = randomSignals(chance, 90, disorderMs)
          const expected = expectedOf(lines, pattern, outOfOrdernessMs, placeOf)
          if (disorderMs <= outOfOrdernessMs) assert.strictEqual(expected.late.length, 0)
          const options = {
            epochRecords: chance.pick([1, 7, 50]),
            checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
          }
          const job = signalsJob(pattern, outOfOrdernessMs)
          const found = yield* Effect.gen(function* () {
            yield* append(Signals, lines)
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("before-epoch-commit", 1 + chance.below(9))))
            yield* runToEnd(job, options)
            return yield* foundOf
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(pattern)}`)
          met.matches += expected.matches.length
          met.timeouts += expected.timeouts.length
          met.late += expected.late.length
          if (pattern.skip !== "noSkip") met.skipping += expected.matches.length
        }
        // the comparison means little where nothing happens
        assert.isAbove(met.matches, 3 * patternsOfEach)
        assert.isAbove(met.skipping, 0.8 * patternsOfEach)
        assert.isAbove(met.timeouts, 0.8 * patternsOfEach)
        if (disorderMs > outOfOrdernessMs) assert.isAbove(met.late, 0.8 * patternsOfEach)
      })
    )
  }

  it.live("inside the out-of-orderness: any order, any batching and any number of partitions find the same", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 12; seed++) {
        const chance = makeChance(seed)
        const pattern = randomPattern(chance)
        // times of their own: which of two records of one time comes first is the log's order
        const lines = randomSignals(chance, 80, 0)
        const { matches } = expectedOf(lines, pattern, outOfOrdernessMs, placeOf)
        for (const partitions of [1, 2, 5]) {
          const delayed = lines.map((line) => ({ line, at: line.at + chance.below(outOfOrdernessMs) }))
          const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
          const topic = { ...Signals, partitions }
          const found = yield* Effect.gen(function* () {
            yield* append(topic, shuffled)
            yield* runToEnd(signalsJob(pattern, outOfOrdernessMs, {}, topic), { epochRecords: chance.pick([1, 9, 80]) })
            return yield* foundOf
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found.matches, matches, `seed ${seed}, ${partitions} partitions`)
          assert.deepStrictEqual(found.late, [])
        }
      }
    })
  )
})
