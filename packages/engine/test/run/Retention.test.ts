/**
 * Retention removes what everybody has read and what is old enough, and nothing else (protocol, rule 16).
 */
import { assert, describe, it } from "@effect/vitest"
import { EmbeddedLog } from "@frazil/connect"
import { makeRecordBuilder } from "@frazil/core"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Log, type LogError, type LogReader, runRetention, trimLog } from "../../src/index.ts"
import type { ShardId } from "../../src/log/Log.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const topic = "clicks"
const job: LogReader = { topic, uid: "sessions", stage: topic }
const landing: LogReader = { topic, uid: "land.clicks", stage: "landing" }
const readers = [job, landing]
/** So old that everything appended before is older. */
const any = { readers, ageMs: 0 }

/** A batch of ten records in each of two partitions. */
const appendTens = Effect.fnUntraced(function* (batches: number) {
  const log = yield* Log
  yield* log.ensureTopic({ name: topic, partitions: 2 })
  const producer = yield* Effect.scoped(log.producer("test"))
  for (let batch = 0; batch < batches; batch++) {
    const tens = [0, 1].map((partition) => {
      const builder = makeRecordBuilder()
      for (let i = 0; i < 10; i++) builder.addText(`${batch}.${i}`, null)
      return { topic, partition, records: builder.take() }
    })
    yield* producer.append(producer.nextSequence, tens)
  }
  // what was appended is in the past now
  yield* TestClock.adjust(1)
})

const commit = Effect.fnUntraced(function* (id: ShardId, offsets: ReadonlyArray<number>, topicId?: string) {
  const log = yield* Log
  const info = yield* log.topic(topic)
  const [inForce] = yield* log.fence("test", [id])
  const positions = offsets.map((offset) => ({ topic, topicId: topicId ?? info.id, partitions: 2, offset }))
  const shard = { id, epochRead: inForce?.epoch ?? 0, positions, snapshots: [], detail: null, delta: null, outputs: [] }
  yield* log.commit({ owner: "test", shards: [shard] })
})

const jobAt = (partition: number, offset: number) =>
  commit({ uid: job.uid, stage: job.stage, shard: partition }, [offset])
const landingAt = (...offsets: ReadonlyArray<number>) =>
  commit({ uid: landing.uid, stage: landing.stage, shard: 0 }, offsets)

const starts = Log.use((log) => log.bounds(topic)).pipe(Effect.map((bounds) => bounds.map(({ start }) => start)))

describe("retention", () => {
  it.effect("waits for the slowest: a job behind its landing, and a landing behind its job", () =>
    Effect.gen(function* () {
      yield* appendTens(3)
      yield* jobAt(0, 12)
      yield* jobAt(1, 30)
      yield* landingAt(30, 8)
      assert.deepStrictEqual(yield* trimLog(any), [
        { topic, partition: 0, start: 12 },
        // the record before a landing's mark tells it later that this is still the log that landed
        { topic, partition: 1, start: 7 }
      ])
      assert.deepStrictEqual(yield* starts, [12, 7])
      assert.deepStrictEqual(yield* trimLog(any), [])
      yield* jobAt(0, 25)
      yield* trimLog(any)
      assert.deepStrictEqual(yield* starts, [25, 7])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("removes nothing that a declared reader never read, nor what it read of the topic's former life", () =>
    Effect.gen(function* () {
      yield* appendTens(2)
      yield* landingAt(20, 20)
      assert.deepStrictEqual(yield* trimLog(any), [])
      yield* jobAt(0, 20)
      // of partition 1 the job has no position yet
      yield* trimLog(any)
      assert.deepStrictEqual(yield* starts, [19, 0])
      yield* commit({ uid: job.uid, stage: job.stage, shard: 1 }, [20], "another.1")
      assert.deepStrictEqual(yield* trimLog(any), [])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("waits for readers that nobody declared, and for nobody where there are none", () =>
    Effect.gen(function* () {
      yield* appendTens(2)
      yield* commit({ uid: "former", stage: topic, shard: 0 }, [5])
      yield* trimLog({ readers: [], ageMs: 0 })
      // a job that committed in one partition will read the others
      assert.deepStrictEqual(yield* starts, [5, 0])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("removes by age alone what nobody reads, in whole batches", () =>
    Effect.gen(function* () {
      yield* appendTens(1)
      yield* TestClock.adjust("10 minutes")
      yield* appendTens(1)
      yield* TestClock.adjust("5 minutes")
      yield* trimLog({ readers: [], ageMs: 10 * 60_000 })
      assert.deepStrictEqual(yield* starts, [10, 10])
      yield* TestClock.adjust("5 minutes")
      yield* trimLog({ readers: [], ageMs: 10 * 60_000 })
      assert.deepStrictEqual(yield* starts, [20, 20])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("comes again by itself, and makes up for a round that failed", () =>
    Effect.gen(function* () {
      yield* appendTens(1)
      const log = yield* Log
      let failing = true
      const failure = { _tag: "LogError", reason: "Unavailable", message: "busy" } as LogError // of its shape
      const sometimes = { ...log, topics: Effect.suspend(() => (failing ? Effect.fail(failure) : log.topics)) }
      const running = yield* Effect.forkChild(
        runRetention({ readers: [], ageMs: 60_000 }).pipe(Effect.provideService(Log, sometimes))
      )
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* starts, [0, 0])
      failing = false
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* starts, [10, 10])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.live("never takes from a job what it has not read, nor after a crash", () =>
    Effect.gen(function* () {
      const lines = paymentLines(300)
      yield* append(Payments, lines)
      const source: LogReader = { topic: Payments.name, uid: accounts.name, stage: Payments.name }
      // the answers are looked at in the end: somebody who has not read them holds them
      const watching = ["totals", "large", "dead-letter"].map((name) => ({ topic: name, uid: "test", stage: name }))
      const log = yield* Log
      const trim = trimLog({ readers: [source, ...watching], ageMs: -60_000 }).pipe(Effect.provideService(Log, log))
      assert.deepStrictEqual(yield* trim, [])
      let trims = 0
      // after every epoch retention takes all that it may
      const trimming: typeof log = {
        ...log,
        commit: (epoch) =>
          Effect.tap(log.commit(epoch), () => Effect.tap(trim, (gone) => Effect.sync(() => (trims += gone.length))))
      }
      const run = runToEnd(accounts, { epochRecords: 20, checkpointEveryMs: 0 }).pipe(
        Effect.provideService(Log, trimming)
      )
      assert.isTrue(Exit.isFailure(yield* Effect.exit(run.pipe(crashAt("after-epoch-commit", 7)))))
      assert.isAbove(trims, 5)
      yield* run
      yield* assertAnswers(lines)
      const bounds = yield* log.bounds(Payments.name)
      assert.isTrue(bounds.every(({ end, start }) => start === end))
    }).pipe(Effect.provide(world))
  )
})
