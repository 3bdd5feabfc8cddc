// Joins with tables: what a flow becomes, and wrong ones, each refused by the compiler at the argument that is wrong.
import { type Decimal, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow } from "../../src/index.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ id: Field.text(), customer: Field.optional(Field.text()), paid: Field.boolean })
) {}
class Customer extends Schema.Opaque<Customer>()(
  Schema.Struct({
    customer: Field.text(),
    income: Field.decimal(12, 2),
    segment: Field.optional(Field.text()),
    paid: Field.boolean
  })
) {}
const Orders = Topic.make("orders", { schema: Order, key: { field: "customer", else: "id" } })
const Customers = Topic.make("customers", { schema: Customer, key: "customer" })

const joined = Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "customer", take: ["income", "segment"] }))
expectTypeOf<Flow.RecordOf<typeof joined>["income"]>().toEqualTypeOf<Decimal<2> | null>()
expectTypeOf<Flow.RecordOf<typeof joined>["segment"]>().toEqualTypeOf<string | null>()
expectTypeOf<Flow.RecordOf<typeof joined>["customer"]>().toEqualTypeOf<Order["customer"]>()
expectTypeOf<Flow.FailureOf<typeof joined>>().toEqualTypeOf<never>()
expectTypeOf<Flow.ServicesOf<typeof joined>>().toEqualTypeOf<never>()

// what a route proves of a field that was taken
const { known } = joined.pipe(Flow.route({ known: Flow.has("income") }))
expectTypeOf<Flow.RecordOf<typeof known>["income"]>().toEqualTypeOf<Decimal<2>>()

// where the table's rows are
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "customer", take: ["income"], store: "disk" }))
// @ts-expect-error: a table has no bound on its keys
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "customer", take: ["income"], keysMax: 10 }))

// @ts-expect-error: no such field to join on
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "custom", take: ["income"] }))
// @ts-expect-error: no key is true or false
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "paid", take: ["income"] }))
// @ts-expect-error: the table has no such field
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "customer", take: ["incom"] }))
// @ts-expect-error: both have paid
Flow.from(Orders).pipe(Flow.joinTable(Customers, { on: "customer", take: ["paid"] }))
