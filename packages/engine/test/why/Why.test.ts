/** Why something did not come for a key: a case for each cause, with the sentence that a person reads. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { count, DeadLetters, Flow, Job, last, Ledger, Log, Lookup, Pattern, Window } from "../../src/index.ts"
import { append, type Line, TestDeadLetters, makeTestDeadLetter, worldWithoutLedger } from "../support/Harness.ts"

class Entry extends Schema.Opaque<Entry>()(
  Schema.Struct({
    job: Field.text(),
    operator: Field.text(),
    reason: Field.text(),
    key: Field.optional(Field.text()),
    event_timestamp: Field.optional(Field.double()),
    lateness_ms: Field.optional(Field.double()),
    topic: Field.text(),
    partition: Field.int(),
    offset_from: Field.int(),
    offset_to: Field.int(),
    count: Field.int()
  })
) {}
const Entries = Topic.make("ledger", { schema: Entry, key: "job", partitions: 2 })

const world = Layer.mergeAll(
  worldWithoutLedger,
  Layer.succeed(Ledger, {
    topic: Entries,
    make: (input) => ({
      ...input,
      key: input.key ?? null,
      event_timestamp: input.eventTime,
      lateness_ms: input.latenessMs ?? null,
      offset_from: input.offset,
      offset_to: input.offset,
      count: 1
    }),
    makeLetter: (input) => ({
      ...input,
      key: input.key ?? null,
      event_timestamp: input.eventTime ?? null,
      lateness_ms: null,
      offset_from: input.offset,
      offset_to: input.offset,
      count: 1
    })
  }),
  Layer.succeed(DeadLetters, { topic: TestDeadLetters, make: makeTestDeadLetter })
)

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    card: Field.text(),
    account: Field.text(),
    cents: Field.int(),
    holder: Field.optional(Field.personal(Field.text())),
    at: Field.timestamp
  })
) {}
class Velocity extends Schema.Opaque<Velocity>()(
  Schema.Struct({
    card: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int()
  })
) {}
class Spree extends Schema.Opaque<Spree>()(Schema.Struct({ card: Field.text() })) {}

const Payments = Topic.make("payments", { schema: Payment, key: "card", eventTime: "at", partitions: 2 })
const Velocities = Topic.make("velocities", { schema: Velocity, key: "card", partitions: 2 })
const Sprees = Topic.make("sprees", { schema: Spree, key: "card", partitions: 1 })

const payments = Flow.from(Payments).pipe(Flow.eventTime("at", { outOfOrderness: "5s", idleAfter: "1 minute" }))
const minutes = Window.tumbling("5 minutes", { allowedLateness: "0s", windowsOpenPerKeyMax: 2 })
const velocity = Job.make("velocity", [
  payments.pipe(
    Flow.filter(expr("cents > 100")),
    Flow.named("large"),
    Flow.keyBy("card"),
    Flow.window(minutes, { count: count() }, { name: "velocity" }),
    Flow.filter(expr("count > 1")),
    Flow.named("several"),
    Flow.to(Velocities)
  )
])
const spree = Job.make("spree", [
  payments.pipe(
    Flow.keyBy("card"),
    Flow.pattern(
      Pattern.on(Payments)
        .begin("small", expr("cents < 100"))
        .notFollowedBy("refund", expr("cents < 0"))
        .followedBy("huge", expr("cents > 100000 && cents > small.cents"))
        .within("10 minutes", { skip: "noSkip" }),
      { name: "spree" }
    ),
    Flow.map(({ card }) => ({ card })),
    Flow.to(Sprees)
  )
])

class ByAccount extends Schema.Opaque<ByAccount>()(
  Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int()
  })
) {}
const byAccount = Job.make("by-account", [
  payments.pipe(
    Flow.keyBy("account"),
    Flow.window(minutes, { count: count() }, { name: "byAccount" }),
    Flow.to(Topic.make("by-account", { schema: ByAccount, key: "account", partitions: 1 }))
  )
])
const failing = Job.make("failing", [
  payments.pipe(
    Flow.map(({ card, cents }) => {
      if (cents === 13) throw new Error("thirteen")
      return { card }
    }),
    Flow.named("thirteen"),
    Flow.to(Sprees)
  )
])

class Named extends Schema.Opaque<Named>()(
  Schema.Struct({
    card: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    holder: Field.optional(Field.personal(Field.text()))
  })
) {}
const personal = Job.make("personal", [
  payments.pipe(
    Flow.keyBy("card"),
    Flow.window(minutes, { holder: last("holder") }, { name: "holders" }),
    Flow.to(Topic.make("named", { schema: Named, key: "card", partitions: 1 }))
  )
])

class Unknown extends Schema.TaggedError<Unknown>()("Unknown", { message: Schema.String }) {}
class Away extends Schema.TaggedError<Away>()("Away", { message: Schema.String }) {}
class Holder extends Schema.Opaque<Holder>()(Schema.Struct({ name: Field.text() })) {}
class Holders extends Lookup.Service<Holders, string, Holder, Unknown | Away>()("@test/Holders", {
  answer: Holder,
  failures: { Unknown: "absent", Away: "transient" },
  timeout: (message) => new Away({ message }),
  unavailable: (message) => new Away({ message })
}) {}
const asking = Job.make("asking", [
  payments.pipe(
    Flow.lookup(Holders, { key: "account", policy: { capacity: 10, timeout: "1 minute" } }),
    Flow.orDeadLetter(TestDeadLetters),
    Flow.map(({ card }) => ({ card })),
    Flow.to(Sprees)
  )
])

const dayMs = Date.UTC(2026, 0, 14)
/** `12:03:10` of the day of these tests. */
const timeOf = (text: string) => dayMs + Date.parse(`1970-01-01T${text}Z`)

const payment = (card: string, at: string, cents: number, account = "a"): Line => ({
  key: card,
  value: JSON.stringify({ card, account, cents, holder: "Ann", at: new Date(timeOf(at)).toISOString() })
})

/** Runs a job until it has committed all that there is and `come` is there, and stops it: no end of time. */
const readAllOf = <R, E = never, R2 = never>(
  job: Job.Job<string, R>,
  come: Effect.Effect<unknown, E, R2> = Effect.sleep(5)
) =>
  Effect.gen(function* () {
    const log = yield* Log
    const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0, epochRecords: 1 }))
    for (let behind = 1; behind > 0;) {
      yield* Effect.sleep(2)
      behind = 0
      for (const { name, partitions } of Job.sources(job)) {
        const bounds = yield* log.bounds(name)
        for (let shard = 0; shard < partitions; shard++) {
          const record = yield* log.inForce({ uid: job.name, stage: name, shard })
          behind += bounds[shard]!.end - (record?.positions[0]?.offset ?? 0)
        }
      }
    }
    yield* come
    yield* Fiber.interrupt(fiber)
  })

const ask = <R>(job: Job.Job<string, R>, key: string, at: string, unmask = false) =>
  Effect.map(
    Job.why(job, {
      key,
      atMs: timeOf(at),
      aroundMs: 600_000,
      recordsMax: 100_000,
      ledger: Entries,
      deadLetters: TestDeadLetters,
      unmask
    }),
    ({ causes }) => causes.map(({ kind, text }) => `${kind}: ${text}`)
  )

const day = "2026-01-14T"
/** A card of partition 0, and one of partition 1. */
const A = "c0"
const B = "c1"

/** The answers for `key` at a time, after a job has read the payments. */
const answers = <R>(
  job: Job.Job<string, R>,
  lines: ReadonlyArray<Line>,
  key: string,
  at: string,
  check: (causes: ReadonlyArray<string>) => void
) =>
  Effect.gen(function* () {
    yield* append(Payments, lines)
    // what is behind a repartition, and what time moved, comes a moment later
    const come = Effect.flatMap(ask(job, key, at), (causes) => Effect.sync(() => check(causes))).pipe(
      Effect.sandbox,
      Effect.retry({ schedule: Schedule.spaced(10), times: 1_000 }),
      Effect.ignore
    )
    yield* readAllOf(job, come)
    check(yield* ask(job, key, at))
  }).pipe(Effect.provide(world))

const first = (sentence: string) => (causes: ReadonlyArray<string>) => assert.strictEqual(causes[0], sentence)
const among = (sentence: string) => (causes: ReadonlyArray<string>) => assert.include(causes, sentence)

describe("why nothing came", () => {
  it.live("a filter left the record out", () =>
    answers(
      velocity,
      [payment(A, "12:00:10", 50)],
      A,
      "12:00:00",
      first(`filtered: the record at payments/0 offset 0, of ${day}12:00:10Z, did not pass large: cents > 100`)
    )
  )

  it.live("it came too late", () =>
    answers(
      velocity,
      [payment(A, "12:06:10", 500), payment(A, "12:01:10", 500)],
      A,
      "12:01:00",
      first(
        `late: the record at payments/0 offset 1, of ${day}12:01:10Z, came too late for velocity, 4 min 55 s behind the watermark: it did not take it`
      )
    )
  )

  it.live("the window is still open", () =>
    answers(
      velocity,
      [payment(A, "12:01:00", 500), payment(A, "12:03:15", 500)],
      A,
      "12:01:00",
      first(
        `window_open: window velocity from ${day}12:00:00Z to ${day}12:05:00Z is open with 2 records of the key: its result comes when the watermark passes ${day}12:05:00Z; it is at ${day}12:03:10Z: partition 0 has no record after ${day}12:03:15Z`
      )
    )
  )

  it.live("the window's partition is behind, while others are further", () =>
    answers(
      velocity,
      [payment(A, "12:01:00", 500), payment(B, "12:40:00", 500)],
      A,
      "12:01:00",
      first(
        `window_open: window velocity from ${day}12:00:00Z to ${day}12:05:00Z is open with 1 record of the key: its result comes when the watermark passes ${day}12:05:00Z; it is at ${day}12:00:55Z: partition 0 has no record after ${day}12:01:00Z; partition 1 has come to ${day}12:39:55Z, whose time it takes over when it was silent for 1 min`
      )
    )
  )

  it.live("behind a repartition, another partition holds the watermark", () =>
    answers(
      byAccount,
      [payment(A, "12:01:00", 500, "a0"), payment(B, "12:40:00", 500, "a0")],
      "a0",
      "12:01:00",
      first(
        `window_open: window byAccount from ${day}12:00:00Z to ${day}12:05:00Z is open with 1 record of the key: its result comes when the watermark passes ${day}12:05:00Z; it is at ${day}12:00:55Z: partition 0 of payments has come to ${day}12:00:55Z and holds it`
      )
    )
  )

  it.live("it did not decode", () =>
    answers(
      velocity,
      [{ key: A, value: "{torn" }],
      A,
      "12:00:00",
      first(
        "dead_letter: the record at payments/0 offset 0 did not decode and is a dead letter: not_json, the record is not JSON, or is cut off"
      )
    )
  )

  it.live("an operator's code threw", () =>
    answers(
      failing,
      [payment(A, "12:00:10", 13)],
      A,
      "12:00:00",
      first(
        `failed: the record at payments/0 offset 0, of ${day}12:00:10Z, failed in thirteen: operator_failed, the code of thirteen threw Error`
      )
    )
  )

  it.live("the key was never seen", () =>
    answers(
      velocity,
      [payment("c4", "12:00:10", 500)],
      A,
      "12:00:00",
      first("never_seen: no record of key c0 is among the 1 records of payments that were read (0: 0 to 1)")
    )
  )

  it.live("the key was seen at another time", () =>
    answers(
      velocity,
      [payment(A, "12:00:10", 500)],
      A,
      "14:00:00",
      first(
        `never_seen: no record of key c0 lies within 10 min of ${day}14:00:00Z among the 1 records of payments that were read (0: 0 to 1); the last one before is of ${day}12:00:10Z`
      )
    )
  )

  it.live("the pattern waits for its next step", () =>
    answers(
      spree,
      [payment(A, "12:00:00", 50), payment(A, "12:03:00", 5_000)],
      A,
      "12:01:00",
      among(
        `partial_match: pattern spree has taken small at ${day}12:00:00Z (offset 0) and waits for huge (cents > 100000 && cents > small.cents), with no refund in between, before ${day}12:10:00Z`
      )
    )
  )

  it.live("no step of the pattern fits", () =>
    answers(
      spree,
      [payment(A, "12:00:00", 5_000), payment(A, "12:03:00", 6_000)],
      A,
      "12:01:00",
      first(`filtered: the record at payments/0 offset 0, of ${day}12:00:00Z, fits no step of pattern spree`)
    )
  )

  it.live("a record waits in the pattern for the watermark", () =>
    answers(
      spree,
      [payment(A, "12:00:00", 50)],
      A,
      "12:01:00",
      first(
        `waits_for_watermark: the record at offset 0 waits in pattern spree until the watermark passes ${day}12:00:00Z; it is at ${day}11:59:55Z: partition 0 has no record after ${day}12:00:00Z`
      )
    )
  )

  it.live("there was no room", () =>
    answers(
      velocity,
      [
        payment(A, "12:10:04", 500),
        payment(A, "12:14:59", 500),
        payment(A, "12:15:01", 500),
        payment(A, "12:20:00", 500)
      ],
      A,
      "12:20:00",
      first(
        `evicted: the record at payments/0 offset 3, of ${day}12:20:00Z, found no room in velocity, whose bounds were reached`
      )
    )
  )

  it.live("the result did not pass the condition behind the window", () =>
    answers(
      velocity,
      [payment(A, "12:01:00", 500), payment(A, "12:06:00", 500)],
      A,
      "12:01:00",
      first(
        `no_result: window velocity from ${day}12:00:00Z to ${day}12:05:00Z has ended and took 1 record of the key; its result did not pass what lies behind it: several: count > 1`
      )
    )
  )

  it.live("it did come: the result is told, with its topic", () =>
    answers(
      velocity,
      [payment(A, "12:01:00", 500), payment(A, "12:02:00", 500), payment(A, "12:06:00", 500)],
      A,
      "12:01:00",
      first(
        `result: window velocity from ${day}12:00:00Z to ${day}12:05:00Z has ended; its result on velocities: {"card":"c0","window_start":"${day}12:00:00.000Z","window_end":"${day}12:05:00.000Z","revision":0,"count":2}`
      )
    )
  )

  it.live("the job has not read it yet", () =>
    Effect.gen(function* () {
      yield* append(Payments, [payment(A, "12:01:00", 500)])
      yield* readAllOf(velocity)
      yield* append(Payments, [payment(A, "12:02:00", 500)])
      first(
        `not_read: the record at payments/0 offset 1, of ${day}12:02:00Z, has not been read yet: the job has come to offset 1`
      )(yield* ask(velocity, A, "12:02:00"))
    }).pipe(Effect.provide(world))
  )

  it.live("the job never ran", () =>
    Effect.gen(function* () {
      yield* append(Payments, [payment(A, "12:01:00", 500, "a0")])
      assert.deepStrictEqual(yield* ask(byAccount, "a0", "12:02:00"), [
        `not_read: the record at payments/0 offset 0, of ${day}12:01:00Z, has not been read yet: the job has come to offset 0`
      ])
    }).pipe(Effect.provide(world))
  )

  it.live("it waits for a lookup's answer", () =>
    Effect.gen(function* () {
      yield* append(Payments, [payment(A, "12:01:00", 500)])
      yield* readAllOf(asking)
      first(
        `in_flight: the record at payments/0 offset 0, of ${day}12:01:00Z, is in flight: lookup(@test/Holders)@payments has no answer for it yet`
      )(yield* ask(asking, A, "12:01:00"))
    }).pipe(Effect.provideService(Holders, { lookup: () => Effect.never }), Effect.provide(world))
  )

  it.live("and never tells what is personal, unless it is asked to", () =>
    Effect.gen(function* () {
      yield* append(Payments, [payment(A, "12:01:00", 500), payment(A, "12:02:00", 500), payment(A, "12:06:00", 500)])
      yield* readAllOf(personal)
      const masked = yield* ask(personal, A, "12:01:00")
      assert.include(masked[0], '"holder":"(personal)"')
      assert.notInclude(masked.join(), "Ann")
      assert.include((yield* ask(personal, A, "12:01:00", true))[0], '"holder":"Ann"')
    }).pipe(Effect.provide(world))
  )
})
