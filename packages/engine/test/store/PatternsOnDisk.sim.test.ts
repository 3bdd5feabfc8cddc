/**
 * Patterns on disk against the oracle that those in memory are held against: with caches in which nothing or little stays, snapshots
 * of what changed, and crashes.
 */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Job } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import {
  expectedOf,
  foundOf,
  type PatternBounds,
  type PatternCase,
  randomPattern,
  randomSignals,
  type SignalLine,
  Signals,
  signalsJob,
  step
} from "../support/Sequences.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"
import { endOnDamaged, memoryFolder, on } from "../support/StateFolders.ts"

const placeOf = (line: SignalLine) => partitionOf(line.key, Signals.partitions)
const outOfOrdernessMs = 3000
const accountsCount = 12

/** Partial matches of several lengths, pending ones, conditions over earlier steps. */
const open: PatternCase = {
  steps: [
    step("s0", "a", { many: true, min: 1, max: 2 }),
    step("s1", "b", { code: true, also: "first" }),
    step("s2", "c", { how: "notFollowedBy" })
  ],
  withinMs: 19_000,
  skip: "noSkip",
  timeouts: true
}

const lines = randomSignals(makeChance(42), 150, 8000, accountsCount)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const job = (bounds: PatternBounds = {}) => signalsJob(open, outOfOrdernessMs, { cacheBytesMax: 1000, ...bounds })
const inMemory = signalsJob(open, outOfOrdernessMs)
const expected = expectedOf(lines, open, outOfOrdernessMs, placeOf)

describe("patterns on disk find what they find in memory", () => {
  it.live("over records in order and out of it, with crashes", () =>
    Effect.gen(function* () {
      const met = { matches: 0, timeouts: 0, late: 0, reads: 0 }
      for (let seed = 1; seed <= 9; seed++) {
        const chance = makeChance(seed)
        const pattern = randomPattern(chance)
        const signals = randomSignals(chance, 90, [0, 2900, 20_000][seed % 3]!, accountsCount)
        const folder = memoryFolder(chance.once(2))
        folder.fault = (call) => {
          if (call === "read") met.reads++
          return undefined
        }
        const given = {
          epochRecords: chance.pick([1, 7, 50]),
          checkpointEveryMs: chance.pick([0, 0, Number.MAX_SAFE_INTEGER]),
          snapshot: smallSnapshots
        }
        const some = signalsJob(pattern, outOfOrdernessMs, { cacheBytesMax: chance.pick([0, 2000]) })
        const wanted = expectedOf(signals, pattern, outOfOrdernessMs, placeOf)
        const found = yield* Effect.gen(function* () {
          yield* append(Signals, signals)
          for (const point of ["after-epoch-commit", "before-epoch-commit", "mid-snapshot"] as const)
            yield* Effect.exit(runToEnd(some, given).pipe(on(folder), crashAt(point, 1 + chance.below(9))))
          yield* runToEnd(some, given).pipe(on(folder))
          return yield* foundOf
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(found, wanted, `seed ${seed}: ${JSON.stringify(pattern)}`)
        assert.strictEqual(folder.files.size, 0, "files are left")
        met.matches += wanted.matches.length
        met.timeouts += wanted.timeouts.length
        met.late += wanted.late.length
      }
      // the comparison means little where nothing happens
      for (const [what, count] of Object.entries(met)) assert.isAbove(count, 10, what)
    })
  )

  atCrossings([...epochPoints, "mid-restore"], upTo(3), "finds the same once", (name, nth) =>
    Effect.gen(function* () {
      yield* append(Signals, lines)
      const folder = memoryFolder(nth % 2 === 0)
      const crossed = yield* crashTwice(job(), options, [name, nth]).pipe(on(folder))
      assert.deepStrictEqual(yield* foundOf, expected, `${name} ${nth}`)
      assert.strictEqual(folder.files.size, 0, "files are left")
      return crossed
    }).pipe(Effect.provide(world))
  )

  it.live("come back from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      assert.isAbove(Math.min(expected.matches.length, expected.timeouts.length, expected.late.length), 5)
      yield* append(Signals, lines)
      yield* runOnDeltas(job(), options).pipe(on(memoryFolder()))
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("move from memory to disk and back", () =>
    Effect.gen(function* () {
      yield* append(Signals, lines)
      yield* Effect.exit(runToEnd(inMemory, options).pipe(crashAt("after-epoch-commit", 4)))
      yield* Effect.exit(runToEnd(job(), options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 4)))
      yield* runToEnd(inMemory, options)
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("start over when a block is not what was written", () =>
    Effect.gen(function* () {
      yield* append(Signals, lines)
      assert.strictEqual(yield* endOnDamaged(10, job({ cacheBytesMax: 0 }), options), 1)
      assert.deepStrictEqual(yield* foundOf, expected)
    }).pipe(Effect.provide(world))
  )

  it.live("evict what they evict in memory, and enter it once", () =>
    Effect.gen(function* () {
      const bounds = { partialMatchesMax: 2, recordsHeldMax: 6 }
      const outcome = (some: ReturnType<typeof job>, crashes: number) =>
        Effect.gen(function* () {
          yield* append(Signals, lines)
          const folder = memoryFolder()
          for (let round = 0; round < crashes; round++)
            yield* Effect.exit(runToEnd(some, options).pipe(on(folder), crashAt("after-epoch-commit", 1 + round)))
          yield* runToEnd(some, options).pipe(on(folder))
          const entries = (yield* readAll("ledger")).map(({ value }) => value).sort()
          assert.isAbove(entries.filter((entry) => entry.includes("evicted")).length, 10)
          return { ...(yield* foundOf), entries }
        }).pipe(Effect.provide(world))
      const calm = yield* outcome(signalsJob(open, outOfOrdernessMs, bounds), 0)
      assert.deepStrictEqual(yield* outcome(job(bounds), 5), calm)
    })
  )

  it.live("show people what they show in memory", () =>
    Effect.gen(function* () {
      const stateOf = (some: ReturnType<typeof job>) =>
        Effect.gen(function* () {
          yield* append(Signals, lines)
          yield* Effect.exit(runToEnd(some, options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 4)))
          const accounts = Array.from({ length: accountsCount }, (_, index) => `A${index}`)
          return yield* Effect.forEach(accounts, (key) => Job.readState(some, key, { unmask: true }))
        }).pipe(Effect.provide(world))
      const found = yield* stateOf(job())
      assert.isAbove(found.flat().length, 3)
      assert.deepStrictEqual(found, yield* stateOf(inMemory))
    })
  )
})
