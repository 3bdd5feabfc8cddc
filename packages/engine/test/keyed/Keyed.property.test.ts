/** Deduplications and rankings against a slow reference that ranks all records anew, over every order and batching. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type BidLine, Bids, bidsJob, expectedBids, foundBids, randomBids, randomBidsCase } from "../support/Bids.ts"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const placeOf = (line: BidLine) => partitionOf(line.key, Bids.partitions)
const outOfOrdernessMs = 3000
const casesOfEach = casesOf(20)

describe("deduplications and rankings", () => {
  for (const disorderMs of [0, 2900, 20_000]) {
    it.live(`over records ${disorderMs} out of order, with crashes`, () =>
      Effect.gen(function* () {
        const met = { firsts: 0, lasts: 0, tops: 0, windowTops: 0, late: 0 }
        for (let seed = 1; seed <= casesOfEach; seed++) {
          const chance = makeChance(disorderMs * 1000 + seed)
          const of = randomBidsCase(chance, outOfOrdernessMs)
          const lines = randomBids(chance, 90, disorderMs)
          const expected = expectedBids(lines, of, placeOf)
          const options = {
            epochRecords: chance.pick([1, 7, 50]),
            checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
          }
          const job = bidsJob(of)
          const found = yield* Effect.gen(function* () {
            yield* append(Bids, lines)
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("before-epoch-commit", 1 + chance.below(9))))
            yield* runToEnd(job, options)
            return yield* foundBids
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
          for (const what of Object.keys(met) as Array<keyof typeof met>) met[what] += expected[what].length
        }
        // the comparison means little where nothing happens
        const { late, ...rest } = met
        for (const [what, count] of Object.entries(rest)) assert.isAbove(count, 10 * casesOfEach, what)
        if (disorderMs > outOfOrdernessMs) assert.isAbove(late, casesOfEach)
      })
    )
  }

  it.live("inside the out-of-orderness: any order, any batching and any number of partitions come to the same", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 12; seed++) {
        const chance = makeChance(seed)
        const of = { ...randomBidsCase(chance, outOfOrdernessMs), ttlMs: 3_600_000 }
        // times of their own: which of two records of one time comes first is the log's order
        const lines = randomBids(chance, 80, 0)
        const expected = expectedBids(lines, of, placeOf)
        for (const partitions of [1, 2, 5]) {
          const delayed = lines.map((line) => ({ line, at: line.at + chance.below(outOfOrdernessMs) }))
          const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => line)
          const topic = { ...Bids, partitions }
          const found = yield* Effect.gen(function* () {
            yield* append(topic, shuffled)
            yield* runToEnd(bidsJob(of, topic), { epochRecords: chance.pick([1, 9, 80]) })
            return yield* foundBids
          }).pipe(Effect.provide(world))
          const { firsts, late, windowTops } = found
          const wanted = { firsts: expected.firsts, late: [] as ReadonlyArray<string>, windowTops: expected.windowTops }
          assert.deepStrictEqual({ firsts, late, windowTops }, wanted, `seed ${seed}, ${partitions} partitions`)
          assert.deepStrictEqual(standing(found.lasts), standing(expected.lasts))
          assert.deepStrictEqual(standing(found.tops), standing(expected.tops))
        }
      }
    })
  )
})

/** Of each key what its highest revision tells. */
const standing = (tellings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const last = new Map<string, readonly [revision: number, told: string]>()
  for (const text of tellings) {
    const [auction, key, told, revision] = text.split(" ") as [string, string, string, string]
    const before = last.get(`${auction} ${key}`)
    if (before === undefined || before[0] < Number(revision)) last.set(`${auction} ${key}`, [Number(revision), told])
  }
  return [...last].map(([key, [, told]]) => `${key} ${told}`).sort()
}
