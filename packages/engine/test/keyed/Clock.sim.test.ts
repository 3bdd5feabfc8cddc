/** What goes by the clock: timers and windows come at their time, once, also over crashes and when nobody ran at that time. */
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { count, Flow, Job, last, State, Window } from "../../src/index.ts"
import { crashAt, eventually, hurried } from "../support/Faults.ts"
import { append, type Line, readAll, world } from "../support/Harness.ts"

class Ping extends Schema.Opaque<Ping>()(
  Schema.Struct({ host: Field.text(), n: Field.int(), at: Field.optional(Field.timestamp) })
) {}
class Heard extends Schema.Opaque<Heard>()(Schema.Struct({ host: Field.text(), told: Field.text() })) {}
// without an event time, which windows by the clock do not need
const Pings = Topic.make("pings", { schema: Ping, key: "host", partitions: 2 })
class TimedPing extends Schema.Opaque<TimedPing>()(
  Schema.Struct({ host: Field.text(), n: Field.int(), at: Field.timestamp })
) {}
const TimedPings = Topic.make("timed-pings", { schema: TimedPing, key: "host", eventTime: "at", partitions: 2 })
const HeardTopic = Topic.make("heard", { schema: Heard, key: "host", partitions: 1 })

const because = "operators watch it"

const windows = Job.make("by-the-clock", [
  Flow.from(Pings).pipe(
    Flow.keyBy("host"),
    Flow.window(Window.operational(Window.processing.tumbling("10 seconds"), { because }), {
      pings: count(),
      newest: last("n")
    }),
    Flow.map(({ host, newest, pings, revision, window_start }) => ({
      host,
      told: `${window_start} ${pings} ${newest} ${revision}`
    })),
    Flow.to(HeardTopic)
  )
])

/** Tells of a host that was not heard of for 30 seconds by the clock. */
const silence = Job.make("silence", [
  Flow.from(TimedPings).pipe(
    Flow.keyBy("host"),
    Flow.process(
      {
        name: "silence",
        operational: { because },
        states: { due: State.value({ schema: Schema.Finite, initial: () => 0, ttl: "1 day" }) }
      },
      {
        onRecord: (_, { states: { due }, timers }) => {
          timers.processing.delete(due.get())
          due.set(timers.processing.now() + 30_000)
          timers.processing.set(due.get())
          return []
        },
        onTimer: ({ domain, time }, { key }) => [{ host: key.host, told: `${domain} ${time}` }]
      }
    ),
    Flow.to(HeardTopic)
  )
])

const ping = (host: string, n: number): Line => ({ key: host, value: `{"host":"${host}","n":${n}}` })
const timed = (host: string, n: number): Line => ({
  key: host,
  value: `{"host":"${host}","n":${n},"at":"2026-01-14T00:00:${String(n % 60).padStart(2, "0")}Z"}`
})

const told = Effect.map(
  Effect.orElseSucceed(readAll("heard"), () => []),
  (lines) => lines.map(({ value }) => (JSON.parse(value) as typeof Heard.Type).told) // of the jobs above
)

const options = { epochMs: 0, checkpointEveryMs: 0 }

/** Lets the job run for so long by the test's clock. */
const runFor = <E, R>(job: Effect.Effect<void, E, R>, ms: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(job)
    for (let passed = 0; passed < ms; passed += 20) yield* TestClock.adjust(20)
    yield* Fiber.interrupt(fiber)
  })

describe("windows by the clock", () => {
  it.effect("give a result when the clock passes their end, of the records that came meanwhile", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Job.run(windows, options))
      yield* TestClock.adjust(2000)
      yield* append(Pings, [ping("a", 1), ping("a", 2)])
      yield* TestClock.adjust(9000)
      yield* append(Pings, [ping("a", 3)])
      yield* eventually(
        "the first result",
        Effect.map(told, (all) => all.length === 1)
      )
      assert.deepStrictEqual(yield* told, ["0 2 2 0"])
      yield* TestClock.adjust(10_000)
      yield* eventually(
        "the second result",
        Effect.map(told, (all) => all.length === 2)
      )
      assert.deepStrictEqual(yield* told, ["0 2 2 0", "10000 1 3 0"])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )

  it.effect("give what a job that was down could not, when it comes back, and nothing twice", () =>
    Effect.gen(function* () {
      yield* append(Pings, [ping("a", 1)])
      yield* runFor(Job.run(windows, options), 1000)
      yield* TestClock.adjust(60_000)
      yield* runFor(Job.run(windows, options), 1000)
      assert.deepStrictEqual(yield* told, ["0 1 1 0"])
      yield* runFor(Job.run(windows, options), 15_000)
      yield* append(Pings, [ping("a", 2)])
      yield* runFor(Job.run(windows, options), 15_000)
      const [, second, ...more] = yield* told
      assert.match(second!, /^\d+0000 1 2 0$/)
      assert.isAtLeast(Number(second!.split(" ")[0]), 60_000)
      assert.deepStrictEqual(more, [])
    }).pipe(Effect.provide(world))
  )

  for (const point of ["before-epoch-commit", "after-epoch-commit", "before-name", "after-init"] as const) {
    it.effect(`count every record once when they crash ${point}`, () =>
      Effect.gen(function* () {
        for (let nth = 1; nth <= 6; nth++) {
          yield* append(Pings, [ping("a", nth), ping("b", nth), ping("c", nth)])
          yield* Effect.exit(hurriedFor(Job.run(windows, options).pipe(crashAt(point, nth))))
          yield* runFor(Job.run(windows, options), 3000)
        }
        // the end of a bounded input is the end of time
        yield* Job.run(windows, { ...options, bounded: true, inputComplete: () => Effect.succeed(true) }).pipe(hurried)
        const all = yield* told
        const pings = all.reduce((sum, text) => sum + Number(text.split(" ")[1]), 0)
        assert.strictEqual(pings, 18)
        assert.deepStrictEqual(
          all.filter((text) => !text.endsWith(" 0")),
          [],
          "a window gives one result"
        )
      }).pipe(Effect.provide(world))
    )
  }
})

/** A job that crashes at some time of the test's clock. */
const hurriedFor = <E, R>(job: Effect.Effect<void, E, R>) =>
  Effect.raceFirst(
    job,
    Effect.gen(function* () {
      for (let step = 0; step < 200; step++) yield* TestClock.adjust(100)
    })
  )

describe("timers by the clock", () => {
  it.effect("fire at their time, once, unless they were deleted", () =>
    Effect.gen(function* () {
      yield* append(TimedPings, [timed("a", 1), timed("b", 1)])
      yield* runFor(Job.run(silence, options), 20_000)
      // heard again: the timer is set anew
      yield* append(TimedPings, [timed("b", 2)])
      yield* runFor(Job.run(silence, options), 15_000)
      const first = yield* told
      assert.strictEqual(first.length, 1)
      yield* runFor(Job.run(silence, options), 30_000)
      const both = yield* told
      assert.deepStrictEqual([both[0], both.length], [first[0], 2])
      assert.isAtLeast(Number(both[1]!.split(" ")[1]), 50_000)
    }).pipe(Effect.provide(world))
  )

  it.effect("fire at the first turn of a restart when they came due meanwhile", () =>
    Effect.gen(function* () {
      yield* append(TimedPings, [timed("a", 1)])
      yield* runFor(Job.run(silence, options), 1000)
      yield* TestClock.adjust(3_600_000)
      assert.deepStrictEqual(yield* told, [])
      yield* runFor(Job.run(silence, options), 1000)
      const found = yield* told
      assert.strictEqual(found.length, 1)
      yield* runFor(Job.run(silence, options), 60_000)
      assert.deepStrictEqual(yield* told, found)
    }).pipe(Effect.provide(world))
  )

  for (const point of ["before-epoch-commit", "after-epoch-commit", "before-name"] as const) {
    it.effect(`fire once when the job crashes ${point}`, () =>
      Effect.gen(function* () {
        yield* append(TimedPings, [timed("a", 1), timed("b", 1), timed("c", 1)])
        for (let nth = 1; nth <= 6; nth++)
          yield* Effect.exit(hurriedFor(Job.run(silence, options).pipe(crashAt(point, nth))))
        yield* runFor(Job.run(silence, options), 60_000)
        assert.strictEqual((yield* told).length, 3)
      }).pipe(Effect.provide(world))
    )
  }
})
