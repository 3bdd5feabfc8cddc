/** A checkpoint store that is out of reach: no record waits for it, and what it missed comes with later snapshots. */
import { StorageError } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { CheckpointStore, Job, Log } from "../../src/index.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { crashAt, eventually, hurried, onStore } from "../support/Faults.ts"
import { append, type Line, runToEnd, world } from "../support/Harness.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"

const options = { epochRecords: 10, checkpointEveryMs: 0, snapshot: smallSnapshots }
const ids = [0, 1, 2].map((shard) => ({ uid: "accounts", stage: "payments", shard }))

const refusing = (reason: StorageError["reason"], message: string) => (uri: string) =>
  Effect.fail(new StorageError({ reason, uri, message }))
const away = refusing("Unavailable", "the store is away")

/** Epochs of the newest snapshots in force. */
const snapshotEpochs = Effect.gen(function* () {
  const log = yield* Log
  const records = yield* Effect.forEach(ids, log.inForce)
  return records.map((record) => record?.snapshots[0]?.epoch ?? 0)
})

const payments = (accounts: ReadonlyArray<number>, from: number): ReadonlyArray<Line> =>
  accounts.map((account, index) => {
    const [key, id] = [`S${account}`, `p${from + index}`]
    const at = new Date(Date.UTC(2026, 0, 14) + (from + index) * 1000).toISOString()
    return { key, value: JSON.stringify({ id, account: key, cents: index, at }) }
  })

const all = Array.from({ length: 60 }, (_, account) => account)
/** What a base holds. */
const first = payments(all, 0)
/** One account after the other: an increment holds a few. */
const inTurn = payments(all, first.length)
/** What was missed of an account shows in its next total. */
const onceMore = payments(all, first.length + inTurn.length)
/** A base of one part, and increments after it. */
const increments = {
  ...smallSnapshots,
  sliceEntriesMax: 100,
  pieceEntriesMax: 100,
  partBytesMax: 10_000,
  incrementsMax: 100
}

const starting = (starts: { count: number }) => ({ started: () => void starts.count++ })

describe("a job whose checkpoint store is away", () => {
  it.effect("goes on without starting over, says why, and has snapshots again once it is back", () =>
    Effect.gen(function* () {
      const starts = { count: 0 }
      const monitor = Job.monitor()
      const observer: Job.TaskObserver = {
        ...monitor,
        started: (plan, shards) => {
          starts.count++
          monitor.started(plan, shards)
        }
      }
      let isAway = false
      let missed = 0
      const store = onStore(({ writeNew }) => ({
        writeNew: (name, bytes) => {
          if (!isAway) return writeNew(name, bytes)
          missed++
          return away(name)
        }
      }))
      const running = yield* Effect.forkChild(
        Job.run(accounts, { ...options, epochMs: 20, observer, bounded: false }).pipe(store)
      )
      const problem = Effect.sync(() => monitor.status()[0]?.problem)
      const taken = (count: number) => Effect.sync(() => monitor.status()[0]?.in === count)
      yield* append(Payments, paymentLines(60))
      yield* eventually(
        "a snapshot",
        Effect.map(snapshotEpochs, (epochs) => Math.max(...epochs) > 0)
      )
      isAway = true
      yield* append(Payments, paymentLines(60, 60))
      yield* eventually(
        "the problem",
        Effect.map(problem, (text) => text?.includes("the store is away") === true)
      )
      yield* append(Payments, paymentLines(60, 120))
      yield* eventually("reading what came since", taken(180))
      const missedBefore = missed
      yield* eventually(
        "several more tries",
        Effect.sync(() => missed > missedBefore + 3 * ids.length)
      )
      const before = yield* snapshotEpochs
      isAway = false
      yield* eventually(
        "snapshots of all shards, with nothing else to commit",
        Effect.map(snapshotEpochs, (epochs) => epochs.every((epoch, shard) => epoch > before[shard]!))
      )
      yield* eventually(
        "the problem's end",
        Effect.map(problem, (text) => text === undefined)
      )
      assert.strictEqual(starts.count, 1)
      yield* Fiber.interrupt(running)
      yield* append(Payments, paymentLines(60, 180))
      yield* runToEnd(accounts, options)
      yield* assertAnswers(paymentLines(240))
    }).pipe(Effect.provide(world))
  )

  it.effect("is restored whole afterwards, whichever write failed", () =>
    Effect.gen(function* () {
      for (const nth of [5, 8]) {
        yield* Effect.gen(function* () {
          const given = { ...options, snapshot: increments, epochRecords: 1 }
          yield* append(Payments, first)
          yield* runToEnd(accounts, given)
          yield* append(Payments, inTurn)
          let writes = 0
          const failing = onStore(({ writeNew }) => ({
            writeNew: (name, bytes) => (++writes === nth ? away(name) : writeNew(name, bytes))
          }))
          const starts = { count: 0 }
          yield* hurried(runToEnd(accounts, { ...given, observer: starting(starts) }).pipe(failing))
          assert.strictEqual(starts.count, 1)
          assert.isAbove(writes, nth + 3)
          yield* append(Payments, onceMore)
          yield* runToEnd(accounts, given)
          yield* assertAnswers([...first, ...inTurn, ...onceMore], `write ${nth}`)
        }).pipe(Effect.provide(world))
      }
    })
  )

  it.effect("ends with all its answers when it never comes back, and leaves there what is to be removed", () =>
    Effect.gen(function* () {
      const lines = paymentLines(160)
      yield* append(Payments, lines)
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", 8)))
      const starts = { count: 0 }
      const untidy = onStore(() => ({ remove: away, list: away }))
      yield* hurried(runToEnd(accounts, { ...options, observer: starting(starts) }).pipe(untidy))
      assert.strictEqual(starts.count, 1)
      const store = yield* CheckpointStore
      const log = yield* Log
      const named = (yield* Effect.forEach(ids, log.inForce)).flatMap((record) => record?.snapshots ?? [])
      assert.isAbove((yield* store.list("accounts/")).length, named.length)

      const more = paymentLines(60, 160)
      yield* append(Payments, more)
      const gone = onStore(() => ({ remove: away, list: away, writeNew: away }))
      yield* hurried(runToEnd(accounts, { ...options, observer: starting(starts) }).pipe(gone))
      assert.strictEqual(starts.count, 2)
      yield* assertAnswers([...lines, ...more])
    }).pipe(Effect.provide(world))
  )

  it.effect("stops when the store refuses instead, with what the store says", () =>
    Effect.gen(function* () {
      yield* append(Payments, paymentLines(60))
      const refused = refusing("Refused", "the keys are not known there")
      const failure = yield* Effect.flip(runToEnd(accounts, options).pipe(onStore(() => ({ writeNew: refused }))))
      assert.strictEqual(failure.message, "the keys are not known there")
    }).pipe(Effect.provide(world))
  )
})
