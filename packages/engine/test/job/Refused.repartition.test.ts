/** Where a `keyBy` goes through a topic of its own, what that topic is, and what is refused there. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { count, Flow, Job, offsets, Window } from "../../src/index.ts"
import { planJob } from "../../src/plan/PlanJob.ts"

class Payment extends Schema.Opaque<Payment>()(
  Schema.Struct({
    id: Field.text(),
    account: Field.text(),
    shop: Field.text(),
    amount: Field.decimal(18, 2),
    more: Field.optional(Field.json(Schema.Struct({ tags: Schema.Array(Schema.String) }))),
    at: Field.timestamp
  })
) {}
class Count extends Schema.Opaque<Count>()(Schema.Struct({ shop: Field.text(), count: Field.int() })) {}
class Shop extends Schema.Opaque<Shop>()(Schema.Struct({ shop: Field.text(), city: Field.text() })) {}

const Payments = Topic.make("payments", { schema: Payment, key: "account", eventTime: "at", partitions: 3 })
const Refunds = Topic.make("refunds", { schema: Payment, key: "id", eventTime: "at", partitions: 2 })
const Counts = Topic.make("counts", { schema: Count, key: "shop" })
const Shops = Topic.make("shops", { schema: Shop, key: "shop", partitions: 7 })

const payments = Flow.from(Payments)
const minute = Window.tumbling("1 minute", { allowedLateness: "0s" })
const counted = (self: Flow.Flow<Payment, never, never, { readonly shop: string }>) =>
  self.pipe(Flow.window(minute, { count: count() }, { name: "counts" }))

const problemsOf = (...outputs: ReadonlyArray<Flow.Output>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Error && "problems" in error) return error.problems as ReadonlyArray<string> // of `Refused`
    throw error
  }
}

const topicsOf = (...outputs: ReadonlyArray<Flow.Output>) =>
  Job.internals(Job.make("job", outputs)).map(
    ({ key, name, partitions }) => `${name} by ${key.join()} in ${partitions}`
  )

describe("a keyBy", () => {
  it("goes through a topic where state needs a key that its source is not partitioned by, and nowhere else", () => {
    assert.deepStrictEqual(topicsOf(payments.pipe(Flow.keyBy("shop"), counted, Flow.to(Counts))), [
      "job.keyBy-shop-payments.repartition by shop in 4"
    ])
    assert.deepStrictEqual(topicsOf(payments.pipe(Flow.keyBy("shop"), Flow.to(Payments2))), [])
    const byAccount = payments.pipe(Flow.keyBy("account"))
    const own = (self: Flow.Flow<Payment, never, never, { readonly account: string }>) =>
      self.pipe(
        Flow.window(minute, { count: count() }),
        Flow.map(({ account }) => ({ shop: account, count: 1 })),
        Flow.to(Counts)
      )
    assert.deepStrictEqual(topicsOf(own(byAccount)), [])
    // its producers may partition otherwise
    const forced = payments.pipe(Flow.keyBy("account", { repartition: true, partitions: 2, name: "again" }))
    assert.deepStrictEqual(topicsOf(own(forced)), ["job.again.repartition by account in 2"])
  })

  it("has as many partitions as the table that is joined behind it", () => {
    const joined = payments.pipe(Flow.keyBy("shop"), Flow.joinTable(Shops, { on: "shop", take: ["city"] }))
    assert.deepStrictEqual(topicsOf(joined.pipe(Flow.to(Payments2))), [
      "job.keyBy-shop-payments.repartition by shop in 7"
    ])
  })

  it("makes a stage for each key, in a chain, and one for several sources", () => {
    const chain = payments.pipe(
      Flow.keyBy("shop"),
      counted,
      Flow.keyBy("count", { name: "by-count" }),
      Flow.window(minute, { shops: count() }, { name: "shops" }),
      Flow.map(({ shops }) => ({ shop: "all", count: shops })),
      Flow.to(Counts)
    )
    const stages = planJob(Job.make("job", [chain]))
    assert.deepStrictEqual(
      stages.map(({ name }) => name),
      ["payments", "job.keyBy-shop-payments.repartition", "job.by-count.repartition"]
    )
    const merged = payments.pipe(Flow.merge(Flow.from(Refunds)), Flow.keyBy("shop"), counted, Flow.to(Counts))
    const both = planJob(Job.make("job", [merged]))
    assert.deepStrictEqual(
      both.map(({ name, writers }) => [name, writers]),
      [
        ["payments", undefined],
        ["refunds", undefined],
        ["job.keyBy-shop-payments-refunds.repartition", ["payments", "refunds"]]
      ]
    )
  })

  it("is refused where nobody knows the records' fields", () => {
    const one = ({ shop }: Payment): Count => ({ shop, count: 1 })
    const made = (flow: Flow.Flow<Count>) =>
      flow.pipe(Flow.keyBy("shop"), Flow.window(minute, { count: count() }, { name: "counts" }), Flow.to(Counts))
    assert.deepStrictEqual(problemsOf(made(payments.pipe(Flow.map(one)))), [
      "keyBy(shop)@payments: its records go through a topic, but code made them, so that nobody knows their fields; give Flow.map a schema before it"
    ])
    assert.deepStrictEqual(problemsOf(made(payments.pipe(Flow.map(one, { schema: Count })))), [])
    const coded = payments.pipe(
      Flow.extend({ note: () => "x" }),
      Flow.keyBy("shop"),
      Flow.window(minute, { count: count() }),
      Flow.to(Counts)
    )
    assert.deepStrictEqual(problemsOf(coded), [
      "keyBy(shop)@payments: its records go through a topic, but extend@payments makes note by code; write an expression, or give Flow.map a schema before it"
    ])
    const extended = payments.pipe(
      Flow.extend({ note: expr.string("shop + '!'") }),
      Flow.keyBy("note"),
      Flow.window(minute, { count: count() }),
      Flow.map(({ count, note }) => ({ shop: note, count })),
      Flow.to(Counts)
    )
    assert.deepStrictEqual(problemsOf(extended), [])
  })

  it("is refused without a name that stays, with too many partitions, and with offsets of several partitions behind it", () => {
    const twice = [payments, payments].map((flow, at) =>
      flow.pipe(
        Flow.keyBy("shop"),
        Flow.window(minute, { count: count() }, { name: `counts ${at}` }),
        Flow.to(Counts, { name: `to ${at}` })
      )
    )
    assert.deepStrictEqual(problemsOf(...twice), [
      'keyBy(shop)@payments#2: its records go through a topic, whose name must stay when lines move; give it one with { name: "…" }, or use the flow of the other keyBy'
    ])
    assert.deepStrictEqual(problemsOf(payments.pipe(Flow.keyBy("shop", { partitions: 0 }), counted, Flow.to(Counts))), [
      "keyBy(shop)@payments: its topic must have 1 to 1024 partitions, found 0"
    ])
    const placed = payments.pipe(
      Flow.keyBy("shop"),
      Flow.window(minute, { count: count(), from: offsets({ offsetsMax: 3 }) }, { name: "placed" }),
      Flow.to(Counts)
    )
    assert.deepStrictEqual(problemsOf(placed), [
      'placed: "from" would be offsets of several partitions; collect an id of the records instead'
    ])
  })

  it("is refused behind what tells a result more than once, where it would be taken for more", () => {
    const over = (allowedLateness: "0s" | "5s", early: "10s" | undefined) =>
      payments.pipe(
        Flow.keyBy("account"),
        Flow.window(
          Window.tumbling("1 minute", { allowedLateness, ...(early === undefined ? {} : { early }) }),
          { count: count() },
          { name: "inner" }
        ),
        Flow.keyBy("count", { name: "by-count" }),
        Flow.window(minute, { accounts: count() }, { name: "outer" }),
        Flow.map(({ accounts }) => ({ shop: "all", count: accounts })),
        Flow.to(Counts)
      )
    assert.deepStrictEqual(problemsOf(over("0s", undefined)), [])
    assert.deepStrictEqual(problemsOf(over("0s", "10s")), [
      'by-count: inner gives early results, which would be taken for results; leave out "early", or write them to a topic'
    ])
    assert.deepStrictEqual(problemsOf(over("5s", undefined)), [
      "inner: late records tell its results again, which outer would take for more; write once: true, or filter them before"
    ])
  })

  it("is refused between topics of one's own that are named as those of jobs", () => {
    const Odd = { ...Counts, name: "odd.repartition" }
    const odd = payments.pipe(Flow.keyBy("shop"), counted, Flow.to(Odd))
    assert.deepStrictEqual(problemsOf(odd), [
      "to(odd.repartition)@payments: odd.repartition is named as jobs name topics of their own; name it otherwise"
    ])
  })
})

const Payments2 = { ...Payments, name: "payments.copy" }
