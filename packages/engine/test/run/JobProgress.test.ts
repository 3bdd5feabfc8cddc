/**
 * What a stopped or running system tells about its jobs: from their records in force alone.
 */
import { assert, describe, it } from "@effect/vitest"
import { EmbeddedLog } from "@frazil/connect"
import { makeRecordBuilder } from "@frazil/core"
import { Effect } from "effect"
import { Log } from "../../src/log/Log.ts"
import { jobProgress } from "../../src/run/JobProgress.ts"
import { claimsJob, Payments } from "../support/Claims.ts"
import { append, world } from "../support/Harness.ts"
import { emptyDetail, type ShardDetail } from "../../src/run/ShardDetail.ts"

const topic = "clicks"

const appendTo = Effect.fnUntraced(function* (partition: number, count: number) {
  const log = yield* Log
  const builder = makeRecordBuilder()
  for (let i = 0; i < count; i++) builder.addText(`${i}`, null)
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic, partition, records: builder.take() }])
})

/** Commits a shard as a task does. */
const commitShard = Effect.fnUntraced(function* (shard: number, offset: number, detail: Partial<ShardDetail>) {
  const log = yield* Log
  const info = yield* log.topic(topic)
  const id = { uid: "sessions", stage: topic, shard }
  const [inForce] = yield* log.fence("test", [id])
  const position = { topic, topicId: info.id, partitions: info.partitions, offset }
  const whole: ShardDetail = { ...emptyDetail, counts: { ...emptyDetail.counts, in: offset }, ...detail }
  const commit = {
    id,
    epochRead: inForce?.epoch ?? 0,
    positions: [position],
    snapshots: [],
    detail: whole,
    delta: null,
    outputs: []
  }
  yield* log.commit({ owner: "test", shards: [commit] })
})

const twoPartitions = Log.use((log) => log.ensureTopic({ name: topic, partitions: 2 }))

describe("jobProgress", () => {
  it.effect("counts what no epoch has read, also in partitions that never committed", () =>
    Effect.gen(function* () {
      yield* twoPartitions
      yield* appendTo(0, 10)
      yield* appendTo(1, 5)
      yield* commitShard(0, 7, {})
      const [stage, ...others] = yield* jobProgress([])
      assert.deepStrictEqual(others, [])
      assert.deepInclude(stage, { job: "sessions", topic, lag: 8, finished: false, problem: undefined })
      assert.deepInclude(stage?.shards[0], { partition: 0, epoch: 1, position: 7, end: 10 })
      yield* commitShard(0, 10, { finished: true })
      assert.isFalse((yield* jobProgress([]))[0]?.finished)
      yield* commitShard(1, 5, { finished: true })
      const [all] = yield* jobProgress([])
      assert.deepInclude(all, { lag: 0, finished: true, counts: { ...emptyDetail.counts, in: 15 } })
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("holds the watermark where records in flight hold it, also those of an idle partition", () =>
    Effect.gen(function* () {
      yield* append(Payments, [])
      const log = yield* Log
      const { id: topicId } = yield* log.topic(Payments.name)
      const commit = Effect.fnUntraced(function* (shard: number, detail: Partial<ShardDetail>) {
        const id = { uid: "claims", stage: Payments.name, shard }
        const [inForce] = yield* log.fence("test", [id])
        const positions = [{ topic: Payments.name, topicId, partitions: 2, offset: 0 }]
        const whole = { ...emptyDetail, ...detail }
        const part = {
          id,
          epochRead: inForce?.epoch ?? 0,
          positions,
          snapshots: [],
          detail: whole,
          delta: null,
          outputs: []
        }
        yield* log.commit({ owner: "test", shards: [part] })
        return (yield* jobProgress([claimsJob({})]))[0]?.watermarkMs
      })
      // out-of-orderness is 5 s
      assert.strictEqual(yield* commit(0, { maxEventTime: 100_000 }), 95_000)
      assert.strictEqual(yield* commit(1, { maxEventTime: 90_000, idle: true, heldWatermark: 60_000 }), 60_000)
      assert.strictEqual(yield* commit(0, { maxEventTime: 100_000, heldWatermark: 50_000 }), 50_000)
      assert.isUndefined(yield* commit(1, { maxEventTime: 90_000, idle: true, heldWatermark: null }))
      assert.strictEqual(yield* commit(1, { maxEventTime: 90_000, idle: true }), 50_000)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not count what retention removed", () =>
    Effect.gen(function* () {
      yield* twoPartitions
      yield* appendTo(0, 10)
      yield* commitShard(0, 2, {})
      yield* Log.use((log) => log.trim(topic, 0, 6))
      assert.strictEqual((yield* jobProgress([]))[0]?.lag, 4)
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("tells when the topic is another than the one that was read, or gone", () =>
    Effect.gen(function* () {
      yield* twoPartitions
      yield* commitShard(0, 0, {})
      const log = yield* Log
      yield* log.deleteTopic(topic)
      assert.strictEqual((yield* jobProgress([]))[0]?.problem, "topic clicks does not exist")
      yield* twoPartitions
      assert.include((yield* jobProgress([]))[0]?.problem, "was deleted and made anew")
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("leaves out landings and feeds, which are no jobs", () =>
    Effect.gen(function* () {
      const log = yield* Log
      yield* log.fence("test", [{ uid: "land.clicks", stage: "landing", shard: 0 }])
      const shard = {
        id: { uid: "land.clicks", stage: "landing", shard: 0 },
        epochRead: 0,
        positions: [],
        snapshots: []
      }
      yield* log.commit({ owner: "test", shards: [{ ...shard, detail: {}, delta: null, outputs: [] }] })
      assert.deepStrictEqual(yield* jobProgress([]), [])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )
})
