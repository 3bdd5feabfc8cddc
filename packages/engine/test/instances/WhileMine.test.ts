/** `whileMine`: a work runs when it is this instance's, and only then. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Instances, LogError, whileMine } from "../../src/index.ts"
import { fakeInstance } from "../support/FakeInstances.ts"

const fenced = new LogError({ reason: "Fenced", message: "somebody else has it" })

describe("whileMine", () => {
  it.effect("runs a work when it comes, ends it when it goes, and begins again", () =>
    Effect.gen(function* () {
      const instance = fakeInstance(() => [])
      const seen: Array<string> = []
      const body = Effect.sync(() => seen.push("begins")).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Effect.sync(() => seen.push("ends")))
      )
      const fiber = yield* Effect.forkChild(
        Effect.provideService(whileMine("work", body), Instances, instance.instances)
      )
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([[...instance.offered], seen], [["work"], []])
      for (const works of [["work"], ["work", "another"], [], ["work"]]) {
        instance.tell(works)
        yield* TestClock.adjust(1)
      }
      assert.deepStrictEqual(seen, ["begins", "ends", "begins"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("ends with its work, and fails as it fails", () =>
    Effect.gen(function* () {
      const instance = fakeInstance(() => [])
      instance.tell(["work"])
      const run = <A, E>(body: Effect.Effect<A, E>) =>
        Effect.provideService(whileMine("work", body), Instances, instance.instances)
      assert.strictEqual(yield* run(Effect.succeed(7)), 7)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(run(Effect.fail(new Error("no"))))))
    })
  )

  it.effect("that is fenced asks whose it is, and begins again only if it is its own", () =>
    Effect.gen(function* () {
      let truth = ["work"]
      let tries = 0
      const instance = fakeInstance(() => truth)
      instance.tell(["work"])
      const body = Effect.suspend(() => {
        tries++
        if (tries === 3) truth = []
        return Effect.fail(fenced)
      })
      const fiber = yield* Effect.forkChild(
        Effect.provideService(whileMine("work", body), Instances, instance.instances)
      )
      yield* TestClock.adjust(1_000)
      assert.strictEqual(tries, 3)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("that is fenced again and again as its own fails: somebody outside the group does it", () =>
    Effect.gen(function* () {
      const instance = fakeInstance(() => ["work"])
      instance.tell(["work"])
      const exit = yield* Effect.exit(
        Effect.provideService(whileMine("work", Effect.fail(fenced)), Instances, instance.instances)
      )
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  it.effect("without instances just runs", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* whileMine("work", Effect.succeed(1)), 1)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(whileMine("work", Effect.fail(fenced)))))
    })
  )
})
