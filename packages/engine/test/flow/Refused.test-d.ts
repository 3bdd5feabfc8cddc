// What the other files of this folder do not refuse yet, of what shared flows are refused for; checked by `tsc`.
import { expr, Field, Topic } from "@frazil/core"
import { Data, Effect, type Layer, Result, Schema } from "effect"
import {
  type CheckpointStore,
  type DeadLetters,
  type Decider,
  Flow,
  Job,
  type Ledger,
  type Log,
  Lookup,
  Window
} from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ id: Field.text(), amount: Field.decimal(12, 2), at: Field.timestamp })
) {}
class Note extends Schema.Opaque<Note>()(Schema.Struct({ id: Field.text() })) {}
const Payments = Topic.make("payments", { schema: Payment, key: "id", eventTime: "at" })
const Copies = Topic.make("copies", { schema: Payment, key: "id" })
const Notes = Topic.make("notes", { schema: Note, key: "id" })
const payments = Flow.from(Payments)
const notes = Flow.from(Notes)

// rules over another record
const rules: Decider<Payment, Note> = {
  conditions: [expr("amount > 100")],
  decide: (_, { id }) => ({ id })
}
payments.pipe(Flow.decide(rules), Flow.to(Notes))
// @ts-expect-error: a note has no amount
notes.pipe(Flow.decide(rules))

// a tag that no failure has
class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}
const failing = payments.pipe(
  Flow.mapResult((payment: Payment): Result.Result<Payment, Odd> => Result.succeed(payment))
)
// @ts-expect-error: there is no such failure
failing.pipe(Flow.catchTags({ Even: ({ record }) => record }))

// state that never ends, and one that nobody named
const counting = (count: number, payment: Payment) => [count + 1, [payment]] as const
const keyed = payments.pipe(Flow.keyBy("id"))
keyed.pipe(Flow.mapWithState({ name: "n", schema: Schema.Finite, initial: () => 0, ttl: "1 day" }, counting))
// @ts-expect-error: without a ttl
keyed.pipe(Flow.mapWithState({ name: "n", schema: Schema.Finite, initial: () => 0 }, counting))
// @ts-expect-error: without a name
keyed.pipe(Flow.mapWithState({ schema: Schema.Finite, initial: () => 0, ttl: "1 day" }, counting))

// operational windows say why
// @ts-expect-error: no reason
Window.operational(Window.processing.tumbling("1 minute"), {})

// a job runs where its services are
class Away extends Schema.TaggedError<Away>()("Away", { message: Schema.String }) {}
class Holder extends Schema.Opaque<Holder>()(Schema.Struct({ holder: Field.text() })) {}
class Holders extends Lookup.Service<Holders, string, Holder, Away>()("test/Holders", {
  answer: Holder,
  failures: { Away: "transient" },
  timeout: (message) => new Away({ message }),
  unavailable: (message) => new Away({ message })
}) {}
const asking = Job.make("asking", [
  payments.pipe(
    Flow.lookup(Holders, { key: "id" }),
    Flow.catchTag("Away", ({ record }) => ({ ...record, holder: "" })),
    Flow.to(Copies)
  )
])
declare const rest: Layer.Layer<CheckpointStore | DeadLetters | Ledger | Log>
const providing = Job.run(asking).pipe(Effect.provide(rest))
const runs = (run: Effect.Effect<unknown, unknown>) => run
// @ts-expect-error: the service is missing
runs(providing)
runs(providing.pipe(Effect.provideService(Holders, { lookup: () => Effect.never })))
