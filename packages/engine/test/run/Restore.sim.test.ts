/** How a task starts from the log's word alone: protocol rules 1, 2, 3, 4, 9 and 17. Each test names the rule it fails without. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { type LogShape, Log, type RecordInForce } from "../../src/index.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { atPoint, crashAt, onLog, onStore } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

const lines = paymentLines(300)
const options = { epochRecords: 8, checkpointEveryMs: 0 }
const deltasOnly = { epochRecords: 20, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
const ids = [0, 1, 2].map((shard) => ({ uid: "accounts", stage: "payments", shard }))

/** Lets the job commit `epochs` epochs, then crash; what is in force then. */
const crashedAfter = Effect.fnUntraced(function* (epochs: number, run = options) {
  yield* append(Payments, lines)
  const crashed = yield* Effect.exit(runToEnd(accounts, run).pipe(crashAt("after-epoch-commit", epochs)))
  assert.isTrue(Exit.hasDies(crashed))
  const log = yield* Log
  const records = yield* Effect.forEach(ids, log.inForce)
  return records.map((record) => record!)
})

/** The run's failure; a success fails the test. And that the run wrote nothing. */
const failureOf = Effect.fnUntraced(function* <
  E extends { readonly _tag: string; readonly reason: string; readonly message: string },
  R
>(run: Effect.Effect<void, E, R>) {
  const before = (yield* readAll("totals")).length
  const failure = yield* Effect.flip(run)
  assert.strictEqual((yield* readAll("totals")).length, before, "a run that failed wrote something")
  return failure
})

const withoutDeltas = (missing: (epoch: number) => boolean) =>
  onLog((log) => ({
    deltas: (shard, after) =>
      Effect.map(log.deltas(shard, after), (deltas) => deltas.filter(({ epoch }) => !missing(epoch)))
  }))

const damaged = (files: ReadonlySet<string>) =>
  onStore((store) => ({
    read: (name) =>
      Effect.map(store.read(name), (bytes) =>
        files.has(name) ? bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) : bytes
      )
  }))

const snapshotFiles = (records: ReadonlyArray<RecordInForce>, newest: number) =>
  new Set(records.flatMap(({ snapshots }) => snapshots.slice(0, newest).map(({ file }) => file)))

describe("rule 1: the deltas after a snapshot are contiguous", () => {
  it.effect("a missing delta is corrupt, whichever it is, and never a fresh start", () =>
    Effect.gen(function* () {
      const [first] = yield* crashedAfter(4, deltasOnly)
      for (let epoch = 1; epoch <= first!.epoch; epoch++) {
        const failure = yield* failureOf(runToEnd(accounts, deltasOnly).pipe(withoutDeltas((at) => at === epoch)))
        assert.strictEqual(failure.reason, "Corrupt")
        assert.include(failure.message, `the changes of epochs ${epoch} to ${epoch} are missing`)
        assert.include(failure.message, "start the job under a new name")
      }
      const failure = yield* failureOf(runToEnd(accounts, deltasOnly).pipe(withoutDeltas(() => true)))
      assert.include(failure.message, `the changes of epochs 1 to ${first!.epoch} are missing`)
      yield* runToEnd(accounts, deltasOnly)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("a delta that cannot be read is corrupt as well", () =>
    Effect.gen(function* () {
      yield* crashedAfter(4, deltasOnly)
      const garbled = onLog((log) => ({
        deltas: (shard, after) =>
          Effect.map(log.deltas(shard, after), (deltas) =>
            deltas.map((delta) => ({ ...delta, bytes: delta.bytes.slice(9) }))
          )
      }))
      const failure = yield* failureOf(runToEnd(accounts, deltasOnly).pipe(garbled))
      assert.strictEqual(failure.reason, "Corrupt")
      assert.include(failure.message, "the changes of epoch 1 cannot be read")
    }).pipe(Effect.provide(world))
  )
})

describe("rule 2: an older snapshot stands in for a damaged one", () => {
  it.effect("deltas are kept from the oldest named snapshot on, after every commit", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      let checked = 0
      const checking = onLog((log) => ({
        dropDeltas: (owner, shard, through) =>
          Effect.gen(function* () {
            yield* log.dropDeltas(owner, shard, through)
            const record = (yield* log.inForce(shard))!
            const oldest = record.snapshots.at(-1)!.epoch
            const kept = (yield* log.deltas(shard, oldest)).map(({ epoch }) => epoch)
            assert.strictEqual(record.snapshots.length, 3)
            assert.deepStrictEqual(
              kept,
              Array.from({ length: record.epoch - oldest }, (_, index) => oldest + 1 + index)
            )
            checked++
          })
      }))
      yield* runToEnd(accounts, options).pipe(checking)
      assert.isAbove(checked, 3)
    }).pipe(Effect.provide(world))
  )

  for (const newest of [1, 2]) {
    it.effect(`with the newest ${newest} of three damaged the answers are the same`, () =>
      Effect.gen(function* () {
        const records = yield* crashedAfter(9)
        for (const { snapshots } of records) assert.strictEqual(snapshots.length, 3)
        yield* runToEnd(accounts, options).pipe(damaged(snapshotFiles(records, newest)))
        yield* assertAnswers(lines)
      }).pipe(Effect.provide(world))
    )
  }

  it.effect("with all of them missing, while deltas reach back to the start, the answers are the same", () =>
    Effect.gen(function* () {
      const records = yield* crashedAfter(3)
      const files = snapshotFiles(records, 3)
      assert.isAtLeast(files.size, 3)
      yield* runToEnd(accounts, options).pipe(
        onStore((store) => ({ read: (name) => store.read(files.has(name) ? `${name}.gone` : name) }))
      )
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("with all three damaged it says so, file by file, and writes nothing", () =>
    Effect.gen(function* () {
      const records = yield* crashedAfter(9)
      const failure = yield* failureOf(runToEnd(accounts, options).pipe(damaged(snapshotFiles(records, 3))))
      assert.strictEqual(failure._tag, "JobError")
      assert.strictEqual(failure.reason, "Corrupt")
      for (const { file } of records[0]!.snapshots)
        assert.include(failure.message, `snapshot ${file} is not what was written`)
      assert.include(failure.message, "Restore the checkpoints folder and log.db from a backup of the same moment")
      yield* runToEnd(accounts, options)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )
})

describe("rule 3: positions come from the record in force", () => {
  it.effect("a restart reads on from there, in every partition", () =>
    Effect.gen(function* () {
      const records = yield* crashedAfter(4)
      const firstReads = new Map<number, number>()
      const spying = onLog((log) => ({
        read: (topic, partition, offset, limits) => {
          if (!firstReads.has(partition)) firstReads.set(partition, offset)
          return log.read(topic, partition, offset, limits)
        }
      }))
      yield* runToEnd(accounts, options).pipe(spying)
      assert.deepStrictEqual(
        [0, 1, 2].map((partition) => firstReads.get(partition)),
        records.map((record) => record.positions[0]!.offset)
      )
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.effect("there is no reset: where the records at a position are gone, the job stops", () =>
    Effect.gen(function* () {
      const [first] = yield* crashedAfter(2)
      const log = yield* Log
      yield* log.trim("payments", 0, first!.positions[0]!.offset + 1)
      const failure = yield* failureOf(runToEnd(accounts, options))
      assert.strictEqual(failure.reason, "OffsetOutOfRange")
    }).pipe(Effect.provide(world))
  )

  it.effect("a record in force without a position is corrupt, not a start at 0", () =>
    Effect.gen(function* () {
      yield* crashedAfter(4)
      const positionless = onLog((log) => ({
        fence: (owner, shards) =>
          Effect.map(log.fence(owner, shards), (found) => found.map((record) => record && { ...record, positions: [] }))
      }))
      const failure = yield* failureOf(runToEnd(accounts, options).pipe(positionless))
      assert.strictEqual(failure.reason, "Corrupt")
      assert.include(failure.message, "has no position in payments")
    }).pipe(Effect.provide(world))
  )
})

/** What a successor does while another is still starting: takes the shards, and deletes what its own commits superseded. */
const successor = (log: LogShape) => Effect.orDie(log.fence("successor", ids))

describe("rule 4: corrupt is said only after ownership was checked again", () => {
  for (const fences of [true, false]) {
    it.effect(
      `files that vanish under a task that is ${fences ? "a zombie say Fenced" : "the owner say Corrupt"}`,
      () =>
        Effect.gen(function* () {
          yield* crashedAfter(9)
          const log = yield* Log
          const failure = yield* failureOf(
            runToEnd(accounts, options).pipe(
              onStore((store) => ({ read: (name) => store.read(`${name}.gone`) })),
              atPoint("after-init", 1, fences ? Effect.asVoid(successor(log)) : Effect.void)
            )
          )
          assert.deepStrictEqual(
            [failure._tag, failure.reason],
            fences ? ["LogError", "Fenced"] : ["JobError", "Corrupt"]
          )
        }).pipe(Effect.provide(world))
    )
  }
})

/** The log of a broker that keeps something of its own, which no reader sees, behind each record. */
const withGaps = onLog((log) => ({
  bounds: (topic) =>
    Effect.map(log.bounds(topic), (bounds) => bounds.map((bound) => ({ ...bound, end: bound.end * 2 }))),
  read: (topic, partition, offset, limits) =>
    Effect.map(log.read(topic, partition, Math.ceil(offset / 2), limits), (batch) => ({
      ...batch,
      offsets: batch.offsets.map((at) => at * 2),
      next: batch.next * 2
    }))
}))

describe("rule 17: offsets have gaps", () => {
  it.effect(
    "the next offset is the one that a read gives, never a count; nothing is read twice or left out, and the end is reached",
    () =>
      Effect.gen(function* () {
        yield* append(Payments, lines)
        yield* Effect.exit(runToEnd(accounts, options).pipe(withGaps, crashAt("after-epoch-commit", 5)))
        yield* runToEnd(accounts, options).pipe(withGaps)
        yield* assertAnswers(lines)
        const log = yield* Log
        const { end } = (yield* log.bounds("payments"))[0]!
        assert.strictEqual((yield* log.inForce(ids[0]!))?.positions[0]?.offset, end * 2)
      }).pipe(Effect.provide(world))
  )
})

const remade = Effect.fnUntraced(function* (log: LogShape) {
  yield* log.deleteTopic("payments")
  yield* append(Payments, lines).pipe(Effect.provideService(Log, log))
})

describe("rule 9: a topic that is another one stops the job", () => {
  it.effect("made anew between two runs", () =>
    Effect.gen(function* () {
      yield* crashedAfter(4)
      yield* remade(yield* Log)
      const failure = yield* failureOf(runToEnd(accounts, options))
      assert.strictEqual(failure.reason, "TopicRecreated")
      assert.include(failure.message, "topic payments was deleted and made anew since this job read it")
      assert.include(failure.message, "start the job under a new name")
    }).pipe(Effect.provide(world))
  )

  it.effect("made anew under a running job: nothing read from it is committed", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      let reads = 0
      const remaking = onLog((log) => ({
        read: (topic, partition, offset, limits) =>
          Effect.andThen(
            ++reads === 5 ? Effect.orDie(remade(log)) : Effect.void,
            log.read(topic, partition, offset, limits)
          )
      }))
      const failure = yield* Effect.flip(runToEnd(accounts, options).pipe(remaking))
      assert.strictEqual(failure.reason, "TopicRecreated")
      const log = yield* Log
      for (const record of yield* Effect.forEach(ids, log.inForce)) assert.strictEqual(record?.positions[0]?.offset, 8)
    }).pipe(Effect.provide(world))
  )

  it.effect("with another number of partitions: keys have moved away from their state", () =>
    Effect.gen(function* () {
      yield* crashedAfter(4)
      const grown = onLog((log) => ({
        ensureTopic: log.ensureTopic,
        topic: (name) => Effect.map(log.topic(name), (topic) => ({ ...topic, partitions: topic.partitions + 1 }))
      }))
      const failure = yield* failureOf(runToEnd(accounts, options).pipe(grown))
      assert.strictEqual(failure.reason, "PartitionsChanged")
      assert.include(failure.message, "had 3 partitions when this job started and has 4 now")
      assert.include(failure.message, "Start the job under a new name, or bring the topic back")
    }).pipe(Effect.provide(world))
  )
})
