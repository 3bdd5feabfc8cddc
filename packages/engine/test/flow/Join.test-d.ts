// Joins by their types: what a result holds, and what is refused at the argument that is wrong; checked by `tsc`.
import { expr, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow } from "../../src/index.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ account: Field.text(), total: Field.int(), placed: Field.timestamp })
) {}
class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({ account: Field.text(), paid: Field.int(), note: Field.optional(Field.text()), at: Field.timestamp })
) {}
const Orders = Topic.make("orders", { schema: Order, key: "account", eventTime: "placed" })
const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at" })
const orders = Flow.from(Orders).pipe(Flow.keyBy("account"))
const payments = Flow.from(Payments).pipe(Flow.keyBy("account"))
const near = { lower: "-5 minutes", upper: "1 hour" } as const

// the fields of both
const both = orders.pipe(Flow.joinInterval(payments, near))
expectTypeOf<Flow.RecordOf<typeof both>>().toEqualTypeOf<{
  readonly account: string
  readonly total: number
  readonly placed: Order["placed"]
  readonly paid: number
  readonly note?: string | null
  readonly at: Payment["at"]
}>()
const lefts = orders.pipe(Flow.joinInterval(payments, { ...near, kind: "left" }))
expectTypeOf<Flow.RecordOf<typeof lefts>["total"]>().toEqualTypeOf<number>()
expectTypeOf<Flow.RecordOf<typeof lefts>["paid"]>().toEqualTypeOf<number | null>()
expectTypeOf<Flow.RecordOf<typeof lefts>["note"]>().toEqualTypeOf<string | null>()
const all = orders.pipe(Flow.joinInterval(payments, { ...near, kind: "full" }))
expectTypeOf<Flow.RecordOf<typeof all>["account"]>().toEqualTypeOf<string>()
expectTypeOf<Flow.RecordOf<typeof all>["total"]>().toEqualTypeOf<number | null>()
expectTypeOf<Flow.RecordOf<typeof all>["paid"]>().toEqualTypeOf<number | null>()

// what a function makes of them
const made = orders.pipe(
  Flow.joinInterval(payments, near, (order, payment) => {
    expectTypeOf(order).toEqualTypeOf<Order>()
    expectTypeOf(payment).toEqualTypeOf<Payment>()
    return { account: order.account, open: order.total - payment.paid }
  })
)
expectTypeOf<Flow.RecordOf<typeof made>>().toEqualTypeOf<{ account: string; open: number }>()

// what expressions make of them
const fields = { account: expr.string("left.account"), open: expr.number("left.total - right.paid") }
const expressed = orders.pipe(Flow.joinInterval(payments, near, fields))
expectTypeOf<Flow.RecordOf<typeof expressed>>().toEqualTypeOf<{ readonly account: string; readonly open: number }>()
orders.pipe(
  Flow.joinInterval(payments, { ...near, kind: "left", allowedLateness: "1m", name: "paid" }, (order, payment) => {
    expectTypeOf(order).toEqualTypeOf<Order>()
    expectTypeOf(payment).toEqualTypeOf<Payment | undefined>()
    return { open: order.total - (payment?.paid ?? 0) }
  })
)
orders.pipe(
  Flow.joinInterval(payments, { ...near, kind: "full" }, (order, payment) => {
    expectTypeOf(order).toEqualTypeOf<Order | undefined>()
    expectTypeOf(payment).toEqualTypeOf<Payment | undefined>()
    return {}
  })
)
// with itself
orders.pipe(Flow.joinInterval(orders, near, (one, other) => ({ account: one.account, more: other.total - one.total })))

const rates = payments
const priced = orders.pipe(Flow.joinAsOf(rates, { kind: "left", ttl: "1 day", deleted: ({ paid }) => paid === 0 }))
expectTypeOf<Flow.RecordOf<typeof priced>["paid"]>().toEqualTypeOf<number | null>()
const certain = orders.pipe(
  Flow.joinAsOf(rates, { ttl: "1 day", deleted: expr("paid == 0") }, (order, rate) => {
    expectTypeOf(rate).toEqualTypeOf<Payment>()
    return { account: order.account, paid: rate.paid }
  })
)
expectTypeOf<Flow.RecordOf<typeof certain>>().toEqualTypeOf<{ account: string; paid: number }>()

const table = orders.pipe(
  Flow.joinLatest(payments, { ttl: "30 days", leftDeleted: ({ total }) => total < 0, rightDeleted: expr("paid < 0") })
)
expectTypeOf<Flow.RecordOf<typeof table>["paid"]>().toEqualTypeOf<number>()
expectTypeOf<Flow.RecordOf<typeof table>["retracted"]>().toEqualTypeOf<boolean>()
const rows = orders.pipe(
  Flow.joinLatest(payments, { ttl: "30 days", kind: "full" }, (order, payment) => ({
    account: (order ?? payment)!.account
  }))
)
expectTypeOf<Flow.RecordOf<typeof rows>>().toEqualTypeOf<{ account: string; readonly retracted: boolean }>()
// a result has no key: its own is the key's only if the function leaves it so
expectTypeOf(rows).toEqualTypeOf<Flow.Flow<{ account: string; readonly retracted: boolean }>>()

const unkeyed = Flow.from(Payments)
const byNote = Flow.from(Payments).pipe(Flow.keyBy("paid"))
// @ts-expect-error: the left side is not keyed
Flow.from(Orders).pipe(Flow.joinInterval(payments, near))
// @ts-expect-error: the right side is not keyed
orders.pipe(Flow.joinInterval(unkeyed, near))
// @ts-expect-error: keyed by another field
orders.pipe(Flow.joinInterval(byNote, near))
// @ts-expect-error: keyed by another field
orders.pipe(Flow.joinAsOf(byNote, { ttl: "1 day" }))
// @ts-expect-error: keyed by another field
orders.pipe(Flow.joinLatest(byNote, { ttl: "1 day" }))
// @ts-expect-error: both sides have the fields of an order
orders.pipe(Flow.joinInterval(orders, near))
// @ts-expect-error: no end
orders.pipe(Flow.joinInterval(payments, { lower: "-5 minutes" }))
// @ts-expect-error: no such unit
orders.pipe(Flow.joinInterval(payments, { lower: "-5 mins", upper: "0s" }))
// @ts-expect-error: no such kind
orders.pipe(Flow.joinInterval(payments, { ...near, kind: "right" }))
// @ts-expect-error: what is there of a version without a record is not told
orders.pipe(Flow.joinAsOf(payments, { ttl: "1 day", kind: "full" }))
// @ts-expect-error: without end
orders.pipe(Flow.joinAsOf(payments, {}))
// @ts-expect-error: without end
orders.pipe(Flow.joinLatest(payments, {}))
// @ts-expect-error: no field of the right record
orders.pipe(Flow.joinLatest(payments, { ttl: "1 day", rightDeleted: ({ total }) => total < 0 }))
// @ts-expect-error: may be missing
orders.pipe(Flow.joinInterval(payments, { ...near, kind: "left" }, (order, payment) => ({ paid: payment.paid })))

orders.pipe(Flow.joinInterval(payments, { ...near, store: "disk", recordsPerKeyMax: 10 }))
orders.pipe(Flow.joinAsOf(payments, { ttl: "1 day", store: { disk: { cacheBytesMax: 1_048_576 } } }))
orders.pipe(Flow.joinLatest(payments, { ttl: "1 day", store: "memory", recordsHeldMax: 10 }))
// @ts-expect-error: a bound of memory
orders.pipe(Flow.joinInterval(payments, { ...near, store: "disk", recordsHeldMax: 10 }))
// @ts-expect-error: a bound of memory
orders.pipe(Flow.joinAsOf(payments, { ttl: "1 day", store: "disk", recordsHeldMax: 10 }))
// @ts-expect-error: a bound of memory
orders.pipe(Flow.joinLatest(payments, { ttl: "1 day", store: "disk", recordsHeldMax: 10 }))
// @ts-expect-error: no such store
orders.pipe(Flow.joinLatest(payments, { ttl: "1 day", store: "tape" }))
