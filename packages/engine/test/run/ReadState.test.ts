/** The state of one key is read from the log and the checkpoints, of a job that runs or has stopped, and masked for people. */
import { expr, Field, partitionOf, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { count, Flow, Job, Pattern, State, sum, Window } from "../../src/index.ts"
import { planJob } from "../../src/plan/PlanJob.ts"
import { maskOf } from "../../src/run/MaskState.ts"
import { append, type Line, world } from "../support/Harness.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.int(),
    account: Field.text(),
    holder: Field.personal(Field.text()),
    amount: Field.decimal(20, 2),
    at: Field.timestamp
  })
) {}
class Sighting extends Schema.Opaque<Sighting>()(
  Schema.Struct({ account: Field.text(), place: Field.personal(Field.text()), at: Field.timestamp })
) {}
class Seen extends Schema.Opaque<Seen>()(Schema.Struct({ account: Field.text() })) {}

const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at", partitions: 3 })
const SeenTopic = Topic.make("seen", { schema: Seen, key: "account" })

const payments = Flow.from(Payments).pipe(Flow.keyBy("account"))
const only = ({ account }: { readonly account: string }) => ({ account })
const ttl = "1 hour"
const rising = Pattern.on(Payments)
  .begin("first", expr("amount > 1"))
  .followedBy("second", (payment, { first }) => payment.amount.gt(first.amount))
  .within("1 hour", { skip: "noSkip" })

const job = Job.make("everything", [
  payments.pipe(
    Flow.mapWithState({ name: "holders", schema: Schema.String, initial: () => "", ttl }, (_, { account, holder }) => [
      holder,
      [{ account }]
    ]),
    Flow.to(SeenTopic, { name: "a" })
  ),
  payments.pipe(
    Flow.window(
      Window.hopping("1 hour", { every: "30 minutes", allowedLateness: "0s" }),
      { payments: count(), total: sum("amount") },
      { name: "hours" }
    ),
    Flow.map(only),
    Flow.to(SeenTopic, { name: "b" })
  ),
  payments.pipe(
    Flow.window(Window.session("1 hour", { allowedLateness: "0s", max: "1 day" }), { n: count() }, { name: "visits" }),
    Flow.map(only),
    Flow.to(SeenTopic, { name: "c" })
  ),
  payments.pipe(Flow.pattern(rising, { name: "rising" }), Flow.map(only), Flow.to(SeenTopic, { name: "d" })),
  payments.pipe(
    Flow.joinInterval(payments, { lower: "0s", upper: "1 hour", name: "pairs" }, only),
    Flow.to(SeenTopic, { name: "h" })
  ),
  payments.pipe(Flow.joinAsOf(payments, { ttl, name: "as of" }, only), Flow.to(SeenTopic, { name: "i" })),
  payments.pipe(
    Flow.joinLatest(payments, { ttl, name: "latest" }, only),
    Flow.map(only),
    Flow.to(SeenTopic, { name: "j" })
  ),
  payments.pipe(
    Flow.deduplicate({ keep: "first", fields: ["id"], ttl, name: "first" }),
    Flow.map(only),
    Flow.to(SeenTopic, { name: "e" })
  ),
  payments.pipe(Flow.topN({ n: 2, by: "amount", ttl, name: "top" }), Flow.map(only), Flow.to(SeenTopic, { name: "f" })),
  payments.pipe(
    Flow.process(
      {
        name: "process",
        states: {
          last: State.value({ schema: Schema.String, initial: () => "", ttl }),
          ids: State.list({ schema: Schema.Finite, ttl, entriesMax: 10 }),
          holders: State.map({ schema: Schema.Finite, ttl, entriesMax: 10 }),
          total: State.aggregate({
            schema: Schema.BigInt,
            initial: () => 0n,
            add: (total, cents: bigint) => total + cents,
            result: String,
            ttl
          })
        }
      },
      {
        onRecord: ({ amount, holder, id }, { eventTime, states: { holders, ids, last, total }, timers }) => {
          last.set(holder)
          ids.add(id)
          holders.set(holder, id)
          total.add(BigInt(amount.unscaled))
          timers.event.set(eventTime + 3_600_000)
          return [{ account: "none" }]
        },
        onTimer: () => []
      }
    ),
    Flow.to(SeenTopic, { name: "g" })
  )
])

const payment = (id: number, account: string, amount: string, second: number): Line => ({
  key: account,
  value: `{"id":${id},"account":"${account}","holder":"Ann ${id}","amount":${amount},"at":"2026-01-14T00:00:${String(second).padStart(2, "0")}Z"}`
})
const lines = [
  payment(1, "A", "5.00", 0),
  payment(2, "A", "3.00", 2),
  payment(3, "B", "9.00", 3),
  payment(4, "A", "7.50", 30)
]

const stateOf = (entries: ReadonlyArray<Job.OperatorEntry>, operator: string) =>
  entries.find((entry) => entry.operator === operator)?.state

/** Stopped when it has read all, and not brought to the end of time, where most is over. */
const stopped = (checkpointEveryMs: number) =>
  Effect.gen(function* () {
    yield* append(Payments, lines)
    const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0, epochRecords: 1, checkpointEveryMs }))
    while (true) {
      const [entry] = yield* Effect.orElseSucceed(Job.readState(job, "A", { unmask: true }), () => [])
      if (entry?.watermark === "2026-01-14T00:00:25.000Z") break
      yield* Effect.sleep(2)
    }
    yield* Fiber.interrupt(fiber)
  })

const takeAt = (offset: number, id: number, amount: number, second: number) => ({
  time: `2026-01-14T00:00:${String(second).padStart(2, "0")}.000Z`,
  offset,
  record: { id, account: "A", holder: `Ann ${id}`, amount, at: `2026-01-14T00:00:${String(second).padStart(2, "0")}Z` }
})

describe("the state of a key", () => {
  for (const checkpointEveryMs of [0, Number.MAX_SAFE_INTEGER]) {
    it.live(`is what every operator holds of it, from ${checkpointEveryMs === 0 ? "snapshots" : "deltas"}`, () =>
      Effect.gen(function* () {
        yield* stopped(checkpointEveryMs)
        const entries = yield* Job.readState(job, "A", { unmask: true })
        assert.deepStrictEqual(
          entries.map(({ kind, operator }) => `${operator} ${kind}`),
          [
            "holders value",
            "hours windows",
            "visits sessions",
            "rising pattern",
            "pairs join",
            "as of join",
            "latest join",
            "first deduplicate",
            "top ranking",
            "process process"
          ]
        )
        for (const { partition, stage, watermark } of entries) {
          assert.deepStrictEqual(
            [stage, partition, watermark],
            ["payments", partitionOf("A", 3), "2026-01-14T00:00:25.000Z"]
          )
        }
        assert.deepStrictEqual(stateOf(entries, "holders"), { value: "Ann 4", written_at: "2026-01-14T00:00:30.000Z" })
        assert.deepStrictEqual(stateOf(entries, "hours"), {
          panes: [
            {
              start: "2026-01-14T00:00:00.000Z",
              end: "2026-01-14T00:30:00.000Z",
              records: 3,
              values: { payments: 3, total: "15.50" }
            }
          ],
          revisions: []
        })
        assert.deepStrictEqual(stateOf(entries, "visits"), {
          sessions: [
            {
              start: "2026-01-14T00:00:00.000Z",
              last: "2026-01-14T00:00:30.000Z",
              results: 0,
              records: 3,
              values: { n: 3 }
            }
          ]
        })
        const [offset] = partitionOf("A", 3) === partitionOf("B", 3) ? [3] : [2]
        assert.deepStrictEqual(stateOf(entries, "rising"), {
          waiting: [takeAt(offset!, 4, 7.5, 30)],
          partial_matches: [[{ step: "first", ...takeAt(0, 1, 5, 0) }], [{ step: "first", ...takeAt(1, 2, 3, 2) }]],
          matches_that_wait: []
        })
        const sides = (operator: string) => {
          // of a join, as its state says
          const state = stateOf(entries, operator) as Record<"left" | "right", ReadonlyArray<{ offset: number }>>
          return [state.left.map((each) => each.offset), state.right.map((each) => each.offset)]
        }
        const all = [0, 1, offset!]
        // a right record that time has passed meets no left one any more
        assert.deepStrictEqual(sides("pairs"), [all, [offset!]])
        assert.deepStrictEqual(sides("as of"), [[offset!], all.slice(1)])
        assert.deepStrictEqual(sides("latest"), [all.slice(1), all.slice(1)])
        assert.deepStrictEqual(stateOf(entries, "first"), {
          seen: [
            { key: '["A",1]', first_at: "2026-01-14T00:00:00.000Z" },
            { key: '["A",2]', first_at: "2026-01-14T00:00:02.000Z" }
          ],
          waiting: [takeAt(offset!, 4, 7.5, 30)]
        })
        const { rankings } = stateOf(entries, "top") as { readonly rankings: ReadonlyArray<Record<string, unknown>> }
        assert.strictEqual(rankings[0]!["changed_at"], "2026-01-14T00:00:30.000Z")
        assert.include(JSON.stringify(rankings[0]!["ranking"]), '"amount":"7.50"')
        assert.deepStrictEqual(stateOf(entries, "process"), {
          states: {
            last: { kind: "value", held: { value: "Ann 4", written_at: "2026-01-14T00:00:30.000Z" } },
            ids: {
              kind: "list",
              held: [1, 2, 4].map((id) => ({ value: id, written_at: takeAt(0, 0, 0, [0, 0, 2, 0, 30][id]!).time }))
            },
            holders: {
              kind: "map",
              held: [1, 2, 4].map((id) => ({
                key: `Ann ${id}`,
                value: id,
                written_at: takeAt(0, 0, 0, [0, 0, 2, 0, 30][id]!).time
              }))
            },
            total: { kind: "aggregate", held: { value: "1550", written_at: "2026-01-14T00:00:30.000Z" } }
          },
          timers: {
            event: ["2026-01-14T01:00:00.000Z", "2026-01-14T01:00:02.000Z", "2026-01-14T01:00:30.000Z"],
            processing: []
          }
        })
        assert.deepStrictEqual(yield* Job.readState(job, "nobody", { unmask: true }), [])
      }).pipe(Effect.provide(world))
    )
  }

  it.live("shows nothing of a person, unless it is asked to", () =>
    Effect.gen(function* () {
      yield* stopped(0)
      const text = JSON.stringify(yield* Job.readState(job, "A", { unmask: false }))
      assert.notInclude(text, "Ann")
      // what may have come of it is not told apart from it
      assert.notInclude(text, "1550")
      // what the contract names and does not mark is shown of records
      assert.include(text, '"amount":7.5')
      assert.include(text, '"(personal)"')
      assert.include(text, "2026-01-14T01:00:30.000Z")
    }).pipe(Effect.provide(world))
  )

  it("shows of two topics that meet in a join nothing that either hides", () => {
    const seen = Flow.from(Topic.make("sightings", { schema: Sighting, key: "account", eventTime: "at" }))
    const near = { lower: "0s", upper: "1 hour", name: "near" } as const
    const met = seen.pipe(Flow.keyBy("account"), Flow.joinInterval(payments, near, only), Flow.to(SeenTopic))
    const [plan] = planJob(Job.make("met", [met])).filter(({ ports }) => ports.length === 2)
    const record = { account: "A", holder: "Eve", place: "home", at: "2026-01-14T00:00:00.000Z" }
    const shown = maskOf(plan!)!({ left: [{ record }], right: [{ record }] })
    const hidden = { ...record, holder: "(personal)", place: "(personal)" }
    assert.deepStrictEqual(shown, { left: [{ record: hidden }], right: [{ record: hidden }] })
  })

  it.live("is read from a job that runs, which does not notice", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0, checkpointEveryMs: 0 }))
      let found = 0
      // it has to come to something first, however slow the machine is
      for (let round = 0; found <= 100 && round < 5_000; round++) {
        yield* append(Payments, [payment(100 + round, "A", "1.00", Math.min(Math.floor(round / 2), 59))])
        yield* Effect.sleep(2)
        found += (yield* Job.readState(job, "A", { unmask: true }).pipe(
          Effect.catchIf(
            (error) => error._tag === "LogError" && error.reason === "TopicMissing",
            () => Effect.succeed([])
          )
        )).length
      }
      assert.isAbove(found, 100)
      assert.isUndefined(fiber.pollUnsafe(), "the job goes on")
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})
