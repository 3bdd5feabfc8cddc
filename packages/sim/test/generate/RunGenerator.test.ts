import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { partitionOf } from "@frazil/core"
import { LogError } from "@frazil/engine"
import { makeDelivery } from "../../src/generate/Delivery.ts"
import { makeTokenBucket } from "../../src/generate/TokenBucket.ts"
import { makeTransactions } from "../../src/generate/Transactions.ts"
import { type GeneratorProgress, runGenerator } from "../../src/generate/RunGenerator.ts"
import { makeFakeProducer } from "./FakeProducer.ts"

const startMs = 1_768_434_300_000

const open = Effect.fnUntraced(function* (
  rate: number,
  options: { readonly count?: number; readonly startMs?: number } = {}
) {
  const fake = makeFakeProducer(4)
  const outlet = yield* makeDelivery({ producer: fake.producer, topic: "raw-transactions", partitions: 4 })
  const bucket = yield* makeTokenBucket(rate)
  const reports: Array<GeneratorProgress> = []
  const running = yield* Effect.forkScoped(
    runGenerator({
      source: makeTransactions({ seed: 42 }),
      outlet,
      bucket,
      onProgress: (progress) => Effect.sync(() => reports.push(progress)),
      ...options
    }),
    { startImmediately: true }
  )
  const appended = () => fake.values.reduce((sum, values) => sum + values.length, 0)
  return { appended, bucket, fake, reports, running }
})

const decoder = new TextDecoder()

describe("runGenerator", () => {
  it.effect("generates at the rate, changes it while running, and delivers everything when interrupted", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(startMs)
      const { appended, bucket, fake, reports, running } = yield* open(10)
      yield* TestClock.adjust(10_000)
      assert.strictEqual(appended(), 100)
      yield* bucket.setRate(1_000)
      yield* TestClock.adjust(10_000)
      assert.isTrue(Math.abs(appended() - 10_100) <= 20)
      yield* Fiber.interrupt(running)
      const last = reports.at(-1)!
      assert.deepStrictEqual([last.delivered, last.buffered, last.rate], [appended(), 0, 1_000])
      assert.strictEqual(last.generated, last.delivered)
      const texts = fake.values.flat()
      assert.strictEqual(texts.filter((text) => text.includes(`"label"`)).length, last.labelled)
      assert.isTrue(last.labelled > 0 && reports.length >= 20)
    })
  )

  it.effect("keeps each account in the partition of its key", () =>
    Effect.gen(function* () {
      const { fake, running } = yield* open(100_000, { count: 5_000, startMs })
      yield* Fiber.join(running)
      const expected = fake.keys.map((keys) => keys.map((key) => partitionOf(key, 4)))
      assert.deepStrictEqual(
        expected.map((partitions) => [...new Set(partitions)]),
        [[0], [1], [2], [3]]
      )
      assert.strictEqual(fake.keys.flat().length, 5_000)
    })
  )

  it.effect("ends by itself at the count", () =>
    Effect.gen(function* () {
      const { appended, running } = yield* open(10, { count: 25 })
      yield* TestClock.adjust(60_000)
      const last = yield* Fiber.join(running)
      assert.deepStrictEqual([last.generated, last.delivered, appended()], [25, 25, 25])
    })
  )

  it.effect("with a start time makes the same records as the seed alone, at once", () =>
    Effect.gen(function* () {
      const { fake, running } = yield* open(100, { count: 3_000, startMs })
      yield* Fiber.join(running)
      const generator = makeTransactions({ seed: 42 })
      const expected = Array.from({ length: 3_000 }, (_, index) => {
        const made = generator.next(startMs + index * 10)
        return decoder.decode(made.bytes.subarray(0, made.length))
      })
      assert.deepStrictEqual(fake.values.flat().toSorted(), expected.toSorted())
    })
  )

  it.effect("stops generating when the buffer is full, says so, and goes on after the outage with nothing lost", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(startMs)
      const { appended, fake, reports, running } = yield* open(1_000)
      fake.setMode("down")
      yield* TestClock.adjust(60_000)
      const full = reports.at(-1)!
      assert.deepStrictEqual([full.full, full.state, full.generated, full.buffered], [true, "paused", 10_000, 10_000])
      yield* TestClock.adjust(60_000)
      assert.strictEqual(reports.at(-1)!.generated, 10_000)
      fake.setMode("up")
      yield* TestClock.adjust(70_000)
      yield* Fiber.interrupt(running)
      const last = reports.at(-1)!
      assert.isFalse(last.full)
      assert.isTrue(last.generated > 10_000 && last.withheld > 90_000)
      assert.deepStrictEqual([last.delivered, appended()], [last.generated, last.generated])
      assert.strictEqual(new Set(fake.values.flat()).size, last.generated)
      const ids = fake.values[0]!.map((text) => text.slice(19, 55))
      assert.deepStrictEqual(ids, ids.toSorted())
    })
  )

  it.effect("interrupted during an outage it gives up after a bounded time and says what is left", () =>
    Effect.gen(function* () {
      const { fake, reports, running } = yield* open(10)
      fake.setMode("down")
      yield* TestClock.adjust(5_000)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running), { startImmediately: true })
      yield* TestClock.adjust(10_000)
      yield* Fiber.join(stopping)
      const last = reports.at(-1)!
      assert.deepStrictEqual([last.generated, last.delivered, last.buffered], [50, 0, 50])
    })
  )

  it.effect("fails when the producer is fenced", () =>
    Effect.gen(function* () {
      const { fake, running } = yield* open(10)
      fake.setMode("fenced")
      yield* TestClock.adjust(1_000)
      const error = yield* Effect.flip(Fiber.join(running))
      assert.isTrue(error instanceof LogError && error.reason === "Fenced")
    })
  )
})
