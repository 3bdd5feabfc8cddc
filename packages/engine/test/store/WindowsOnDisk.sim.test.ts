/**
 * Windows on disk against the slow reference that those in memory are held against: with caches in which nothing or little stays,
 * snapshots of what changed, and crashes.
 */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Job } from "../../src/index.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"
import { endOnDamaged, memoryFolder, on } from "../support/StateFolders.ts"
import {
  expectedOf,
  foundOf,
  randomTrades,
  type Timing,
  timings,
  type TradeLine,
  Trades,
  tradesJob
} from "../support/Trades.ts"
import { expectedVisits, foundVisits, visitsJob, visitTimings } from "../support/Visits.ts"

const placeOf = (line: TradeLine) => partitionOf(line.key, Trades.partitions)
const onDisk = (timing: Timing, cacheBytesMax: number) => tradesJob(timing, Trades, { disk: { cacheBytesMax } })

/** Runs to the end over three crashes, with a folder whose reads are counted; what is found then. */
const runOnDisk = <R, A, E, S>(
  make: (cacheBytesMax: number) => Job.Job<string, R>,
  lines: ReadonlyArray<TradeLine>,
  chance: Chance,
  found: Effect.Effect<A, E, S>
) =>
  Effect.gen(function* () {
    const folder = memoryFolder(chance.once(2))
    let reads = 0
    folder.fault = (call) => {
      if (call === "read") reads++
      return undefined
    }
    const job = make(chance.pick([0, 3000]))
    const options = {
      epochRecords: chance.pick([1, 7, 50]),
      checkpointEveryMs: chance.pick([0, 0, Number.MAX_SAFE_INTEGER]),
      snapshot: smallSnapshots
    }
    yield* append(Trades, lines)
    for (const point of ["after-epoch-commit", "before-epoch-commit", "mid-snapshot"] as const)
      yield* Effect.exit(runToEnd(job, options).pipe(on(folder), crashAt(point, 1 + chance.below(9))))
    yield* runToEnd(job, options).pipe(on(folder))
    assert.strictEqual(folder.files.size, 0, "files are left")
    return { reads, found: yield* found }
  })

/** Two of them for each kind. */
const disordersMs = [
  [14_000, 60_000],
  [0, 14_000],
  [0, 60_000]
] as const

describe("windows on disk tell what they tell in memory", () => {
  for (const [index, timing] of timings.entries()) {
    const { earlyMs, everyMs, latenessMs, rolling, sizeMs } = timing
    const kind = `${rolling === true ? "rolling " : ""}${earlyMs === undefined ? "" : `early ${earlyMs} `}`
    it.live(`${kind}${sizeMs} every ${everyMs}, ${latenessMs} late`, () =>
      Effect.gen(function* () {
        let all = 0
        for (const disorderMs of disordersMs[index % disordersMs.length]!) {
          const chance = makeChance(index * 1000 + disorderMs)
          const lines = randomTrades(chance, 120, disorderMs)
          const ran = runOnDisk((cacheBytesMax) => onDisk(timing, cacheBytesMax), lines, chance, foundOf)
          const { found, reads } = yield* ran.pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expectedOf(lines, timing, placeOf), `${disorderMs} out of order`)
          all += reads
        }
        assert.isAbove(all, 100)
      })
    )
  }

  for (const [index, timing] of visitTimings.entries()) {
    const { gapMs, latenessMs, maxMs } = timing
    it.live(`sessions of ${gapMs}, at most ${maxMs}, ${latenessMs} late`, () =>
      Effect.gen(function* () {
        let all = 0
        for (const disorderMs of disordersMs[index % disordersMs.length]!) {
          const chance = makeChance(index * 1000 + disorderMs)
          const lines = randomTrades(chance, 120, disorderMs)
          const make = (cacheBytesMax: number) => visitsJob(timing, Trades, { disk: { cacheBytesMax } })
          const { found, reads } = yield* runOnDisk(make, lines, chance, foundVisits).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expectedVisits(lines, timing, placeOf), `${disorderMs} out of order`)
          all += reads
        }
        assert.isAbove(all, 100)
      })
    )
  }
})

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const lines = randomTrades(makeChance(42), 150, 60_000)
const expected = expectedOf(lines, timing, placeOf)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const job = onDisk(timing, 1000)

describe("a job with windows on disk", () => {
  atCrossings([...epochPoints, "mid-restore"], upTo(2), "gives the same results once", (name, nth) =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      const folder = memoryFolder(nth % 2 === 0)
      const crossed = yield* crashTwice(job, options, [name, nth]).pipe(on(folder))
      assert.deepStrictEqual(yield* foundOf, expected, `${name}, crossing ${nth}`)
      assert.strictEqual(folder.files.size, 0, "files are left")
      return crossed
    }).pipe(Effect.provide(world))
  )

  it.live("comes back from deltas alone", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      yield* runOnDeltas(job, options).pipe(on(memoryFolder()))
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("moves from memory to disk and back", () =>
    Effect.gen(function* () {
      yield* append(Trades, lines)
      const inMemory = tradesJob(timing)
      yield* Effect.exit(runToEnd(inMemory, options).pipe(crashAt("after-epoch-commit", 4)))
      yield* Effect.exit(runToEnd(job, options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 4)))
      yield* runToEnd(inMemory, options)
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("starts over when a block is not what was written", () =>
    Effect.gen(function* () {
      for (const nth of [1, 40]) {
        yield* Effect.gen(function* () {
          yield* append(Trades, lines)
          assert.strictEqual(yield* endOnDamaged(nth, job, options), 1, `read ${nth}`)
          assert.deepStrictEqual(yield* foundOf, expected, `read ${nth}`)
        }).pipe(Effect.provide(world))
      }
    })
  )

  it.live("shows people what it shows in memory", () =>
    Effect.gen(function* () {
      const stateOf = (of: typeof job) =>
        Effect.gen(function* () {
          yield* append(Trades, lines)
          yield* Effect.exit(runToEnd(of, options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 2)))
          return yield* Effect.forEach(["A0", "A1", "A2", "A3"], (key) => Job.readState(of, key, { unmask: true }))
        }).pipe(Effect.provide(world))
      const found = yield* stateOf(job)
      assert.isAbove(found.flat().length, 1)
      assert.deepStrictEqual(found, yield* stateOf(tradesJob(timing)))
    })
  )
})
