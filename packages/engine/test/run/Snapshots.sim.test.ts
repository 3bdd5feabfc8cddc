/** Snapshots in parts: crashes, damage of each part, moves between tasks, and what is on the disk when a key is set. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  CheckpointStore,
  Log,
  makeStateSeal,
  type RecordInForce,
  shardWork,
  stateKeyId,
  StateSealing,
  type StateSeal
} from "../../src/index.ts"
import { partsOf } from "../../src/checkpoint/Snapshot.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { crashTwice } from "../support/Crashes.ts"
import { fakeInstance, runOn } from "../support/FakeInstances.ts"
import { crashAt, epochPoints, onStore } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { smallSnapshots } from "../support/SmallSnapshots.ts"

const lines = paymentLines(300)
const options = { epochRecords: 4, checkpointEveryMs: 0, snapshot: smallSnapshots }
const ids = [0, 1, 2].map((shard) => ({ uid: "accounts", stage: "payments", shard }))

const recordsInForce = Effect.gen(function* () {
  const log = yield* Log
  return (yield* Effect.forEach(ids, log.inForce)).flatMap((record) => record ?? [])
})

const crashedAfter = Effect.fnUntraced(function* (epochs: number) {
  yield* append(Payments, lines)
  yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", epochs)))
  return yield* recordsInForce
})

/** Files that the newest snapshots list and older ones do not. */
const ownFiles = Effect.fnUntraced(function* (records: ReadonlyArray<RecordInForce>) {
  const own = new Set<string>()
  const shared = new Set<string>()
  for (const { snapshots } of records) {
    for (const [age, snapshot] of snapshots.entries())
      for (const { file } of [snapshot, ...(yield* partsOf(snapshot))]) (age === 0 ? own : shared).add(file)
  }
  return { own: [...own].filter((file) => !shared.has(file)), all: [...new Set([...own, ...shared])] }
})

const damaged = (files: ReadonlyArray<string>) =>
  onStore((store) => ({
    read: (name) =>
      Effect.map(store.read(name), (bytes) =>
        files.includes(name) ? bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) : bytes
      )
  }))

describe("snapshots in parts", () => {
  it.effect("are bases and increments that share parts; files go when no named snapshot lists them", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      yield* runToEnd(accounts, options)
      const records = yield* recordsInForce
      const lists = records.flatMap(({ snapshots }) => snapshots.filter(({ list }) => list === true))
      assert.isAbove(lists.length, 3)
      const { all, own } = yield* ownFiles(records)
      assert.isBelow(own.length, all.length)
      const store = yield* CheckpointStore
      const there = (yield* store.list("accounts/")).map(({ name }) => name)
      assert.deepStrictEqual(there.toSorted(), all.toSorted())
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  for (const point of epochPoints) {
    it.effect(`give the same answers after crashes at ${point}`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (const nth of [1, 4, 9, 16, 25]) {
          yield* Effect.gen(function* () {
            yield* append(Payments, lines)
            if (yield* crashTwice(accounts, options, [point, nth])) crashes++
            yield* assertAnswers(lines, `${point}, crossing ${nth}`)
          }).pipe(Effect.provide(world))
        }
        assert.isAbove(crashes, 0, `${point} was never crossed`)
      })
    )
  }

  it.effect("stand in for a newer one of which any part is damaged", () =>
    Effect.gen(function* () {
      const records = yield* crashedAfter(30)
      const { own } = yield* ownFiles(records)
      assert.isAbove(own.length, 3)
      yield* runToEnd(accounts, options).pipe(damaged(own))
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("are corrupt, with their paths, when all are damaged", () =>
    Effect.gen(function* () {
      const records = yield* crashedAfter(30)
      const { all } = yield* ownFiles(records)
      const failure = yield* Effect.flip(runToEnd(accounts, options).pipe(damaged(all)))
      assert.strictEqual(failure.reason, "Corrupt")
      for (const { file } of records[0]!.snapshots) assert.include(failure.message, file)
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("are restored by one task, by several and by one again: each shard's state is whole", () =>
    Effect.gen(function* () {
      const works = ids.map(shardWork)
      const shares = [[works], works.map((work) => [work]), [works], [works.slice(0, 1), works.slice(1)]]
      for (const [round, share] of shares.entries()) {
        yield* append(Payments, paymentLines(75, 75 * round))
        const running: Array<Fiber.Fiber<void, unknown>> = []
        for (const own of share) {
          const instance = fakeInstance(() => own)
          instance.tell(own)
          running.push(yield* Effect.forkChild(runOn(accounts, instance, { ...options, epochRecords: 10 })))
        }
        yield* Effect.repeat(TestClock.adjust(20), { times: 150 })
        yield* Effect.forEach(running, Fiber.interrupt, { discard: true })
      }
      const records = yield* recordsInForce
      assert.isTrue(records.every(({ snapshots }) => snapshots.length === 3))
      yield* assertAnswers([0, 1, 2, 3].flatMap((round) => paymentLines(75, 75 * round)))
    }).pipe(Effect.provide(world))
  )
})

const keyOf = (byte: number) => Redacted.make(new Uint8Array(32).fill(byte))
const sealedBy = (seal: StateSeal) => Effect.provideService(StateSealing, seal)
/** A nonce is a count here, so that a run replays. */
const nonces = () => {
  let count = 0
  return (bytes: number) => new Uint8Array(bytes).fill(++count % 256).with(0, count >> 8)
}
const first = makeStateSeal({ key: keyOf(1), older: [] }, nonces())
const second = makeStateSeal({ key: keyOf(2), older: [keyOf(1)] }, nonces())

/** Whether a key of the state stands in any file of a snapshot or in any delta. */
const plainOnDisk = Effect.gen(function* () {
  const log = yield* Log
  const store = yield* CheckpointStore
  const bytes: Array<Uint8Array> = []
  for (const { name } of yield* store.list("accounts/")) bytes.push(yield* store.read(name))
  for (const id of ids) bytes.push(...(yield* log.deltas(id, 0)).map((delta) => delta.bytes))
  assert.isAbove(bytes.length, 6)
  return bytes.some((each) => Buffer.from(each).includes('["A1",'))
})

describe("state at rest", () => {
  it.effect("is plain without a key, and holds no value of state in the clear with one", () =>
    Effect.gen(function* () {
      yield* crashedAfter(20)
      assert.isTrue(yield* plainOnDisk)
    }).pipe(
      Effect.provide(world),
      Effect.andThen(
        Effect.gen(function* () {
          yield* crashedAfter(20).pipe(sealedBy(first))
          assert.isFalse(yield* plainOnDisk)
          yield* runToEnd(accounts, options).pipe(sealedBy(first))
          yield* assertAnswers(lines)
        }).pipe(Effect.provide(world))
      )
    )
  )

  it.effect("is read when it was plain before, and when it was sealed by an older key", () =>
    Effect.gen(function* () {
      yield* crashedAfter(12)
      yield* Effect.exit(runToEnd(accounts, options).pipe(crashAt("after-epoch-commit", 8), sealedBy(first)))
      yield* runToEnd(accounts, options).pipe(sealedBy(second))
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("stops a job without its key, naming the key and where to put it", () =>
    Effect.gen(function* () {
      yield* crashedAfter(20).pipe(sealedBy(first))
      for (const seal of [undefined, makeStateSeal({ key: keyOf(3), older: [] })]) {
        const run = runToEnd(accounts, options)
        const failure = yield* Effect.flip(seal === undefined ? run : run.pipe(sealedBy(seal)))
        assert.strictEqual(failure.reason, "KeyMissing")
        assert.include(failure.message, stateKeyId(keyOf(1)))
        assert.include(failure.message, "state.encryption in frazil.yaml")
      }
    }).pipe(Effect.provide(world))
  )

  it("does not open at another place, cut, or changed anywhere", () => {
    const plain = new TextEncoder().encode("A1 has 12.50")
    const sealed = first.seal(plain, "here")
    assert.deepStrictEqual([...first.open(sealed, "here")], [...plain])
    assert.throws(() => first.open(sealed, "there"), "cut or changed")
    for (let at = 4; at < sealed.length; at++) {
      assert.throws(() =>
        first.open(
          sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)),
          "here"
        )
      )
      assert.throws(() => first.open(sealed.subarray(0, at), "here"))
    }
  })
})
