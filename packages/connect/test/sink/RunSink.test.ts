/** Every record reaches the target, in order, whatever crashes, fails or comes late; the cursor is what was delivered. */
import { assert, describe, it } from "@effect/vitest"
import { FaultPoint, type FaultPointName } from "@frazil/core"
import { Log, type LogShape, type ReadRecords, trimLog } from "@frazil/engine"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { runSink, sinkProgress, type SinkRecord, sinkShard, type SinkTarget } from "../../src/index.ts"
import { SinkError } from "../../src/sink/SinkTarget.ts"
import { append, type Count, Counts, deadLetter, deadLetters, openLog, type Written } from "./SinkFixture.ts"

/** A store that keeps what is newer, and remembers every record that it was given. */
const makeStore = () => {
  const given: Array<SinkRecord<Count>> = []
  const kept = new Map<string, SinkRecord<Count>>()
  const write = (record: SinkRecord<Count>) => {
    given.push(record)
    const before = kept.get(record.record.customer)
    if (before === undefined || before.offset < record.offset) kept.set(record.record.customer, record)
  }
  const target: SinkTarget<Count> = {
    deliver: (records) =>
      Effect.sync(() => {
        records.forEach(write)
        return []
      })
  }
  const counts = () => Object.fromEntries([...kept].map(([customer, { record }]) => [customer, record.count]))
  const offsets = (partition: number) => given.filter((each) => each.partition === partition).map((each) => each.offset)
  return { counts, given, offsets, target, write }
}

const run = (
  log: LogShape,
  target: SinkTarget<Count>,
  onProblem?: (message: string | undefined) => Effect.Effect<void>
) =>
  runSink({
    name: "features",
    topic: Counts,
    target,
    deadLetter,
    inputComplete: Effect.succeed(true),
    ...(onProblem === undefined ? {} : { onProblem })
  }).pipe(Effect.provideService(Log, log))

const cursor = (log: LogShape, partition: number) =>
  Effect.map(log.inForce(sinkShard("features")), (inForce) => inForce?.positions[partition]?.offset)

const many: ReadonlyArray<Written> = Array.from({ length: 1_200 }, (_, n) => [`C${n % 7}`, n])

describe("a sink", () => {
  it.live("delivers every record once while nothing goes wrong, and nothing again in the next run", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many)
      yield* append(log, 1, [["X", 1], "no json", `{"customer":"Y"}`, ["X", 2]])
      const store = makeStore()
      yield* run(log, store.target)
      assert.deepStrictEqual(
        store.offsets(0),
        many.map((_, n) => n)
      )
      assert.deepStrictEqual(store.offsets(1), [0, 3])
      assert.strictEqual(store.given[0]!.json, `{"customer":"C0","total":"12345678.90","count":0}`)
      assert.deepStrictEqual([yield* cursor(log, 0), yield* cursor(log, 1)], [1_200, 4])
      yield* append(log, 1, [["X", 3]])
      yield* run(log, store.target)
      assert.deepStrictEqual(store.offsets(1), [0, 3, 4])
      assert.strictEqual(store.counts().X, 3)
    })
  )

  it.live("ends behind what was committed before its input was complete, and behind a transaction under way", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, [["C1", 1]])
      const empty = new Map<string, ReadRecords>()
      let appending = false
      let appended = false
      let open = 3
      // another thread commits, then says so: where nothing was found before, that is remembered
      const remembering: LogShape = {
        ...log,
        read: (topic, partition, offset, limits) => {
          const place = `${topic}/${partition}/${offset}`
          const found = empty.get(place)
          if (found !== undefined && limits.now !== true) return Effect.succeed(found)
          return Effect.map(log.read(topic, partition, offset, limits), (batch): ReadRecords => {
            if (batch.length === 0) empty.set(place, batch)
            const hidden = appended && partition === 1 && open-- > 0
            return hidden ? { ...empty.get(`${topic}/0/1`)!, next: offset, open: true } : batch
          })
        }
      }
      const inputComplete = Effect.gen(function* () {
        if (empty.size < 2) return false
        if (!appending) {
          appending = true
          yield* append(log, 0, [["C1", 2]])
          yield* append(log, 1, [["X", 3]])
          appended = true
        }
        return appended
      }).pipe(Effect.orDie)
      const store = makeStore()
      yield* runSink({ name: "features", topic: Counts, target: store.target, deadLetter, inputComplete }).pipe(
        Effect.provideService(Log, remembering)
      )
      assert.deepStrictEqual(store.counts(), { C1: 2, X: 3 })
    })
  )

  for (const point of ["before-deliver", "after-deliver", "before-cursor"] as const) {
    it.live(`loses nothing when it crashes at ${point}, wherever it had come to`, () =>
      Effect.gen(function* () {
        for (let crashAt = 1; crashAt <= 3; crashAt++) {
          const log = yield* openLog
          yield* append(log, 0, many)
          const store = makeStore()
          let hits = 0
          const hit = (name: FaultPointName) =>
            name === point && ++hits === crashAt ? Effect.die(new Error("crash")) : Effect.void
          const exit = yield* Effect.exit(Effect.provideService(run(log, store.target), FaultPoint, { hit }))
          assert.isTrue(Exit.isFailure(exit))
          const [before = 0, delivered] = [yield* cursor(log, 0), store.offsets(0).length]
          assert.isAtMost(before, delivered)
          yield* run(log, store.target)
          const offsets = store.offsets(0)
          assert.strictEqual(new Set(offsets).size, many.length)
          // what was delivered above the cursor came again, nothing else
          assert.strictEqual(offsets.length, many.length + delivered - before)
          assert.deepStrictEqual(store.counts(), Object.fromEntries(many))
        }
      })
    )
  }

  it.live("is fenced by its successor, and what it delivers late changes nothing newer", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, [["C", 1]])
      const store = makeStore()
      const gate = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const hit = (name: FaultPointName) =>
        name === "deliver-late"
          ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(gate))
          : Effect.void
      const zombie = yield* Effect.forkChild(Effect.provideService(run(log, store.target), FaultPoint, { hit }))
      yield* Deferred.await(reached)
      yield* append(log, 0, [["C", 2]])
      yield* run(log, store.target)
      yield* Deferred.succeed(gate, undefined)
      const error = yield* Effect.flip(Fiber.join(zombie))
      assert.include(error, { _tag: "LogError", reason: "Fenced" })
      assert.deepStrictEqual(store.offsets(0), [0, 1, 0])
      assert.deepStrictEqual(store.counts(), { C: 2 })
    })
  )

  it.effect("waits while the target takes nothing, tells so, and goes on where it was", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many.slice(0, 10))
      const store = makeStore()
      const told: Array<string | undefined> = []
      let failures = 0
      const target: SinkTarget<Count> = {
        deliver: (records) =>
          Effect.suspend(() => {
            if (++failures > 6) return store.target.deliver(records)
            records.slice(0, 1).forEach(store.write)
            return Effect.fail(new SinkError({ message: "it is down", delivered: 1, retryAfterMs: 60_000 }))
          })
      }
      const running = yield* Effect.forkChild(run(log, target, (message) => Effect.sync(() => void told.push(message))))
      yield* TestClock.adjust("59 seconds")
      assert.isAtMost(store.given.length, 1)
      for (let minute = 0; minute < 6; minute++) yield* TestClock.adjust("1 minute")
      yield* Fiber.join(running)
      assert.deepStrictEqual(store.offsets(0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.deepStrictEqual(told, [...Array.from({ length: 6 }, () => "it is down"), undefined])
    })
  )

  it.effect("gives up when it is told how often to try, and its progress says what is left", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many.slice(0, 10))
      const target: SinkTarget<Count> = {
        deliver: () => Effect.fail(new SinkError({ message: "it is down", delivered: 2 }))
      }
      const options = { name: "features", topic: Counts, target, deadLetter, failuresInRowMax: 3 }
      const running = yield* Effect.forkChild(Effect.flip(runSink(options)).pipe(Effect.provideService(Log, log)))
      while (running.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      const { message } = yield* Fiber.join(running)
      assert.include(message, "sink features: nothing delivered in 3 attempts: it is down")
      assert.deepStrictEqual(yield* sinkProgress(log), [{ name: "features", topic: "counts", passed: 6, lag: 4 }])
    })
  )

  it.live("turns what the target refuses into dead letters, once each", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many.slice(0, 20))
      const target: SinkTarget<Count> = {
        deliver: (records) =>
          Effect.succeed(records.filter(({ offset }) => offset % 5 === 0).map((record) => ({ record, message: "no" })))
      }
      const point = yield* Effect.exit(
        Effect.provideService(run(log, target), FaultPoint, {
          hit: (name) => (name === "before-cursor" ? Effect.die(new Error("crash")) : Effect.void)
        })
      )
      assert.isTrue(Exit.isFailure(point))
      assert.strictEqual(yield* deadLetters(log), 0)
      yield* run(log, target)
      assert.strictEqual(yield* deadLetters(log), 4)
    })
  )

  it.live("holds retention back to what is not delivered, in each partition its own", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many.slice(0, 10))
      yield* append(log, 1, many.slice(0, 20))
      const store = makeStore()
      // partition 1 is delivered, partition 0 not
      const target: SinkTarget<Count> = {
        deliver: (records) => (records[0]!.partition === 1 ? store.target.deliver(records) : Effect.never)
      }
      const running = yield* Effect.forkChild(run(log, target))
      while ((yield* cursor(log, 1)) !== 20) yield* Effect.sleep(5)
      yield* Effect.provideService(trimLog({ readers: [], ageMs: -60_000 }), Log, log)
      yield* Fiber.interrupt(running)
      const bounds = yield* log.bounds(Counts.name)
      assert.deepStrictEqual(
        bounds.map(({ start }) => start),
        [0, 19]
      )
    })
  )

  it.live("stops when its topic was made anew", () =>
    Effect.gen(function* () {
      const log = yield* openLog
      yield* append(log, 0, many.slice(0, 3))
      const store = makeStore()
      yield* run(log, store.target)
      yield* log.deleteTopic(Counts.name)
      yield* log.ensureTopic(Counts)
      const error = yield* Effect.flip(run(log, store.target))
      assert.strictEqual(error._tag, "SinkStopped")
      assert.include(error.message, "give the sink another name")
    })
  )
})
