/** Jobs with state on disk: the answers of memory, whatever crashes, whatever the disk does; and no file is left. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Redacted } from "effect"
import { localStateFolder, makeStateSeal, StateFolder, StateSealing } from "../../src/index.ts"
import { accounts, accountsOnDisk, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { makeChance } from "../support/Chance.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { expectedOf, foundOf, joinJob } from "../support/Joins.ts"
import { randomSignals, type SignalLine, Signals } from "../support/Sequences.ts"
import {
  damagedAt,
  endOn,
  fullFrom,
  memoryFolder,
  type MemoryFolder,
  notWritable,
  on
} from "../support/StateFolders.ts"

const lines = paymentLines(300)
const options = { epochRecords: 20, checkpointEveryMs: 0 }

/** Runs to the end on a folder with a fault; what became of it. */
const runWith = (fault: MemoryFolder["fault"], sealed = false) =>
  Effect.gen(function* () {
    yield* append(Payments, lines)
    const folder = memoryFolder(sealed)
    folder.fault = fault
    const ended = yield* endOn(folder, accountsOnDisk, options)
    assert.deepStrictEqual([...folder.files.keys()], [], "files are left")
    return { ...ended, folder }
  })

describe("state on disk", () => {
  atCrossings(
    [...epochPoints, "mid-restore"],
    upTo(4),
    "and once more while it comes back, changes no answer",
    (name, nth) =>
      Effect.gen(function* () {
        yield* append(Payments, lines)
        const folder = memoryFolder(nth % 2 === 0)
        const crashed = yield* crashTwice(accountsOnDisk, options, [name, nth]).pipe(on(folder))
        yield* assertAnswers(lines)
        assert.strictEqual(folder.files.size, 0, "files are left")
        return crashed
      }).pipe(Effect.provide(world))
  )

  it.live("comes back from changes alone, without a snapshot", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      yield* runOnDeltas(accountsOnDisk, options).pipe(on(memoryFolder()))
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.live("moves from memory to disk and back: the log has the same", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const folder = memoryFolder()
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", 4)))
      yield* Effect.exit(runToEnd(accountsOnDisk, options).pipe(on(folder), crashAt("after-epoch-commit", 4)))
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.live("starts over from snapshot and changes when a block is not what was written, at any read", () =>
    Effect.gen(function* () {
      let damaged = 0
      for (const nth of [1, 2, 3, 5, 8, 13, 40, 90, 150]) {
        const ended = yield* Effect.gen(function* () {
          const ran = yield* runWith(damagedAt(nth), nth % 2 === 0)
          yield* assertAnswers(lines, `read ${nth}`)
          return ran
        }).pipe(Effect.provide(world))
        assert.isTrue(Exit.isSuccess(ended.exit))
        damaged += ended.damaged
      }
      assert.isAtLeast(damaged, 8)
    })
  )

  it.live("stops when the disk is full and says so; goes on when there is room", () =>
    Effect.gen(function* () {
      for (const nth of [1, 4, 30]) {
        yield* Effect.gen(function* () {
          const { exit, folder } = yield* runWith(fullFrom(nth))
          assert.propertyVal(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, "reason", "StoreRefused")
          assert.include(String(exit), "no room")
          folder.fault = () => undefined
          yield* runToEnd(accountsOnDisk, options).pipe(on(folder))
          yield* assertAnswers(lines)
        }).pipe(Effect.provide(world))
      }
    })
  )

  it.live("stops before the first record without a folder, or where it may not write", () =>
    Effect.gen(function* () {
      const { exit } = yield* runWith(notWritable)
      assert.include(String(exit), "no right to write")
      const without = yield* Effect.exit(runToEnd(accountsOnDisk, options))
      assert.include(
        String(without),
        "job accounts: the state of totals is kept on disk, and there is no folder for it. Provide a StateFolder"
      )
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.live("of joins, too: stops when the disk is full, or without a folder, and goes on when there is one", () =>
    Effect.gen(function* () {
      const timing = { outOfOrdernessMs: 2000 }
      const common = { latenessMs: 0, same: false, coded: false, expressions: false, kind: "full" } as const
      for (const of of [
        { ...common, join: "interval", lowerMs: -3000, upperMs: 4000 },
        { ...common, join: "latest", ttlMs: 9000 }
      ] as const) {
        yield* Effect.gen(function* () {
          const signals = randomSignals(makeChance(7), 90, 0)
          const job = joinJob(of, { ...timing, cacheBytesMax: 1000 })
          yield* append(Signals, signals)
          const without = yield* Effect.exit(runToEnd(job, options))
          assert.include(String(without), "the state of meeting is kept on disk, and there is no folder for it")
          const folder = memoryFolder(true)
          folder.fault = fullFrom(9)
          assert.include(String(yield* Effect.exit(runToEnd(job, options).pipe(on(folder)))), "no room")
          assert.deepStrictEqual([...folder.files.keys()], [], "files are left")
          folder.fault = () => undefined
          yield* runToEnd(job, options).pipe(on(folder))
          const placeOf = ({ key }: SignalLine) => partitionOf(key, Signals.partitions)
          assert.deepStrictEqual(yield* foundOf(of), expectedOf(signals, of, timing.outOfOrdernessMs, placeOf))
        }).pipe(Effect.provide(world))
      }
    })
  )

  it.live("lies in the data directory, goes with the job, and what a killed one left is swept", () =>
    Effect.gen(function* () {
      const root = mkdtempSync(join(tmpdir(), "frazil-state-"))
      yield* append(Payments, lines)
      const local = Effect.provideService(runToEnd(accountsOnDisk, options), StateFolder, localStateFolder(root))
      const left = join(root, "accounts", "payments", "0")
      localStateFolder(root)
        .make("accounts/payments/0/killed-0/totals")
        .create("1.segment")
        .append(new Uint8Array(9), 9)
      assert.deepStrictEqual(readdirSync(left), ["killed-0"])
      yield* local
      yield* assertAnswers(lines)
      assert.deepStrictEqual(readdirSync(left), [])
      rmSync(root, { recursive: true })
    }).pipe(Effect.provide(world))
  )

  it.live("is sealed when state is encrypted at rest", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      for (const encrypted of [false, true]) {
        const folder = memoryFolder()
        let clear = false
        folder.fault = (call) => {
          if (call === "read")
            for (const bytes of folder.files.values()) clear ||= Buffer.from(bytes).includes('"count":')
          return undefined
        }
        const key = Redacted.make(new Uint8Array(32).fill(7))
        const ran = runToEnd(accountsOnDisk, options).pipe(on(folder), crashAt("after-epoch-commit", 4))
        yield* Effect.exit(
          encrypted ? Effect.provideService(ran, StateSealing, makeStateSeal({ key, older: [] })) : ran
        )
        assert.strictEqual(clear, !encrypted)
      }
    }).pipe(Effect.provide(world))
  )

  it("says what is wrong with a folder on disk", () => {
    const root = mkdtempSync(join(tmpdir(), "frazil-state-"))
    writeFileSync(join(root, "file"), "")
    assert.throws(() => localStateFolder(join(root, "file")).make("s"), /cannot be written: give the program the right/)
    const folder = localStateFolder(root)
    const file = folder.make("s").create("1.segment")
    file.append(new Uint8Array(3), 3)
    assert.throws(() => file.read(new Uint8Array(4), 4, 0), /is shorter than it was written/)
    file.discard()
    assert.deepStrictEqual(readdirSync(join(root, "s")), [])
    rmSync(root, { recursive: true })
  })
})
