/**
 * Conformance of a log's topics, bounds and trimming.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import {
  appendValues,
  connect,
  type FreshLog,
  numbered,
  openFresh,
  pack,
  readAll,
  reasonOf,
  wide
} from "./LogFixture.ts"

export const topicConformance = (fresh: FreshLog): void => {
  topicLives(fresh)
  bounds(fresh)
  waiting(fresh)
}

const topicLives = (fresh: FreshLog): void => {
  it.live("a topic is made once, and found again by every connection", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const log = yield* connect(layer)
      const made = yield* log.ensureTopic({ name: "a", partitions: 3 })
      const other = yield* connect(layer)
      assert.deepStrictEqual(yield* other.ensureTopic({ name: "a", partitions: 3 }), made)
      assert.deepStrictEqual(yield* other.topic("a"), made)
      assert.strictEqual(made.partitions, 3)
      yield* log.ensureTopic({ name: "b", partitions: 1 })
      assert.deepStrictEqual((yield* other.topics).map(({ name }) => name).sort(), ["a", "b"])
    })
  )

  it.live("another number of partitions is refused", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 3 })
      assert.strictEqual(yield* reasonOf(log.ensureTopic({ name: "a", partitions: 4 })), "TopicDiffers")
    })
  )

  it.live("a topic that does not exist is missing for every operation", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      const producer = yield* log.producer("p")
      for (const operation of [
        log.topic("none"),
        log.deleteTopic("none"),
        log.bounds("none"),
        log.read("none", 0, 0, wide),
        log.offsetAt("none", 0, 0),
        log.trim("none", 0, 0),
        producer.append(0, [{ topic: "none", partition: 0, records: pack("x") }])
      ]) {
        assert.strictEqual(yield* reasonOf(Effect.asVoid(operation)), "TopicMissing")
      }
    })
  )

  it.live("rule 9: a topic made anew has another id, no records and offsets from the start", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      const before = yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* appendValues(log, "a", 1, pack("old"))
      yield* log.deleteTopic("a")
      assert.deepStrictEqual(yield* log.topics, [])
      const after = yield* log.ensureTopic({ name: "a", partitions: 2 })
      assert.notStrictEqual(after.id, before.id)
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values, [])
      yield* appendValues(log, "a", 1, pack("new"))
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values, ["new"])
    })
  )
}

const bounds = (fresh: FreshLog): void => {
  it.live("bounds hold what a partition keeps; a partition has its own", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      for (const bound of yield* log.bounds("a")) assert.strictEqual(bound.start, bound.end)
      const first = yield* appendValues(log, "a", 1, pack("x", "y", "z"))
      const [empty, kept] = yield* log.bounds("a")
      assert.strictEqual(empty!.start, empty!.end)
      assert.strictEqual(kept!.partition, 1)
      assert.strictEqual(kept!.start, first)
      assert.isAtLeast(kept!.end, first + 3)
    })
  )

  it.live("rule 16: trimming removes what lies below, and nothing else; offsets of the rest stay", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 2 })
      yield* appendValues(log, "a", 0, pack(...numbered("a", 10)))
      yield* appendValues(log, "a", 0, pack(...numbered("b", 10)))
      yield* appendValues(log, "a", 1, pack("other"))
      const before = yield* readAll(log, "a")
      const offset = before.offsets[13]!
      yield* log.trim("a", 0, offset)
      const after = yield* readAll(log, "a")
      assert.deepStrictEqual(after.offsets, before.offsets.slice(13))
      assert.deepStrictEqual(after.values, before.values.slice(13))
      assert.deepStrictEqual((yield* readAll(log, "a", 1)).values, ["other"])
      // trimming again, lower, changes nothing
      yield* log.trim("a", 0, before.offsets[2]!)
      assert.strictEqual((yield* log.bounds("a"))[0]!.start, offset)
      yield* log.trim("a", 0, (yield* log.bounds("a"))[0]!.end)
      assert.deepStrictEqual((yield* readAll(log, "a")).values, [])
      assert.isAbove(yield* appendValues(log, "a", 0, pack("c")), before.offsets[19]!)
    })
  )

  it.live("rule 3: an offset below the start or beyond the end is refused, never reset", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      yield* appendValues(log, "a", 0, pack(...numbered("a", 10)))
      const { offsets } = yield* readAll(log, "a")
      yield* log.trim("a", 0, offsets[5]!)
      const end = (yield* log.bounds("a"))[0]!.end
      assert.strictEqual(yield* reasonOf(log.read("a", 0, offsets[4]!, wide)), "OffsetOutOfRange")
      assert.strictEqual(yield* reasonOf(log.read("a", 0, end + 1, wide)), "OffsetOutOfRange")
      assert.strictEqual(yield* reasonOf(log.read("a", 0, Number.NaN, wide)), "OffsetOutOfRange")
      assert.strictEqual((yield* log.read("a", 0, end, wide)).length, 0)
      assert.strictEqual(yield* reasonOf(log.trim("a", 0, end + 1)), "OffsetOutOfRange")
      assert.strictEqual(yield* reasonOf(log.read("a", 7, 0, wide)), "TopicDiffers")
    })
  )
}

const waiting = (fresh: FreshLog): void => {
  it.live("whoever waits is woken by an append of its own connection and of another", () =>
    Effect.gen(function* () {
      const layer = yield* fresh
      const log = yield* connect(layer)
      const other = yield* connect(layer)
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      for (const writer of [log, other]) {
        const waiter = yield* Effect.forkChild(log.awaitAppend(60_000), { startImmediately: true })
        yield* appendValues(writer, "a", 0, pack("x"))
        yield* Fiber.join(waiter)
      }
    })
  )

  it.live("waiting ends after its time", () =>
    Effect.gen(function* () {
      const log = yield* openFresh(fresh)
      yield* log.awaitAppend(30)
      yield* log.awaitAppend(0)
    })
  )
}
