import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { LogError } from "@frazil/engine"
import { makeDelivery } from "../../src/generate/Delivery.ts"
import type { Outlet } from "../../src/generate/Outlet.ts"
import type { GeneratedRecord } from "../../src/generate/RecordSource.ts"
import { makeFakeProducer } from "./FakeProducer.ts"

const record = (number: number): GeneratedRecord => {
  const bytes = new TextEncoder().encode(`{"key":"k${number}"}`)
  return { bytes, length: bytes.length, keyStart: 8, keyEnd: bytes.length - 2, label: undefined }
}

const open = Effect.fnUntraced(function* (partitions = 1, nextSequence = 0) {
  const fake = makeFakeProducer(partitions, nextSequence)
  const outlet = yield* makeDelivery({ producer: fake.producer, topic: "raw-transactions", partitions })
  const running = yield* Effect.forkScoped(outlet.run)
  let next = 0
  /** Adds the next records, round robin over the partitions; never more than there is room for. */
  const add = Effect.fnUntraced(function* (count: number) {
    for (let turn = 0; turn < count; turn++) outlet.add(next % partitions, record(next++))
    yield* outlet.flush
  })
  return { fake, outlet, running, add }
})

/** Every number below `count` once, each partition's in order. */
const assertAll = (values: ReadonlyArray<ReadonlyArray<string>>, count: number): void => {
  values.forEach((texts, partition) => {
    const expected = Array.from({ length: count }, (_, number) => number)
      .filter((number) => number % values.length === partition)
      .map((number) => `{"key":"k${number}"}`)
    assert.deepStrictEqual(texts, expected)
  })
}

const ends = <A>(effect: Effect.Effect<A, LogError>) =>
  Effect.map(Effect.forkChild(effect, { startImmediately: true }), (fiber) => () => fiber.pollUnsafe() !== undefined)

const settle = (outlet: Outlet<LogError>) =>
  Effect.andThen(
    outlet.drain,
    Effect.sync(() => outlet.status())
  )

describe("Delivery", () => {
  it.effect("appends with keys, partitions and sequence numbers that go on where the producer stands", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open(4, 17)
      yield* add(10)
      yield* add(5)
      const status = yield* settle(outlet)
      assertAll(fake.values, 15)
      assert.strictEqual(fake.keys[1]![0], "k1")
      assert.deepStrictEqual(status, {
        delivered: 15,
        buffered: 0,
        failures: 0,
        state: "delivering",
        problem: undefined,
        nextAttemptMs: undefined
      })
    })
  )

  it.effect("a short failure is retried at once and counts as no failed delivery", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open()
      fake.setMode("down")
      yield* add(1)
      yield* TestClock.adjust(50)
      fake.setMode("up")
      yield* TestClock.adjust(100)
      assert.strictEqual(fake.attempts(), 2)
      assert.strictEqual((yield* settle(outlet)).failures, 0)
      assertAll(fake.values, 1)
    })
  )

  it.effect("ten failed deliveries in a row pause it: 1 s, 2 s, 4 s … up to 60 s between attempts", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open()
      fake.setMode("down")
      yield* add(1)
      // 10 deliveries of 3 attempts: 300 ms of retries each, 500 ms between them
      yield* TestClock.adjust(10 * 300 + 9 * 500 - 1)
      assert.strictEqual(outlet.status().state, "retrying")
      yield* TestClock.adjust(501)
      assert.deepStrictEqual([outlet.status().state, outlet.status().failures], ["paused", 10])
      assert.strictEqual(outlet.status().problem, "the log is Unavailable")
      let before = fake.attempts()
      assert.strictEqual(before, 30)
      let paused = 500
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
        yield* TestClock.adjust(seconds * 1_000 - paused - 1)
        assert.strictEqual(fake.attempts(), before, `no attempt within ${seconds} s`)
        yield* TestClock.adjust(1 + 300)
        assert.strictEqual(fake.attempts(), before + 3, `one delivery after ${seconds} s`)
        before = fake.attempts()
        paused = 0
      }
      assert.strictEqual(outlet.status().failures, 18)
    })
  )

  it.effect("what was buffered in an outage is delivered in order on recovery, once", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open(4)
      yield* add(100)
      yield* settle(outlet)
      fake.setMode("down")
      for (let second = 0; second < 120; second++) {
        yield* add(10)
        yield* TestClock.adjust(1_000)
      }
      assert.deepStrictEqual([outlet.status().state, outlet.status().buffered], ["paused", 1_200])
      fake.setMode("up")
      yield* TestClock.adjust(60_000)
      const status = yield* settle(outlet)
      assert.deepStrictEqual([status.state, status.delivered, status.problem], ["delivering", 1_300, undefined])
      assertAll(fake.values, 1_300)
    })
  )

  it.effect("holds at most 10,000 records: then there is no room until the log takes some", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open()
      fake.setMode("down")
      yield* add(1)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* outlet.awaitRoom, 9_999)
      yield* add(9_999)
      const roomy = yield* ends(outlet.awaitRoom)
      yield* TestClock.adjust(3_600_000)
      assert.isFalse(roomy())
      assert.strictEqual(outlet.status().buffered, 10_000)
      fake.setMode("up")
      yield* TestClock.adjust(60_000)
      assert.isTrue(roomy())
      yield* settle(outlet)
      assertAll(fake.values, 10_000)
    })
  )

  it.effect("an append whose answer was lost is repeated, not doubled", () =>
    Effect.gen(function* () {
      const { add, fake, outlet } = yield* open()
      for (const mode of ["lost", "silent"] as const) {
        fake.setMode(mode)
        yield* add(10)
        yield* TestClock.adjust(5_000)
        // these wait: the unit under way keeps the records it was sent with
        yield* add(10)
        yield* TestClock.adjust(120_000)
        fake.setMode("up")
        yield* TestClock.adjust(60_000)
      }
      const status = yield* settle(outlet)
      assert.strictEqual(status.delivered, 40)
      assert.isTrue(status.failures > 0)
      assertAll(fake.values, 40)
    })
  )

  it.effect("a fenced producer ends it with the log's reason", () =>
    Effect.gen(function* () {
      const { add, fake, running } = yield* open()
      fake.setMode("fenced")
      yield* add(1)
      const exit = yield* Fiber.await(running)
      assert.isTrue(Exit.isFailure(exit))
      const error = yield* Effect.flip(Fiber.join(running))
      assert.strictEqual(error.reason, "Fenced")
      assert.strictEqual(fake.attempts(), 1)
    })
  )
})
