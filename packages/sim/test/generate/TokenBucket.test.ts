import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeTokenBucket, type TokenBucket } from "../../src/generate/TokenBucket.ts"

/** Takes for ever, counting. */
const count = (bucket: TokenBucket, max = 10_000) => {
  const counted = { tokens: 0 }
  return Effect.as(
    Effect.forkChild(Effect.forever(Effect.map(bucket.take(max), (tokens) => (counted.tokens += tokens))), {
      startImmediately: true
    }),
    counted
  )
}

describe("TokenBucket", () => {
  for (const rate of [0.5, 3, 10, 33.3, 1_000, 100_000]) {
    it.effect(`grants ${rate} a second exactly, however long`, () =>
      Effect.gen(function* () {
        const bucket = yield* makeTokenBucket(rate)
        const counted = yield* count(bucket)
        for (const seconds of rate > 100 ? [60] : [60, 300]) {
          yield* TestClock.setTime(seconds * 1_000)
          assert.isTrue(counted.tokens <= rate * seconds)
          assert.isTrue(rate * seconds - counted.tokens <= Math.max(1, rate * 0.02), `${counted.tokens}`)
        }
        assert.strictEqual(yield* bucket.forfeited, 0)
      })
    )
  }

  it.effect("does not drift with takers that come at odd times", () =>
    Effect.gen(function* () {
      const bucket = yield* makeTokenBucket(10)
      let taken = 0
      for (let step = 1; step <= 1_000; step++) {
        yield* TestClock.adjust(37 + ((step * 61) % 300))
        const fiber = yield* Effect.forkChild(bucket.take(100), { startImmediately: true })
        const exit = fiber.pollUnsafe()
        if (exit !== undefined && Exit.isSuccess(exit)) taken += exit.value
        yield* Fiber.interrupt(fiber)
      }
      let passedMs = 0
      for (let step = 1; step <= 1_000; step++) passedMs += 37 + ((step * 61) % 300)
      assert.strictEqual(taken, Math.floor(passedMs / 100))
    })
  )

  it.effect("takes a changed rate at once and exactly from then on", () =>
    Effect.gen(function* () {
      const bucket = yield* makeTokenBucket(10)
      const counted = yield* count(bucket)
      yield* TestClock.adjust(1_050)
      yield* bucket.setRate(1_000)
      assert.strictEqual(yield* bucket.rate, 1_000)
      yield* TestClock.adjust(2_000)
      assert.isTrue(Math.abs(counted.tokens - 2_010) <= 20)
      yield* bucket.setRate(0)
      yield* TestClock.adjust(60_000)
      const paused = counted.tokens
      assert.strictEqual(paused, 2_010)
      yield* bucket.setRate(2)
      yield* TestClock.adjust(5_250)
      assert.strictEqual(counted.tokens, paused + 11)
    })
  )

  it.effect("wakes a taker that sleeps at a very low rate within 250 ms of a raise", () =>
    Effect.gen(function* () {
      const bucket = yield* makeTokenBucket(0.001)
      const counted = yield* count(bucket)
      yield* TestClock.adjust(10_000)
      yield* bucket.setRate(1_000)
      yield* TestClock.adjust(250)
      assert.isTrue(counted.tokens >= 200)
    })
  )

  it.effect("keeps one second's worth for a taker that stayed away, and counts the rest", () =>
    Effect.gen(function* () {
      const bucket = yield* makeTokenBucket(100)
      yield* TestClock.adjust(60_000)
      assert.strictEqual(yield* bucket.take(10_000), 100)
      assert.strictEqual(yield* bucket.forfeited, 5_900)
    })
  )

  it.effect("refuses rates that are none", () =>
    Effect.gen(function* () {
      const bucket = yield* makeTokenBucket(10)
      for (const rate of [-1, NaN, Infinity, 100_001]) {
        const error = yield* Effect.flip(bucket.setRate(rate))
        assert.match(error.message, /from 0 to 100000/)
      }
      assert.strictEqual(yield* bucket.rate, 10)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(makeTokenBucket(-1))))
    })
  )
})
