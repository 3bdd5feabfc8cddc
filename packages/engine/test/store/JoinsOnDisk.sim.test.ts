/**
 * Joins on disk against the oracle that those in memory are held against: with caches in which nothing or little stays, snapshots
 * of what changed, and crashes.
 */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Job } from "../../src/index.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, type JoinCase, joinJob, randomJoin } from "../support/Joins.ts"
import { randomSignals, type SignalLine, Signals } from "../support/Sequences.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"
import { endOnDamaged, memoryFolder, on } from "../support/StateFolders.ts"

const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const outOfOrdernessMs = 3000
const joinsOfEach = 5
const kinds = ["interval", "asOf", "latest"] as const

/** Runs to the end over three crashes, with a folder whose reads are counted. */
const runOnDisk = <R>(job: Job.Job<string, R>, chance: Chance) =>
  Effect.gen(function* () {
    const folder = memoryFolder(chance.once(2))
    let reads = 0
    folder.fault = (call) => {
      if (call === "read") reads++
      return undefined
    }
    const options = {
      epochRecords: chance.pick([1, 7, 50]),
      checkpointEveryMs: chance.pick([0, 0, Number.MAX_SAFE_INTEGER]),
      snapshot: smallSnapshots
    }
    for (const point of ["after-epoch-commit", "before-epoch-commit", "mid-snapshot"] as const)
      yield* Effect.exit(runToEnd(job, options).pipe(on(folder), crashAt(point, 1 + chance.below(9))))
    yield* runToEnd(job, options).pipe(on(folder))
    assert.strictEqual(folder.files.size, 0, "files are left")
    return reads
  })

describe("joins on disk tell what they tell in memory", () => {
  for (const join of kinds) {
    it.live(`${join} over records in order and out of it, bounded or not`, () =>
      Effect.gen(function* () {
        const met = { results: 0, ledger: 0, reads: 0 }
        for (let seed = 1; seed <= joinsOfEach; seed++) {
          const chance = makeChance(seed)
          const of = randomJoin(chance, join)
          const lines = randomSignals(chance, 90, [0, 2900, 20_000][seed % 3]!)
          // the oracle knows bounds of inner interval joins
          const bounded = of.join === "interval" && of.kind === "inner"
          const recordsPerKeyMax = bounded ? 1 + chance.below(4) : undefined
          const expected = expectedOf(lines, of, outOfOrdernessMs, placeOf, recordsPerKeyMax)
          const bounds = recordsPerKeyMax === undefined ? {} : { bounds: { recordsPerKeyMax } }
          const job = joinJob(of, { outOfOrdernessMs, cacheBytesMax: chance.pick([0, 2000]), ...bounds })
          const [found, reads] = yield* Effect.gen(function* () {
            yield* append(Signals, lines)
            const reads = yield* runOnDisk(job, chance)
            return [yield* foundOf(of), reads] as const
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
          met.results += expected.results.flatMap(([, results]) => results).length
          met.ledger += expected.ledger.length
          met.reads += reads
        }
        // the comparison means little where nothing happens
        for (const [what, count] of Object.entries(met)) assert.isAbove(count, 30, what)
      })
    )
  }
})

const common = { latenessMs: 1000, same: false, coded: false, expressions: false }
/** Everything that state may hold: matched and unmatched records of both sides, versions, deletions, rows. */
const cases: ReadonlyArray<JoinCase> = [
  { ...common, expressions: true, join: "interval", kind: "full", lowerMs: -3000, upperMs: 4000 },
  { ...common, join: "asOf", kind: "left", ttlMs: 6000, coded: true },
  { ...common, join: "latest", kind: "left", ttlMs: 9000 }
]
const lines = randomSignals(makeChance(42), 120, 8000)
const expectedIn = (of: JoinCase) => expectedOf(lines, of, outOfOrdernessMs, placeOf)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const onDisk = (of: JoinCase) => joinJob(of, { outOfOrdernessMs, cacheBytesMax: 1000 })

describe("a job with a join on disk", () => {
  atCrossings([...epochPoints, "mid-restore"], upTo(3), "finds the same once", (name, nth) =>
    Effect.gen(function* () {
      const of = cases[nth % 3]!
      yield* append(Signals, lines)
      const folder = memoryFolder(nth % 2 === 0)
      const crossed = yield* crashTwice(onDisk(of), options, [name, nth]).pipe(on(folder))
      assert.deepStrictEqual(yield* foundOf(of), expectedIn(of), `${of.join} ${name} ${nth}`)
      assert.strictEqual(folder.files.size, 0, "files are left")
      return crossed
    }).pipe(Effect.provide(world))
  )

  for (const of of cases) {
    it.live(`${of.join} comes back from deltas alone, without any snapshot`, () =>
      Effect.gen(function* () {
        yield* append(Signals, lines)
        yield* runOnDeltas(onDisk(of), options).pipe(on(memoryFolder()))
        assert.deepStrictEqual(yield* foundOf(of), expectedIn(of))
      }).pipe(Effect.provide(world))
    )

    it.live(`${of.join} moves from memory to disk and back`, () =>
      Effect.gen(function* () {
        yield* append(Signals, lines)
        const inMemory = joinJob(of, { outOfOrdernessMs })
        yield* Effect.exit(runToEnd(inMemory, options).pipe(crashAt("after-epoch-commit", 4)))
        yield* Effect.exit(runToEnd(onDisk(of), options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 4)))
        yield* runToEnd(inMemory, options)
        assert.deepStrictEqual(yield* foundOf(of), expectedIn(of))
      }).pipe(Effect.provide(world))
    )

    it.live(`${of.join} starts over when a block is not what was written`, () =>
      Effect.gen(function* () {
        yield* append(Signals, lines)
        assert.strictEqual(yield* endOnDamaged(20, onDisk(of), options), 1)
        assert.deepStrictEqual(yield* foundOf(of), expectedIn(of))
      }).pipe(Effect.provide(world))
    )

    it.live(`${of.join} shows people what it shows in memory`, () =>
      Effect.gen(function* () {
        const stateOf = (job: ReturnType<typeof joinJob>) =>
          Effect.gen(function* () {
            yield* append(Signals, lines)
            yield* Effect.exit(runToEnd(job, options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 2)))
            return yield* Effect.forEach(["A0", "A1", "A2", "A3"], (key) => Job.readState(job, key, { unmask: true }))
          }).pipe(Effect.provide(world))
        const found = yield* stateOf(onDisk(of))
        assert.isAbove(found.flat().length, 1)
        assert.deepStrictEqual(found, yield* stateOf(joinJob(of, { outOfOrdernessMs })))
      })
    )
  }
})
