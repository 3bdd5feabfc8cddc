/**
 * Process functions, deduplications and rankings with state on disk, against the slow references that those in memory are held
 * against: with caches in which little stays, snapshots of what changed, and crashes.
 */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Job, StateFolder } from "../../src/index.ts"
import { Bids, bidsJob, expectedBids, foundBids, randomBids, randomBidsCase } from "../support/Bids.ts"
import { cartsJob, expectedCarts, foundCarts, randomCarts, randomTouches, Touches } from "../support/Carts.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"
import { memoryFolder } from "../support/StateFolders.ts"

const outOfOrdernessMs = 3000
const cases = 6
const timeoutMs = 120_000
const disordersMs = [0, 2900, 20_000]

/** Runs to the end over three crashes; how often something was read from disk. */
const runOnDisk = <R>(job: Job.Job<string, R>, chance: Chance, sealed: boolean) =>
  Effect.gen(function* () {
    const folder = memoryFolder(sealed)
    let reads = 0
    folder.fault = (call) => {
      if (call === "read") reads++
      return undefined
    }
    const options = {
      epochRecords: chance.pick([1, 4, 9]),
      checkpointEveryMs: chance.pick([0, 0, Number.MAX_SAFE_INTEGER]),
      snapshot: smallSnapshots
    }
    const on = Effect.provideService(StateFolder, folder)
    for (const point of ["after-epoch-commit", "before-epoch-commit", "mid-snapshot"] as const)
      yield* Effect.exit(runToEnd(job, options).pipe(on, crashAt(point, 1 + chance.below(9))))
    yield* runToEnd(job, options).pipe(on)
    assert.strictEqual(folder.files.size, 0, "files are left")
    return reads
  })

describe("on disk", () => {
  it.live(
    "process functions tell what they tell in memory",
    () =>
      Effect.gen(function* () {
        const met = { paid: 0, fired: 0, letters: 0, reads: 0 }
        for (let seed = 1; seed <= cases; seed++) {
          const chance = makeChance(seed)
          const of = { ...randomCarts(chance, outOfOrdernessMs), cacheBytesMax: chance.pick([0, 600, 2000]) }
          const lines = randomTouches(chance, 90, disordersMs[seed % disordersMs.length]!)
          const topic = { ...Touches, partitions: chance.pick([1, 3]) }
          const expected = expectedCarts(lines, of, (line) => partitionOf(line.key, topic.partitions))
          const [found, reads] = yield* Effect.gen(function* () {
            yield* append(topic, lines)
            const reads = yield* runOnDisk(cartsJob(of, topic), chance, seed % 2 === 0)
            return [yield* foundCarts, reads] as const
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
          const told = Object.values(expected.told).flat()
          met.paid += told.filter((text) => text.startsWith("paid")).length
          met.fired += told.filter((text) => text.startsWith("event")).length
          met.letters += expected.letters
          met.reads += reads
        }
        // the comparison means little where nothing happens
        for (const [what, count] of Object.entries(met)) assert.isAbove(count, 30, what)
      }),
    timeoutMs
  )

  it.live(
    "deduplications and rankings tell what they tell in memory",
    () =>
      Effect.gen(function* () {
        const met = { firsts: 0, lasts: 0, tops: 0, late: 0, reads: 0 }
        for (let seed = 1; seed <= cases; seed++) {
          const chance = makeChance(seed)
          const of = { ...randomBidsCase(chance, outOfOrdernessMs), cacheBytesMax: chance.pick([0, 600, 2000]) }
          const lines = randomBids(chance, 90, disordersMs[seed % disordersMs.length]!)
          const topic = { ...Bids, partitions: chance.pick([1, 3]) }
          const expected = expectedBids(lines, of, (line) => partitionOf(line.key, topic.partitions))
          const [found, reads] = yield* Effect.gen(function* () {
            yield* append(topic, lines)
            const reads = yield* runOnDisk(bidsJob(of, topic), chance, seed % 2 === 0)
            return [yield* foundBids, reads] as const
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
          for (const what of ["firsts", "lasts", "tops", "late"] as const) met[what] += expected[what].length
          met.reads += reads
        }
        const { late, ...rest } = met
        for (const [what, count] of Object.entries(rest)) assert.isAbove(count, 30, what)
        assert.isAbove(late, 5)
      }),
    timeoutMs
  )
})
