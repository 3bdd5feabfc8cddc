/**
 * Conformance of a log's idempotent producers: once, in order, by the last opener.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Append } from "@frazil/engine"
import { connect, type FreshLog, openFresh, pack, readAll, reasonOf } from "./LogFixture.ts"

const to = (partition: number, ...values: ReadonlyArray<string>): Append => ({
  topic: "a",
  partition,
  records: pack(...values)
})

export const producerConformance = (fresh: FreshLog): void => {
  it.live("a batch sent again is acknowledged with where it landed, and appended once", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      const producer = yield* log.producer("p")
      assert.strictEqual(producer.nextSequence, 0)
      const first = yield* producer.append(0, [to(0, "x"), to(1, "y")])
      assert.deepStrictEqual(yield* producer.append(0, [to(0, "x"), to(1, "y")]), first)
      const second = yield* producer.append(1, [to(0, "z")])
      assert.deepStrictEqual(yield* producer.append(1, [to(0, "z")]), second)
      assert.strictEqual(producer.nextSequence, 2)
      assert.deepStrictEqual((yield* readAll(log, "a", 0)).values, ["x", "z"])
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values, ["y"])
    })
  )

  it.live("a gap in the sequence is refused", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const producer = yield* log.producer("p")
      yield* producer.append(0, [to(0, "x")])
      assert.strictEqual(yield* reasonOf(producer.append(2, [to(0, "z")])), "SequenceGap")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["x"])
    })
  )

  it.live("a second opening goes on where the first stopped, and fences it", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const log = yield* connect(layer)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const older = yield* log.producer("p")
      yield* older.append(0, [to(0, "x")])
      const newer = yield* (yield* connect(layer)).producer("p")
      assert.strictEqual(newer.nextSequence, 1)
      assert.strictEqual(yield* reasonOf(older.append(1, [to(0, "zombie")])), "Fenced")
      yield* newer.append(1, [to(0, "y")])
      assert.strictEqual(yield* reasonOf(older.append(1, [to(0, "zombie")])), "Fenced")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["x", "y"])
    })
  )

  it.live("producers of other names do not disturb each other", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const one = yield* log.producer("one")
      const two = yield* log.producer("two")
      yield* one.append(0, [to(0, "x")])
      yield* two.append(0, [to(0, "y")])
      yield* one.append(1, [to(0, "z")])
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["x", "y", "z"])
    })
  )

  it.live("batches of one append stand or fall together", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      const producer = yield* log.producer("p")
      const broken = producer.append(0, [to(0, "x"), { topic: "none", partition: 0, records: pack("y") }])
      assert.strictEqual(yield* reasonOf(broken), "TopicMissing")
      assert.deepStrictEqual((yield* readAll(log, "a")).values, [])
      yield* producer.append(0, [to(0, "x")])
      assert.deepStrictEqual((yield* readAll(log, "a")).values, ["x"])
    })
  )
}
