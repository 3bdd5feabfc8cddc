/** When epochs are committed, when a bounded run ends, what a live one does afterwards, and what it survives. */
import { StorageError } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Flow, Job, Log, LogError } from "../../src/index.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { eventually, hurried, onLog, onStore } from "../support/Faults.ts"
import { append, readAll, runToEnd, TestDeadLetters, world } from "../support/Harness.ts"
import { reading, Readings, watching } from "../support/Readings.ts"

const endless = { epochMs: 1_000_000, epochRecords: 1_000_000, checkpointEveryMs: 1_000_000 }
const written = (topic: string) =>
  Effect.map(
    Effect.orElseSucceed(readAll(topic), () => []),
    (lines) => lines.length
  )
const readings = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => reading(`r${from + index}`, from + index))

/** A live job, started, with all that there is read. */
const started = Effect.fnUntraced(function* (options: Partial<Job.RunOptions>, records: number) {
  const monitor = Job.monitor()
  const fiber = yield* Effect.forkChild(Job.run(watching, { ...options, observer: monitor }))
  yield* eventually(
    `${records} records read`,
    Effect.sync(() => monitor.status()[0]?.in === records)
  )
  return { fiber, monitor }
})

describe("an epoch", () => {
  it.effect("is committed so long after its first record", () =>
    Effect.gen(function* () {
      yield* append(Readings, readings(5))
      const { fiber } = yield* started({ ...endless, epochMs: 10_000 }, 5)
      yield* TestClock.adjust(9000)
      assert.strictEqual(yield* written("seen"), 0)
      yield* TestClock.adjust(1500)
      assert.strictEqual(yield* written("seen"), 5)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("is committed with so many records, however little time has passed", () =>
    Effect.gen(function* () {
      yield* append(Readings, readings(25))
      const { fiber, monitor } = yield* started({ ...endless, epochRecords: 10 }, 25)
      assert.strictEqual(yield* written("seen"), 20)
      assert.strictEqual(monitor.status()[0]!.epochs, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("is committed with so many bytes of output, so that an open one has a bound", () =>
    Effect.gen(function* () {
      const long = "x".repeat(500_000)
      const job = Job.make("long", [
        Flow.from(Readings).pipe(
          Flow.map(({ id }) => ({ topic: long, partition: 0, offset: 0, reason: id, message: "", original: "" })),
          Flow.to(TestDeadLetters)
        )
      ])
      yield* append(Readings, readings(40))
      let bytesMost = 0
      const measuring = onLog((log) => ({
        commit: (epoch) => {
          const outputs = epoch.shards.flatMap((shard) => shard.outputs)
          bytesMost = Math.max(
            bytesMost,
            outputs.reduce((sum, { records }) => sum + records.bytes.length, 0)
          )
          return log.commit(epoch)
        },
        // small batches, as long records would give
        read: (topic, partition, offset, limits) => log.read(topic, partition, offset, { ...limits, recordsMax: 4 })
      }))
      const fiber = yield* Effect.forkChild(Job.run(job, endless).pipe(measuring))
      yield* eventually(
        "a commit",
        Effect.map(written("dead-letter"), (count) => count > 30)
      )
      assert.isAtLeast(bytesMost, 16 * 1_048_576)
      assert.isBelow(bytesMost, 19 * 1_048_576)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it("has bounds that make sense", () => {
    for (const wrong of [
      { epochRecords: 0 },
      { epochRecords: Number.NaN },
      { epochMs: -1 },
      { checkpointEveryMs: -1 }
    ]) {
      const exit = Effect.runSyncExit(Job.run(watching, wrong).pipe(Effect.provide(world)))
      assert.isTrue(Exit.hasDies(exit), JSON.stringify(wrong))
    }
  })
})

describe("a bounded run", () => {
  it.effect("ends only when the input is complete, and takes what came while that was asked", () =>
    Effect.gen(function* () {
      yield* append(Readings, readings(5))
      const log = yield* Log
      let asked = 0
      const inputComplete = () =>
        ++asked < 3
          ? Effect.succeed(false)
          : asked > 3
            ? Effect.succeed(true)
            : Effect.as(append(Readings, readings(3, 5)).pipe(Effect.provideService(Log, log), Effect.orDie), true)
      yield* hurried(runToEnd(watching, { inputComplete }))
      assert.isAtLeast(asked, 4)
      assert.strictEqual(yield* written("seen"), 8)
    }).pipe(Effect.provide(world))
  )

  it.effect("that finished is finished for good: again it does nothing, with more input it goes on", () =>
    Effect.gen(function* () {
      yield* append(Readings, readings(5))
      yield* runToEnd(watching)
      let commits = 0
      const counting = onLog((log) => ({
        commit: (epoch) => {
          commits++
          return log.commit(epoch)
        }
      }))
      const monitor = Job.monitor()
      yield* runToEnd(watching, { observer: monitor }).pipe(counting)
      assert.strictEqual(commits, 0)
      assert.isTrue(monitor.status()[0]!.finished)
      yield* append(Readings, readings(2, 5))
      yield* runToEnd(watching).pipe(counting)
      assert.isAbove(commits, 0)
      assert.strictEqual(yield* written("seen"), 7)
    }).pipe(Effect.provide(world))
  )

  it.effect("can be followed by a live one, which goes on from its end with its state", () =>
    Effect.gen(function* () {
      const lines = paymentLines(60)
      yield* append(Payments, lines)
      yield* runToEnd(accounts)
      const fiber = yield* Effect.forkChild(Job.run(accounts, { epochMs: 100 }))
      yield* TestClock.adjust("1 second")
      const more = paymentLines(40, 60)
      yield* append(Payments, more)
      const before = yield* written("totals")
      yield* eventually(
        "more outputs",
        Effect.map(written("totals"), (count) => count > before + 30)
      )
      yield* assertAnswers([...lines, ...more])
      yield* Fiber.interrupt(fiber)
      // and that by a bounded one
      yield* runToEnd(accounts)
      yield* assertAnswers([...lines, ...more])
    }).pipe(Effect.provide(world))
  )
})

/** Fails `operation` at its calls from `from` on, `times` times. */
const failing = (from: number, times: number) => {
  let calls = 0
  return <A, E, R>(operation: Effect.Effect<A, E, R>, error: E) =>
    Effect.suspend(() => {
      const call = ++calls
      return call >= from && call < from + times ? Effect.fail(error) : operation
    })
}
const unavailable = new LogError({ reason: "Unavailable", message: "the log is away" })

describe("a job whose log or storage is away", () => {
  it.effect(
    "starts over when its log comes back: reads and commits that failed are done again, once; for snapshots it need not",
    () =>
      Effect.gen(function* () {
        const lines = paymentLines(120)
        yield* append(Payments, lines)
        const reads = failing(7, 3)
        const commits = failing(3, 2)
        const writes = failing(4, 2)
        const away = onLog((log) => ({
          read: (topic, partition, offset, limits) => reads(log.read(topic, partition, offset, limits), unavailable),
          commit: (epoch) => commits(log.commit(epoch), unavailable)
        }))
        const noStorage = onStore((store) => ({
          writeNew: (name, bytes) =>
            writes(store.writeNew(name, bytes), new StorageError({ reason: "Unavailable", uri: name, message: "away" }))
        }))
        let starts = 0
        const observer = { started: () => void starts++ }
        yield* hurried(runToEnd(accounts, { epochRecords: 10, checkpointEveryMs: 0, observer }).pipe(away, noStorage))
        yield* assertAnswers(lines)
        // once for each read and commit that failed: what could not be written waits for nothing
        assert.strictEqual(starts, 6)
      }).pipe(Effect.provide(world))
  )

  it.effect("gives up after ten failures in a row, some forty seconds later, and says why", () =>
    Effect.gen(function* () {
      yield* append(Payments, paymentLines(20))
      const reads = failing(1, Number.POSITIVE_INFINITY)
      const away = onLog((log) => ({
        read: (topic, partition, offset, limits) => reads(log.read(topic, partition, offset, limits), unavailable)
      }))
      assert.strictEqual(yield* hurried(Effect.flip(runToEnd(accounts).pipe(away))), unavailable)
      const seconds = (yield* Clock.currentTimeMillis) / 1000
      assert.isAbove(seconds, 40)
      assert.isBelow(seconds, 60)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not try again what trying cannot mend", () =>
    Effect.gen(function* () {
      yield* append(Payments, paymentLines(20))
      const full = new LogError({ reason: "Full", message: "no space left" })
      let commits = 0
      const failure = yield* Effect.flip(
        runToEnd(accounts).pipe(
          onLog(() => ({
            commit: () => {
              commits++
              return full
            }
          }))
        )
      )
      assert.strictEqual(failure, full)
      assert.strictEqual(commits, 1)
    }).pipe(Effect.provide(world))
  )
})
