import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { boundsOnce } from "../../src/log/BoundsOnce.ts"
import { Log, type LogShape } from "../../src/log/Log.ts"
import { LogError } from "../../src/log/LogError.ts"

it.effect("asks for a topic's bounds once in a look, again in another, and after a failure", () => {
  const asked: Array<string> = []
  let out = false
  const log: Pick<LogShape, "bounds"> = {
    bounds: (topic) =>
      Effect.suspend(() => {
        asked.push(topic)
        return out
          ? Effect.fail(new LogError({ reason: "Unavailable", message: "the log is out of reach" }))
          : Effect.succeed([{ partition: 0, start: 0, end: asked.length }])
      })
  }
  return Effect.gen(function* () {
    const first = yield* boundsOnce
    yield* first("a")
    yield* first("b")
    assert.strictEqual((yield* first("a"))[0]?.end, 1)
    assert.deepStrictEqual(asked, ["a", "b"])
    const second = yield* boundsOnce
    out = true
    assert.strictEqual((yield* Effect.flip(second("a"))).reason, "Unavailable")
    out = false
    assert.strictEqual((yield* second("a"))[0]?.end, 4)
    // the cast: nothing else is asked for
  }).pipe(Effect.provideService(Log, log as LogShape))
})
