/** Who wants the log for itself waits for places that nobody has any more, and for no others. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { workingMembers } from "../../src/kafka/instances/Working.ts"

const sessionTimeoutMs = 6_000

/** A coordinator that lists each name until its time. */
const coordinator = (places: Readonly<Record<string, number>>) => {
  let looks = 0
  const members = Effect.map(Clock.currentTimeMillis, (now) => {
    looks++
    return Object.keys(places).filter((name) => now < places[name]!)
  })
  return { members, looks: () => looks }
}

const told = (places: Readonly<Record<string, number>>, afterMs: number) =>
  Effect.gen(function* () {
    const { looks, members } = coordinator(places)
    const fiber = yield* Effect.forkChild(workingMembers(members, sessionTimeoutMs))
    yield* TestClock.adjust(afterMs)
    const exit = fiber.pollUnsafe()
    yield* Fiber.interrupt(fiber)
    return { names: exit === undefined ? undefined : yield* exit, looks: looks() }
  })

describe("members at work", () => {
  it.effect("are none where nobody is, without waiting", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told({}, 0), { names: [], looks: 1 })
    })
  )

  it.effect("are none as soon as the places of those that ended are free", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* told({ ended: 5_900, died: 2_000 }, 5_400)).names, undefined)
      assert.deepStrictEqual((yield* told({ ended: 5_900, died: 2_000 }, 6_000)).names, [])
    })
  )

  it.effect("are those that are there when a session has gone by", () =>
    Effect.gen(function* () {
      const places = { works: Number.POSITIVE_INFINITY, ended: 5_900 }
      assert.strictEqual((yield* told(places, 7_400)).names, undefined)
      assert.deepStrictEqual((yield* told(places, 8_000)).names, ["works"])
    })
  )
})
