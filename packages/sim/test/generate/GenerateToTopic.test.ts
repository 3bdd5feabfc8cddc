import { EmbeddedLog } from "@frazil/connect"
import { Log, LogError } from "@frazil/engine"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { openTopic } from "../../src/generate/GenerateToTopic.ts"

/** Opens a topic on a log that refuses its producer so often; how that ended within a minute, and how often it was asked. */
const opened = (refusals: number, reason: LogError["reason"]) =>
  Effect.gen(function* () {
    const log = yield* Log
    let asked = 0
    const producer = (name: string) =>
      Effect.suspend(() =>
        asked++ < refusals ? Effect.fail(new LogError({ reason, message: "not ready" })) : log.producer(name)
      )
    const opening = yield* openTopic("transactions", "test").pipe(
      Effect.scoped,
      Effect.provideService(Log, { ...log, producer }),
      Effect.forkChild
    )
    yield* TestClock.adjust("1 minute")
    return { opened: Exit.isSuccess(yield* Fiber.await(opening)), asked }
  }).pipe(Effect.provide(EmbeddedLog.layerMemory))

describe("a generator's topic", () => {
  it.effect("is opened on a broker that has just started, as soon as that knows its producers", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* opened(5, "Unavailable"), { opened: true, asked: 6 })
    })
  )

  it.effect("is not opened on one that never does, nor on one that refuses", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* opened(1_000, "Unavailable")).opened)
      assert.deepStrictEqual(yield* opened(1, "Refused"), { opened: false, asked: 1 })
    })
  )
})
