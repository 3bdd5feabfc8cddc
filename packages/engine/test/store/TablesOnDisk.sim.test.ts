/**
 * Joins with tables on disk against the oracle that those in memory are held against: with caches in which nothing or little stays,
 * snapshots of what changed, and crashes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import {
  assertChecks,
  CheckedOrders,
  checkedJob,
  checking,
  checks,
  limitLine,
  Limits,
  orderLine,
  Orders,
  randomRound,
  type Round
} from "../support/Limits.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"
import { endOnDamaged, memoryFolder, on } from "../support/StateFolders.ts"

const options = { epochRecords: 7, checkpointEveryMs: 0, snapshot: smallSnapshots }
const customersCount = 40
const customers = Array.from({ length: customersCount }, (_, index) => `C${index}`)

const roundsOf = (chance: Chance, count: number): ReadonlyArray<Round> =>
  Array.from({ length: count }, (_, index) => randomRound(chance, index * 1000, 60, customersCount))

const appendRound = ({ orders, rows }: Round) => Effect.andThen(append(Limits, rows), append(Orders, orders))

const rounds = roundsOf(makeChance(11), 1)
const appended = Effect.forEach(rounds, appendRound)

describe("a join with a table on disk", () => {
  it.live("takes the rows that one in memory takes, over changes, deletions and crashes", () =>
    Effect.gen(function* () {
      let reads = 0
      for (let seed = 1; seed <= 4; seed++) {
        const chance = makeChance(seed)
        const some = roundsOf(chance, 3)
        const folder = memoryFolder(seed % 2 === 0)
        folder.fault = (call) => {
          if (call === "read") reads++
          return undefined
        }
        const job = checking(chance.pick([0, 2000]))
        const given = { ...options, checkpointEveryMs: chance.pick([0, 0, Number.MAX_SAFE_INTEGER]) }
        yield* Effect.gen(function* () {
          for (const round of some) {
            yield* appendRound(round)
            for (const point of ["after-epoch-commit", "before-epoch-commit", "mid-snapshot"] as const)
              yield* Effect.exit(runToEnd(job, given).pipe(on(folder), crashAt(point, 1 + chance.below(6))))
            yield* runToEnd(job, given).pipe(on(folder))
          }
          yield* assertChecks(some, `seed ${seed}`)
        }).pipe(Effect.provide(world))
        assert.strictEqual(folder.files.size, 0, "files are left")
      }
      assert.isAbove(reads, 200)
    })
  )

  atCrossings(
    [...epochPoints, "mid-restore"],
    upTo(3),
    "joins each record once, with the row that was there",
    (name, nth) =>
      Effect.gen(function* () {
        yield* appended
        const folder = memoryFolder(nth % 2 === 0)
        const crossed = yield* crashTwice(checking(1000), { epochRecords: 7, checkpointEveryMs: 0 }, [name, nth]).pipe(
          on(folder)
        )
        yield* assertChecks(rounds, `${name} ${nth}`)
        assert.strictEqual(folder.files.size, 0, "files are left")
        return crossed
      }).pipe(Effect.provide(world))
  )

  it.live("comes back from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      yield* appended
      yield* runOnDeltas(checking(1000), options).pipe(on(memoryFolder()))
      yield* assertChecks(rounds, "from deltas")
    }).pipe(Effect.provide(world))
  )

  it.live("moves from memory to disk and back", () =>
    Effect.gen(function* () {
      yield* appended
      yield* Effect.exit(runToEnd(checkedJob, options).pipe(crashAt("after-epoch-commit", 3)))
      yield* Effect.exit(runToEnd(checking(0), options).pipe(on(memoryFolder()), crashAt("after-epoch-commit", 6)))
      yield* runToEnd(checkedJob, options)
      yield* assertChecks(rounds, "moved")
    }).pipe(Effect.provide(world))
  )

  it.live("starts over when a block is not what was written", () =>
    Effect.gen(function* () {
      yield* appended
      assert.strictEqual(yield* endOnDamaged(20, checking(0), options), 1)
      yield* assertChecks(rounds, "damaged")
    }).pipe(Effect.provide(world))
  )

  it.live("stops without a folder, and says of which table", () =>
    Effect.gen(function* () {
      yield* appended
      const failure = yield* Effect.flip(runToEnd(checking(0), options))
      assert.propertyVal(failure, "reason", "StoreRefused")
      assert.include(failure.message, "the state of table(limits) is kept on disk")
    }).pipe(Effect.provide(world))
  )

  it.live("shows people what it shows in memory", () =>
    Effect.gen(function* () {
      const stateOf = (job: ReturnType<typeof checking>) =>
        Effect.gen(function* () {
          yield* appended
          yield* runToEnd(job, options).pipe(on(memoryFolder()))
          return yield* Effect.forEach(customers, (key) => Job.readState(job, key, { unmask: true }))
        }).pipe(Effect.provide(world))
      const found = yield* stateOf(checking(0))
      assert.isAbove(found.flat().length, 10)
      assert.deepStrictEqual(
        found.map((all) => all.map(({ operator, state }) => [operator, state])),
        (yield* stateOf(checkedJob)).map((all) => all.map(({ operator, state }) => [operator, state]))
      )
    })
  )

  it.live("is read from its first record when the job takes more of it", () =>
    Effect.gen(function* () {
      const folder = memoryFolder()
      const without = Job.make("checked-orders", [Flow.from(Orders).pipe(Flow.to(CheckedOrders))])
      yield* append(Limits, [limitLine("C1", "1.5", "gold"), limitLine("C2", "3.5")])
      const versions = [checking(0, ["limit"]), checking(0), without, checking(0, ["segment"]), checking(0)]
      for (const [index, version] of versions.entries()) {
        yield* append(Orders, [orderLine(index, "C1")])
        yield* runToEnd(version, { checkpointEveryMs: 0 }).pipe(on(folder))
      }
      assert.deepStrictEqual(yield* checks, [
        "o0 1.5 null",
        "o1 1.5 gold",
        "o2 null null",
        "o3 null gold",
        "o4 1.5 gold"
      ])
      assert.strictEqual(folder.files.size, 0, "files are left")
    }).pipe(Effect.provide(world))
  )
})
