import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { collectInTime } from "../../src/memory/CollectInTime.ts"

const mebibyte = 1_048_576

/** Buffers that are in use, and those that nobody can reach any more. */
const makeMemory = (inUse: number, objects = 20 * mebibyte) => {
  const state = { inUse, garbage: 0, collections: 0 }
  const collect = () => {
    state.garbage = 0
    state.collections++
  }
  const used = () => {
    const bufferBytes = state.inUse + state.garbage
    return { bufferBytes, heapBytes: bufferBytes + objects }
  }
  return { state, collect, used }
}

/** Leaves so much behind in each tenth of a second; the most that there was. */
const work = Effect.fnUntraced(function* (memory: ReturnType<typeof makeMemory>, bytes: number, times: number) {
  const fiber = yield* Effect.forkChild(collectInTime(memory))
  yield* TestClock.adjust(100)
  let most = 0
  for (let time = 0; time < times; time++) {
    memory.state.garbage += bytes
    most = Math.max(most, memory.state.garbage)
    yield* TestClock.adjust(100)
  }
  yield* Fiber.interrupt(fiber)
  return most
})

describe("collectInTime", () => {
  it.effect("keeps what is left behind within its bound", () =>
    Effect.gen(function* () {
      const memory = makeMemory(10 * mebibyte)
      assert.isAtMost(yield* work(memory, 5 * mebibyte, 200), 53 * mebibyte)
      assert.strictEqual(memory.state.collections, 20)
    })
  )

  it.effect("collects the less often the more is in use", () =>
    Effect.gen(function* () {
      const memory = makeMemory(400 * mebibyte)
      assert.isAtMost(yield* work(memory, 5 * mebibyte, 200), 138 * mebibyte)
      assert.strictEqual(memory.state.collections, 7)
    })
  )

  it.effect("takes what grows and stays for in use", () =>
    Effect.gen(function* () {
      const memory = makeMemory(10 * mebibyte)
      const fiber = yield* Effect.forkChild(collectInTime(memory))
      yield* TestClock.adjust(100)
      memory.state.inUse = 200 * mebibyte
      yield* TestClock.adjust(1_000)
      assert.strictEqual(memory.state.collections, 1)
      memory.state.inUse = 20 * mebibyte
      yield* TestClock.adjust(100)
      memory.state.garbage = 49 * mebibyte
      yield* TestClock.adjust(100)
      assert.strictEqual(memory.state.collections, 2)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("leaves a heap of very many objects, and other runtimes, alone", () =>
    Effect.gen(function* () {
      const large = makeMemory(10 * mebibyte, 200 * mebibyte)
      yield* work(large, 5 * mebibyte, 50)
      assert.strictEqual(large.state.collections, 0)
      const other = makeMemory(10 * mebibyte)
      const fiber = yield* Effect.forkChild(collectInTime({ used: other.used, collect: undefined }))
      other.state.garbage = 500 * mebibyte
      yield* TestClock.adjust(1_000)
      assert.strictEqual(other.state.garbage, 500 * mebibyte)
      yield* Fiber.interrupt(fiber)
    })
  )
})
