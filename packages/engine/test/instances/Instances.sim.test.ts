/** Instances that share a job's shards: whatever moves when, and whoever dies, each answer is there once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { shardWork } from "../../src/index.ts"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { makeChance } from "../support/Chance.ts"
import { fakeInstance, moveWorks, runOn } from "../support/FakeInstances.ts"
import { eventually, onLog } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

const works = [0, 1, 2].map((shard) => shardWork({ uid: "accounts", stage: "payments", shard }))
/** None before the job has made its topics. */
const answersAtLeast = (count: number) =>
  Effect.orElseSucceed(
    Effect.map(readAll("totals"), (totals) => totals.length >= count),
    () => false
  )

describe("instances of a job", () => {
  for (let seed = 1; seed <= 12; seed++) {
    it.effect(`give each answer once when shards move between them and they crash (seed ${seed})`, () =>
      Effect.gen(function* () {
        const chance = makeChance(seed)
        const lines = paymentLines(400)
        yield* append(Payments, [])
        yield* moveWorks(accounts, works, chance, 6, (nth) => append(Payments, lines.slice(nth * 50, (nth + 1) * 50)))
        yield* runToEnd(accounts)
        yield* assertAnswers(lines)
      }).pipe(Effect.provide(world))
    )
  }

  it.effect("take over only what comes, and keep in memory what stays", () =>
    Effect.gen(function* () {
      const taken: Array<ReadonlyArray<number>> = []
      const spying = onLog((log) => ({
        fence: (owner, shards) => {
          taken.push(shards.map(({ shard }) => shard))
          return log.fence(owner, shards)
        }
      }))
      yield* append(Payments, paymentLines(60))
      const instance = fakeInstance(() => works)
      instance.tell(works)
      const fiber = yield* Effect.forkChild(spying(runOn(accounts, instance)))
      yield* eventually("the first answers", answersAtLeast(50))
      assert.deepStrictEqual([...instance.offered], works)
      instance.tell(works.slice(0, 2))
      yield* TestClock.adjust(500)
      instance.tell(works)
      yield* append(Payments, paymentLines(60, 60))
      yield* eventually("the other answers", answersAtLeast(105))
      assert.deepStrictEqual(taken, [[0, 1, 2], [2]])
      yield* Fiber.interrupt(fiber)
      yield* runToEnd(accounts)
      yield* assertAnswers(paymentLines(120))
    }).pipe(Effect.provide(world))
  )

  it.effect("commit what is open before they give a shard up", () =>
    Effect.gen(function* () {
      yield* append(Payments, paymentLines(30))
      const instance = fakeInstance(() => [])
      instance.tell(works)
      const slow = { epochMs: 3_600_000, epochRecords: 1_000_000 }
      const fiber = yield* Effect.forkChild(runOn(accounts, instance, slow))
      yield* TestClock.adjust(1_000)
      assert.lengthOf(yield* readAll("totals"), 0)
      instance.tell([])
      yield* eventually("the answers", answersAtLeast(25))
      yield* Fiber.interrupt(fiber)
      yield* runToEnd(accounts)
      yield* assertAnswers(paymentLines(30))
    }).pipe(Effect.provide(world))
  )

  it.effect("that are fenced by someone who is none of them give up in the end", () =>
    Effect.gen(function* () {
      yield* append(Payments, paymentLines(30))
      const instance = fakeInstance(() => works)
      instance.tell(works)
      const stranger = onLog((log) => ({
        commit: (epoch) =>
          Effect.andThen(
            log.fence(
              "stranger",
              epoch.shards.map(({ id }) => id)
            ),
            log.commit(epoch)
          )
      }))
      const fiber = yield* Effect.forkChild(stranger(runOn(accounts, instance)))
      yield* eventually(
        "the end",
        Effect.sync(() => fiber.pollUnsafe() !== undefined)
      ).pipe(Effect.catchCause(() => Effect.void))
      yield* TestClock.adjust(120_000)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
    }).pipe(Effect.provide(world))
  )
})
