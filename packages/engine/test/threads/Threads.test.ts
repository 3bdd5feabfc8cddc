/** Keeping threads: who dies is replaced, who does not live ends the program, and nothing is left when it ends. */
import { assert, describe, it } from "@effect/vitest"
import type { SqlClient } from "@frazil/connect"
import { Instances, shardWork } from "../../src/index.ts"
import { Effect, Exit, Fiber, Metric, Result } from "effect"
import { accounts, assertAnswers, paymentLines, Payments } from "../support/Accounts.ts"
import { fakeInstance } from "../support/FakeInstances.ts"
import { hurried } from "../support/Faults.ts"
import { append, world } from "../support/Harness.ts"
import { fakeThreads, jobBody, threadsOf } from "./FakeThreads.ts"

const lines = paymentLines(90)
const works = [0, 1, 2].map((shard) => shardWork({ uid: "accounts", stage: "payments", shard }))

/** Waits on the real clock; gives up within a minute, which no machine takes. */
const eventually = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    for (let turn = 0; !holds(); turn++) {
      if (turn > 6_000) return yield* Effect.die(new Error(`${what} did not come`))
      yield* Effect.sleep(10)
    }
  })

describe("threads", () => {
  it.live("that die in the middle of their work are replaced, and each answer is there once", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const said: Array<string> = []
      const fakes = yield* fakeThreads((context, { incarnation }) =>
        jobBody(accounts, {
          epochRecords: 1,
          observer: context.observer,
          inputComplete: context.inputComplete
        })({
          ...context,
          observer: {
            ...context.observer,
            committed: (plan) => {
              context.observer.committed?.(plan)
              if (incarnation < 7) throw new TypeError("no such account\nat account 7")
            }
          }
        })
      )
      const running = threadsOf(accounts, fakes, 2, { say: (line) => said.push(line) })
      yield* running.run
      yield* assertAnswers(lines)
      assert.strictEqual(fakes.living(), 0)
      // more often than it would be borne without an epoch in between
      assert.isAtLeast(fakes.started(), 16)
      assert.match(said[0]!, /^thread [12] of 2 died \(TypeError: no such account\): starts again from its last epoch$/)
      const [status] = running.status()
      assert.deepInclude(status, { in: lines.length, finished: true })
    }).pipe(Effect.provide(world))
  )

  it.effect("that never commit end the program, with the cause in one line", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const fakes = yield* fakeThreads(() => Effect.die(new RangeError("out of memory\n  at a frame")))
      // the waits between their lives take three seconds by the clock
      const outcome = yield* hurried(Effect.result(threadsOf(accounts, fakes, 1).run))
      assert(Result.isFailure(outcome))
      assert.match(
        outcome.failure.message,
        /^thread 1 of 1 died 6 times without an epoch in between: RangeError: out of memory\. .*$/
      )
      assert.notInclude(outcome.failure.message, "\n")
      assert.strictEqual(fakes.started(), 6)
      assert.strictEqual(fakes.living(), 0)
    }).pipe(Effect.provide(world))
  )

  it.effect("that die for ever, one shard beside others that go on, end the program too", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const fakes = yield* fakeThreads((context) =>
        jobBody(accounts, { epochRecords: 1 })({
          ...context,
          observer: {
            ...context.observer,
            committed: (plan) => {
              context.observer.committed?.(plan)
              throw new RangeError("the poisoned shard")
            }
          }
        })
      )
      const outcome = yield* hurried(Effect.result(threadsOf(accounts, fakes, 1).run))
      assert(Result.isFailure(outcome))
      assert.match(
        outcome.failure.message,
        /^thread 1 of 1 died 31 times within 5 minutes: RangeError: the poisoned shard\. .*$/
      )
      assert.strictEqual(fakes.started(), 31)
      assert.strictEqual(fakes.living(), 0)
    }).pipe(Effect.provide(world))
  )

  it.live("whose job fails for a reason that it says are not started again", () =>
    Effect.gen(function* () {
      const fakes = yield* fakeThreads(() => Effect.fail({ message: "topic payments was made anew" }))
      const outcome = yield* Effect.result(threadsOf(accounts, fakes, 3).run)
      assert(Result.isFailure(outcome))
      assert.strictEqual(outcome.failure.message, "topic payments was made anew")
      assert.strictEqual(fakes.started(), 3)
      assert.strictEqual(fakes.living(), 0)
    }).pipe(Effect.provide(world))
  )

  it.live("end when the program is interrupted, and tell once more where they stand", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const fakes = yield* fakeThreads(jobBody(accounts, { bounded: false, epochMs: 1 }))
      const running = threadsOf(accounts, fakes, 2, { input: undefined })
      const fiber = yield* Effect.forkChild(running.run)
      yield* eventually("all records", () => running.status()[0]?.in === lines.length)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(fakes.living(), 0)
      assert.strictEqual(running.status()[0]?.in, lines.length)
    }).pipe(Effect.provide(world))
  )

  it.live("more than there are shards end as well, and each shard has one of them", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const fakes = yield* fakeThreads(jobBody(accounts, {}))
      const running = threadsOf(accounts, fakes, 5)
      yield* running.run
      yield* assertAnswers(lines)
      assert.deepStrictEqual(
        [...(running.status()[0]?.positions.keys() ?? [])].toSorted((left, right) => left - right),
        [0, 1, 2]
      )
    }).pipe(Effect.provide(world))
  )

  it.live("divide what the program has of what instances share, and move it when that changes", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const fakes = yield* fakeThreads(jobBody(accounts, { bounded: false, epochMs: 1 }), true)
      const running = threadsOf(accounts, fakes, 2, { input: undefined })
      const instance = fakeInstance(() => works)
      instance.tell(works.slice(0, 1))
      const fiber = yield* Effect.forkChild(Effect.provideService(running.run, Instances, instance.instances))
      const partitions = () =>
        [...(running.status()[0]?.positions.keys() ?? [])].toSorted((left, right) => left - right)
      yield* eventually("one shard", () => partitions().join() === "0")
      assert.deepStrictEqual([...instance.offered], works)
      instance.tell(works)
      yield* eventually("all shards", () => partitions().join() === "0,1,2" && running.status()[0]?.in === lines.length)
      instance.tell(works.slice(1))
      yield* eventually("two shards", () => partitions().join() === "1,2")
      yield* Fiber.interrupt(fiber)
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )

  it.live("ask a database that the main thread has open", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const client: SqlClient = {
        dialect: "duckdb",
        query: (text, parameters = []) =>
          Effect.sync(() => {
            asked.push(`${text} ${JSON.stringify(parameters)}`)
            return [["a", null]]
          })
      }
      const rows: Array<unknown> = []
      const fakes = yield* fakeThreads(({ client: through, jobEnded }) =>
        through.query("SELECT 1", ["x", null, ["y"]]).pipe(
          Effect.map((found) => {
            rows.push(found)
            jobEnded(accounts.name)
          })
        )
      )
      yield* threadsOf(accounts, fakes, 1, { client }).run
      assert.deepStrictEqual(asked, ['SELECT 1 ["x",null,["y"]]'])
      assert.deepStrictEqual(rows, [[["a", null]]])
    }).pipe(Effect.provide(world))
  )

  it.live("hand over what their tasks measure, for the gateway of the main thread", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      // as in a worker: a registry of its own, which nobody reads
      const fakes = yield* fakeThreads((context) =>
        Effect.provideService(jobBody(accounts, {})(context), Metric.MetricRegistry, new Map())
      )
      const running = threadsOf(accounts, fakes, 2)
      const registry = new Map()
      yield* Effect.provideService(running.run, Metric.MetricRegistry, registry)
      for (const name of ["frazil_processing_latency_seconds", "frazil_backpressured_seconds_total"])
        yield* eventually(name, () => [...registry.values()].some(({ id }: { readonly id: string }) => id === name))
    }).pipe(Effect.provide(world))
  )

  it.live("that say what nobody understands are a bug", () =>
    Effect.gen(function* () {
      const fakes = yield* fakeThreads(() => Effect.never)
      const spawn: typeof fakes.spawn = (start) =>
        Effect.tap(fakes.spawn(start), () => Effect.sync(() => start.onMessage({ _tag: "Shout" })))
      const exit = yield* Effect.exit(threadsOf(accounts, { ...fakes, spawn }, 1).run)
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some((reason) => reason._tag === "Die"))
    })
  )

  it.live("without a shard of a stage end it when the others have", () =>
    Effect.gen(function* () {
      yield* append(Payments, lines)
      const ended: Array<string> = []
      const fakes = yield* fakeThreads((context, { index }) =>
        Effect.andThen(
          index === 0 ? Effect.sleep(100) : Effect.void,
          jobBody(accounts, {})({ ...context, jobEnded: (job) => (ended.push(`${index}`), context.jobEnded(job)) })
        )
      )
      const jobs: Array<string> = []
      yield* threadsOf(accounts, fakes, 4, { jobEnded: (job) => jobs.push(job) }).run
      assert.deepStrictEqual(jobs, ["accounts"])
      assert.deepStrictEqual(ended.toSorted(), ["0", "1", "2", "3"])
      yield* assertAnswers(lines)
    }).pipe(Effect.provide(world))
  )
})
