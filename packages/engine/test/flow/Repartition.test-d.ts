// Keys, merges and schemas: what a flow becomes, and wrong ones, each refused by the compiler at the argument that is wrong.
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"
import { count, Flow, Window } from "../../src/index.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    shop: Field.optional(Field.text()),
    number: Field.int(),
    at: Field.timestamp
  })
) {}
class Entry extends Schema.Opaque<Entry>()(Schema.Struct({ account: Field.text(), cents: Field.int() })) {}
class Other extends Schema.Opaque<Other>()(Schema.Struct({ account: Field.text() })) {}

const payments = Flow.from(Topic.make("payments", { schema: Payment, key: "id", eventTime: "at" }))
const refunds = Flow.from(Topic.make("refunds", { schema: Payment, key: "account", eventTime: "at" }))
const others = Flow.from(Topic.make("others", { schema: Other, key: "account" }))

const plain = payments.pipe(Flow.keyBy("account"))
const named = payments.pipe(Flow.keyBy("account", { name: "accounts", partitions: 8 }))
expectTypeOf(named).toEqualTypeOf(plain)
const both = payments.pipe(Flow.keyBy("account", "number", { repartition: true }))
expectTypeOf(both).toEqualTypeOf<
  Flow.Flow<Payment, never, never, { readonly account: string; readonly number: number }>
>()

// the key is lost where flows meet
const merged = payments.pipe(Flow.merge(refunds))
expectTypeOf(merged).toEqualTypeOf<Flow.Flow<Payment>>()
const minute = Window.tumbling("1 minute", { allowedLateness: "10s", once: true })
const totals = merged.pipe(Flow.keyBy("account"), Flow.window(minute, { count: count() }))
expectTypeOf<Flow.RecordOf<typeof totals>["count"]>().toEqualTypeOf<number>()

// sessions that are told once are never taken back
const session = Window.session("1 minute", { allowedLateness: "10s", max: "1h", once: true })
const sessions = merged.pipe(Flow.keyBy("account"), Flow.window(session, { count: count() }))
expectTypeOf<keyof Flow.RecordOf<typeof sessions> & "retracted">().toEqualTypeOf<never>()

const entries = payments.pipe(
  Flow.flatMap(({ account, number }: Payment): ReadonlyArray<Entry> => [{ account, cents: number }], { schema: Entry })
)
expectTypeOf(entries).toEqualTypeOf<Flow.Flow<Entry>>()

// @ts-expect-error: a key may not be null
payments.pipe(Flow.keyBy("shop"))
// @ts-expect-error: no such field
payments.pipe(Flow.keyBy("shops", { partitions: 2 }))
// @ts-expect-error: no key at all
payments.pipe(Flow.keyBy({ partitions: 2 }))
// @ts-expect-error: no such option
payments.pipe(Flow.keyBy("account", { partition: 2 }))
// @ts-expect-error: the records are others
payments.pipe(Flow.merge(others))
// @ts-expect-error: merged flows have no key
merged.pipe(Flow.window(minute, { count: count() }))
// @ts-expect-error: the schema is of other records
payments.pipe(Flow.flatMap(({ account }: Payment) => [{ account }], { schema: Entry }))
