/** Each firing is told once and cleared once, whatever restarts in between. */
import { assert, describe, it } from "@effect/vitest"
import { EmbeddedLog } from "@frazil/connect"
import { type FaultPointName, FaultPoint, makeRecordBuilder } from "@frazil/core"
import { Log } from "@frazil/engine"
import { OperationsAlerts } from "@frazil/model"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeSystemReadings, thresholdsDefault } from "../../src/watch/SystemReadings.ts"
import { watchSystem } from "../../src/watch/WatchSystem.ts"

const topic = "payments"

const append = Effect.fnUntraced(function* (records: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: topic, partitions: 1 })
  const builder = makeRecordBuilder()
  for (let i = 0; i < records; i++) builder.addText(`${i}`, null)
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic, partition: 0, records: builder.take() }])
})

/** A job that has read so far. */
const readTo = Effect.fnUntraced(function* (offset: number) {
  const log = yield* Log
  const { id: topicId, partitions } = yield* log.topic(topic)
  const id = { uid: "claims", stage: topic, shard: 0 }
  const [inForce] = yield* log.fence("claims", [id])
  const counts = { in: offset, out: {}, validated: offset, deadLettered: 0, failed: 0 }
  const detail = { maxEventTime: null, idle: false, counts, deltasFrom: null, finished: false }
  const commit = { id, epochRead: inForce?.epoch ?? 0, snapshots: [], detail, delta: null, outputs: [] }
  const shard = { ...commit, positions: [{ topic, topicId, partitions, offset }] }
  yield* log.commit({ owner: "claims", shards: [shard] })
})

const told = Effect.gen(function* () {
  const log = yield* Log
  const lines: Array<string> = []
  for (const { end, partition } of yield* log.bounds(OperationsAlerts.name)) {
    if (end === 0) continue
    const batch = yield* log.read(OperationsAlerts.name, partition, 0, { recordsMax: 100, bytesMax: 100_000 })
    for (let row = 0; row < batch.length; row++) {
      lines.push(Buffer.from(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])).toString())
    }
  }
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
})

const watchUntil = (ended: Effect.Effect<void>) =>
  watchSystem({
    ended,
    topic: OperationsAlerts,
    readings: makeSystemReadings([], { ...thresholdsDefault, lagRecordsMax: 50 }, () => []),
    everyMs: 1000
  })

const watch = watchUntil(Effect.never)

/** The contract takes no event time before 2000. */
const today = TestClock.setTime(Date.UTC(2026, 0, 14, 12))

/** Runs the watch for some looks, then ends it. */
const looks = (count: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(watch)
    for (let look = 0; look < count; look++) yield* TestClock.adjust(1000)
    yield* Fiber.interrupt(fiber)
  })

describe("a watched system", () => {
  it.effect("tells that a topic's lag left its bound, and that it came back, once each over restarts", () =>
    Effect.gen(function* () {
      yield* today
      yield* append(60)
      yield* readTo(20)
      yield* looks(3)
      assert.deepStrictEqual(yield* told, [])
      yield* append(60)
      yield* looks(3)
      yield* looks(3)
      yield* readTo(115)
      yield* looks(3)
      const records = yield* told
      assert.deepStrictEqual(
        records.map(({ kind, state, subject, threshold, value }) => ({ kind, state, subject, threshold, value })),
        [
          { kind: "lag", state: "firing", subject: topic, threshold: 50, value: 100 },
          { kind: "lag", state: "cleared", subject: topic, threshold: 50, value: 5 }
        ]
      )
      assert.match(String(records[0]?.["since"]), /^2026-01-14T12:00:0\d\.000Z$/)
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  for (const point of ["after-init", "before-epoch-commit", "after-epoch-commit"] satisfies Array<FaultPointName>) {
    it.effect(`tells it once when it dies at ${point}`, () =>
      Effect.gen(function* () {
        yield* today
        yield* append(120)
        yield* readTo(1)
        const hit = (name: FaultPointName) => (name === point ? Effect.die(new Error("dies here")) : Effect.void)
        const died = yield* Effect.exit(watch.pipe(Effect.provideService(FaultPoint, { hit })))
        assert.strictEqual(died._tag, "Failure")
        yield* looks(2)
        assert.deepStrictEqual(
          (yield* told).map(({ state }) => state),
          ["firing"]
        )
      }).pipe(Effect.provide(EmbeddedLog.layerMemory))
    )
  }
})

it.effect("what ends while a figure fires is looked at a last time", () =>
  Effect.gen(function* () {
    yield* today
    yield* append(120)
    yield* readTo(1)
    const ended = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(watchUntil(Deferred.await(ended)))
    yield* TestClock.adjust(10)
    yield* readTo(120)
    yield* Deferred.succeed(ended, undefined)
    yield* Fiber.join(fiber)
    assert.deepStrictEqual(
      (yield* told).map(({ state }) => state),
      ["firing", "cleared"]
    )
  }).pipe(Effect.provide(EmbeddedLog.layerMemory))
)

describe("dead letters", () => {
  it.effect("are counted by the minute", () =>
    Effect.gen(function* () {
      yield* append(10)
      const readings = makeSystemReadings([], thresholdsDefault, () => [])
      const log = yield* Log
      const count = Effect.map(readings, (all) => all.find(({ kind }) => kind === "dead_letters")?.value)
      const commit = Effect.fnUntraced(function* (deadLettered: number) {
        const { id: topicId, partitions } = yield* log.topic(topic)
        const id = { uid: "claims", stage: topic, shard: 0 }
        const [inForce] = yield* log.fence("claims", [id])
        const counts = { in: 10, out: {}, validated: 0, deadLettered, failed: 0 }
        const detail = { maxEventTime: null, idle: false, counts, deltasFrom: null, finished: false }
        const shard = { id, epochRead: inForce?.epoch ?? 0, snapshots: [], detail, delta: null, outputs: [] }
        const positions = [{ topic, topicId, partitions, offset: 10 }]
        yield* log.commit({ owner: "claims", shards: [{ ...shard, positions }] })
      })
      yield* commit(5)
      assert.strictEqual(yield* count, 0)
      yield* commit(8)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* count, 3)
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* count, 3)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* count, 0)
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )
})
