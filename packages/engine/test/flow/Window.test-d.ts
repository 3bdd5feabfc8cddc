// Windows by their types: what a result holds, and what is refused at the argument that is wrong; checked by `tsc`.
import { type Decimal, Field, type Timestamp, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"
import {
  aggregate,
  avg,
  collect,
  count,
  countDistinct,
  first,
  Flow,
  last,
  max,
  min,
  sum,
  Window
} from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    amount: Field.decimal(12, 2),
    tip: Field.optional(Field.decimal(12, 4)),
    lat: Field.double(),
    note: Field.optional(Field.text()),
    at: Field.timestamp
  })
) {}
class Velocity extends Schema.Opaque<Velocity>()(
  Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int(),
    total: Field.decimal(38, 2)
  })
) {}
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const Velocities = Topic.make("velocities", { schema: Velocity, key: "account" })
const fiveMinutes = Window.tumbling("5 minutes", { allowedLateness: "5 minutes" })
const keyed = Flow.from(Payments).pipe(Flow.keyBy("account"))

const velocity = keyed.pipe(Flow.window(fiveMinutes, { count: count(), total: sum("amount") }))
expectTypeOf<Flow.RecordOf<typeof velocity>>().toEqualTypeOf<{
  readonly account: string
  readonly window_start: Timestamp
  readonly window_end: Timestamp
  readonly revision: number
  readonly count: number
  readonly total: Decimal<2>
}>()
velocity.pipe(Flow.to(Velocities))

const all = keyed.pipe(
  Flow.window(
    Window.hopping("1 hour", { every: "5 minutes", allowedLateness: "0s" }),
    {
      tips: sum("tip"),
      mean: avg("lat"),
      first: min("at"),
      most: max("amount"),
      ids: countDistinct("id", { valuesMax: 100 })
    },
    { name: "all" }
  )
)
type All = Flow.RecordOf<typeof all>
expectTypeOf<All["tips"]>().toEqualTypeOf<Decimal<4> | null>()
expectTypeOf<All["mean"]>().toEqualTypeOf<number>()
expectTypeOf<All["first"]>().toEqualTypeOf<Timestamp>()
expectTypeOf<All["most"]>().toEqualTypeOf<Decimal<2>>()
expectTypeOf<All["ids"]>().toEqualTypeOf<number>()
expectTypeOf<All["ids_capped"]>().toEqualTypeOf<boolean>()

const visits = keyed.pipe(
  Flow.window(Window.session("30 minutes", { allowedLateness: "0s", max: "1 day" }), {
    opened: first("note"),
    newest: last("amount"),
    ids: collect("id", { valuesMax: 10, distinct: true }),
    notes: collect("note", { valuesMax: 10 }),
    people: countDistinct("id", { valuesMax: 10, beyond: "estimate" }),
    fees: aggregate({
      name: "fees",
      schema: Schema.Finite,
      initial: () => 0,
      add: (fees, { lat }: Payment) => fees + lat,
      merge: (left, right) => left + right,
      result: (fees) => ({ fees })
    })
  })
)
expectTypeOf<Flow.RecordOf<typeof visits>>().toEqualTypeOf<{
  readonly account: string
  readonly window_start: Timestamp
  readonly window_end: Timestamp
  readonly revision: number
  readonly retracted: boolean
  readonly opened: string | null
  readonly newest: Decimal<2>
  readonly ids: ReadonlyArray<string>
  readonly ids_capped: boolean
  readonly notes: ReadonlyArray<string>
  readonly notes_capped: boolean
  readonly people: number
  readonly people_capped: boolean
  readonly fees: { fees: number }
}>()

const rolled = keyed.pipe(
  Flow.window(Window.rolling("30 days", { every: "1 day", allowedLateness: "1 day", early: "1 hour" }), {
    total: sum("amount")
  })
)
expectTypeOf<Flow.RecordOf<typeof rolled>["early"]>().toEqualTypeOf<boolean>()
expectTypeOf<keyof Flow.RecordOf<typeof velocity> & ("early" | "retracted")>().toEqualTypeOf<never>()
// a result that may be taken back fits a topic that says so, and code that looks at it
visits.pipe(Flow.filter(({ retracted }) => !retracted))

// @ts-expect-error: how long a session may be is missing
Window.session("30 minutes", { allowedLateness: "0s" })
// @ts-expect-error: no word about late records
Window.session("30 minutes", { max: "1 day" })
// @ts-expect-error: sessions give no results before their end
Window.session("30 minutes", { allowedLateness: "0s", max: "1 day", early: "1 minute" })
// @ts-expect-error: how often is missing
Window.rolling("30 days", { allowedLateness: "0s" })
// @ts-expect-error: how many values may be kept
keyed.pipe(Flow.window(fiveMinutes, { ids: collect("id") }))
// @ts-expect-error: decimals are not collected
keyed.pipe(Flow.window(fiveMinutes, { amounts: collect("amount", { valuesMax: 10 }) }))
// @ts-expect-error: times are not collected
keyed.pipe(Flow.window(fiveMinutes, { times: collect("at", { valuesMax: 10 }) }))
// @ts-expect-error: no such field
keyed.pipe(Flow.window(fiveMinutes, { opened: first("nobody") }))
// @ts-expect-error: beyond the cap there is an estimate, or the cap
keyed.pipe(Flow.window(fiveMinutes, { ids: countDistinct("id", { valuesMax: 10, beyond: "exact" }) }))

// @ts-expect-error: not keyed
Flow.from(Payments).pipe(Flow.window(fiveMinutes, { count: count() }))
// @ts-expect-error: no word about late records
Window.tumbling("5 minutes", {})
// @ts-expect-error: no such unit
Window.tumbling("5 mins", { allowedLateness: "0s" })
// @ts-expect-error: how often is missing
Window.hopping("1 hour", { allowedLateness: "0s" })
// @ts-expect-error: a text has no sum
keyed.pipe(Flow.window(fiveMinutes, { total: sum("id") }))
// @ts-expect-error: times have no sum
keyed.pipe(Flow.window(fiveMinutes, { total: sum("at") }))
// @ts-expect-error: no such field
keyed.pipe(Flow.window(fiveMinutes, { total: sum("amont") }))
// @ts-expect-error: a text has no mean
keyed.pipe(Flow.window(fiveMinutes, { mean: avg("note") }))
// @ts-expect-error: decimals are not counted by value
keyed.pipe(Flow.window(fiveMinutes, { amounts: countDistinct("amount", { valuesMax: 10 }) }))
// @ts-expect-error: how many values may be kept
keyed.pipe(Flow.window(fiveMinutes, { ids: countDistinct("id") }))
const byTheClock = Window.processing.tumbling("1 minute")
// @ts-expect-error: answers by the clock are not for business
keyed.pipe(Flow.window(byTheClock, { count: count() }))
keyed.pipe(Flow.window(Window.operational(byTheClock, { because: "a lag display" }), { count: count() }))
// @ts-expect-error: nulls where the topic has none
all.pipe(Flow.to(Velocities))
