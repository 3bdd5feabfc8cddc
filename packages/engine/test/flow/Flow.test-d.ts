// Wrong flows, each refused by the compiler at the argument that is wrong; checked by `tsc`.
import { type Decimal, expr, Field, Topic } from "@frazil/core"
import { Data, Result, Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow, Job } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    amount: Field.decimal(12, 2),
    note: Field.optional(Field.text()),
    at: Field.timestamp
  })
) {}
class Note extends Schema.Opaque<Note>()(Schema.Struct({ id: Field.text(), note: Field.text() })) {}
class Total extends Schema.Opaque<Total>()(Schema.Struct({ account: Field.text(), count: Field.int() })) {}
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const Copies = Topic.make("copies", { schema: Payment, key: "account", eventTime: "at" })
const Notes = Topic.make("notes", { schema: Note, key: "id" })
const Totals = Topic.make("totals", { schema: Total, key: "account" })

class TooLong extends Data.TaggedError("TooLong")<{ readonly message: string }> {}
class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}

const payments = Flow.from(Payments)
expectTypeOf<Flow.RecordOf<typeof payments>>().toEqualTypeOf<Payment>()

// has narrows its branch, and only its branch
const { noted, rest } = payments.pipe(Flow.route({ noted: Flow.has("note"), rest: Flow.otherwise }))
expectTypeOf<Flow.RecordOf<typeof noted>["note"]>().toEqualTypeOf<string>()
noted.pipe(Flow.to(Notes))
// @ts-expect-error: the note may be null here
rest.pipe(Flow.to(Notes))

// filter takes expressions and functions of this record
payments.pipe(Flow.filter(expr("amount > 100")), Flow.to(Copies))
payments.pipe(
  Flow.filter((payment) => payment.amount.gt(100)),
  Flow.to(Copies)
)
// @ts-expect-error: no such field
payments.pipe(Flow.filter((payment) => payment.amont.gt(100)))
// @ts-expect-error: a decimal is compared with its methods
payments.pipe(Flow.filter((payment) => payment.amount > 100))
// @ts-expect-error: a condition is a boolean
payments.pipe(Flow.filter(expr.number("1 + 1")))

// event time takes timestamps only, durations are checked
payments.pipe(Flow.eventTime("at", { outOfOrderness: "5 seconds" }))
// @ts-expect-error: not a timestamp
payments.pipe(Flow.eventTime("account", { outOfOrderness: "5 seconds" }))
// @ts-expect-error: no such unit
payments.pipe(Flow.eventTime("at", { outOfOrderness: "5 secs" }))

// extend adds what its values give, stamp a timestamp
const extended = payments.pipe(
  Flow.extend({ why: expr.string("'x'"), twice: (p) => p.amount.plus(p.amount) }),
  Flow.stamp("seen_at")
)
expectTypeOf<Flow.RecordOf<typeof extended>["why"]>().toEqualTypeOf<string>()
expectTypeOf<Flow.RecordOf<typeof extended>["twice"]>().toExtend<Decimal<2>>()

// failures must be handled before a flow ends or splits
const checked = payments.pipe(
  Flow.mapResult((payment) =>
    payment.id.length > 3 ? Result.fail(new TooLong({ message: "long" })) : Result.succeed(payment)
  )
)
expectTypeOf<Flow.Tags<Flow.FailureOf<typeof checked>>>().toEqualTypeOf<"TooLong">()
// @ts-expect-error: TooLong is unhandled
checked.pipe(Flow.to(Copies))
// @ts-expect-error: TooLong is unhandled
checked.pipe(Flow.route({ all: Flow.otherwise }))
// @ts-expect-error: TooLong is unhandled
Flow.validate(checked)
// @ts-expect-error: there is no such failure
checked.pipe(Flow.catchTag("Odd", ({ record }) => record))
const caught = checked.pipe(Flow.catchTag("TooLong", ({ record }) => record))
expectTypeOf<Flow.FailureOf<typeof caught>>().toEqualTypeOf<never>()
caught.pipe(Flow.to(Copies))
checked.pipe(
  Flow.orDeadLetter(Notes, (failed) => ({ id: failed.record.id, note: failed.error.message })),
  Flow.to(Copies)
)
checked.pipe(
  // @ts-expect-error: a note lacks its text
  Flow.orDeadLetter(Notes, (failed) => ({ id: failed.record.id })),
  Flow.to(Copies)
)
const two = checked.pipe(
  Flow.mapResult((payment) => (payment.id === "" ? Result.fail(new Odd({ message: "odd" })) : Result.succeed(payment)))
)
expectTypeOf<Flow.Tags<Flow.FailureOf<typeof two>>>().toEqualTypeOf<"TooLong" | "Odd">()
const one = two.pipe(Flow.catchTags({ Odd: ({ record }) => record }))
expectTypeOf<Flow.Tags<Flow.FailureOf<typeof one>>>().toEqualTypeOf<"TooLong">()

// records must fit the topic
// @ts-expect-error: totals count
payments.pipe(Flow.to(Totals))
payments.pipe(
  Flow.map((payment) => ({ account: payment.account, count: 1 })),
  Flow.to(Totals)
)

// a schema says what code makes, and must say it right
payments.pipe(
  Flow.map((payment) => ({ account: payment.account, count: 1 }), { schema: Total }),
  Flow.filter(expr("count > 0")),
  Flow.to(Totals)
)
// @ts-expect-error: a total has a count
payments.pipe(Flow.map((payment) => ({ account: payment.account }), { schema: Total }))

// state needs a key that cannot be null
const state = { name: "count", schema: Schema.Finite, initial: () => 0, ttl: "30 days" } as const
payments.pipe(
  Flow.keyBy("account"),
  Flow.mapWithState(state, (count, payment) => [count + 1, [{ account: payment.account, count: count + 1 }]] as const),
  Flow.to(Totals)
)
// @ts-expect-error: not keyed
payments.pipe(Flow.mapWithState(state, (count: number, _payment: Payment) => [count, []] as const))
// @ts-expect-error: a key cannot be null
payments.pipe(Flow.keyBy("note"))
// @ts-expect-error: no such field
payments.pipe(Flow.keyBy("acount"))

// a job is made of outputs
Job.make("ok", [payments.pipe(Flow.to(Copies))])
// @ts-expect-error: the flow does not end
Job.make("open", [payments])
