/** What `Job.make` refuses of joins with tables, in its words; and the shape that expressions read behind one. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ id: Field.text(), customer: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
class Customer extends Schema.Opaque<Customer>()(
  Schema.Struct({ customer: Field.text(), number: Field.int(), score: Field.int(), name: Field.personal(Field.text()) })
) {}
const Orders = Topic.make("orders", { schema: Order, key: "customer", eventTime: "at" })
const Copies = Topic.make("copies", { schema: Order, key: "id" })
const Customers = Topic.make("customers", { schema: Customer, key: "customer" })
const orders = Flow.from(Orders)
const join = Flow.joinTable(Customers, { on: "customer", take: ["score"] }) satisfies (
  self: Flow.Flow<Order>
) => unknown

const problemsOf = (...outputs: ReadonlyArray<Flow.Output>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}

/** The problems of orders joined with a table on a field. */
const joined = (
  table: Topic<Customer>,
  on: "customer" | "id" | "cents",
  take: ReadonlyArray<"score" | "number"> = ["score"]
) => problemsOf(orders.pipe(Flow.joinTable(table, { on, take }), Flow.to(Copies)))

describe("a join with a table", () => {
  it("is a job when both topics put a key in the same place, and expressions read what is taken", () => {
    const known = orders.pipe(
      Flow.joinTable(Customers, { on: "customer", take: ["score"] }),
      Flow.filter(expr("score >= 700 || !has(score)"))
    )
    const job = Job.make("job", [known.pipe(Flow.to(Copies))])
    assert.deepStrictEqual(
      job.graph.operators.map(({ name }) => name),
      ["orders", "joinTable(customers)@orders", "filter@orders", "to(copies)@orders"]
    )
    assert.deepStrictEqual(
      Job.sources(job).map(({ name }) => name),
      ["orders", "customers"]
    )
    assert.deepStrictEqual(
      Job.tables(job).map(({ name }) => name),
      ["customers"]
    )
    const [problem] = problemsOf(known.pipe(Flow.filter(expr("name == 'x'")), Flow.to(Copies)))
    assert.include(problem, "name")
  })

  it("is refused where a record and its row would not meet", () => {
    assert.deepStrictEqual(joined(Customers, "id"), [
      'joinTable(customers)@orders: joins on id, but orders is partitioned by customer, so a record and its row in customers would meet in no one place; call Flow.keyBy("id") before it'
    ])
    assert.deepStrictEqual(joined({ ...Customers, partitions: 3 }, "customer"), [
      "joinTable(customers)@orders: orders has 4 partitions and customers has 3, so a key's records would be in partitions of different numbers; declare both topics with as many"
    ])
    assert.deepStrictEqual(joined({ ...Customers, key: ["customer", "number"] }, "customer"), [
      "joinTable(customers)@orders: customers is no table, which has one key field that is never null; write it to a topic that has one first"
    ])
    assert.deepStrictEqual(joined({ ...Customers, key: ["number"] }, "customer"), [
      "joinTable(customers)@orders: customer is a Text field, but the key of customers a Int field; declare both with the same type"
    ])
  })

  it("is refused for what it takes: nothing, what is not there, what the record has", () => {
    assert.deepStrictEqual(joined(Customers, "customer", []), [
      "joinTable(customers)@orders: takes nothing of customers; name at least one field"
    ])
    assert.deepStrictEqual(joined(Customers, "customer", ["odd" as "score"]), [
      "joinTable(customers)@orders: takes odd, which customers does not have"
    ])
    // as code that lies about its types does
    assert.deepStrictEqual(joined(Customers, "customer", ["customer" as "score"]), [
      "joinTable(customers)@orders: takes customer, which the record has already"
    ])
  })

  it("is refused behind what may change the key", () => {
    const behind = (self: Flow.Flow<Order>) => problemsOf(join(self).pipe(Flow.to(Copies)))
    assert.deepStrictEqual(behind(orders.pipe(Flow.map((order: Order) => order))), [
      'map@orders: code may change customer, which joinTable(customers)@orders joins on; join before it, or call Flow.keyBy("customer", { repartition: true }) between the two'
    ])
    assert.deepStrictEqual(behind(orders.pipe(Flow.extend({ customer: expr.string("id") }))), [
      "extend@orders: replaces customer, which joinTable(customers)@orders joins on; write the new value to another field"
    ])
  })

  it("is refused where the job would wait for itself, or its state would be another's", () => {
    const toTable = Flow.to(Customers, { name: "update" }) satisfies (self: Flow.Flow<Customer>) => unknown
    const customer = (order: Order): Customer => ({ customer: order.customer, number: 1, score: 1, name: "" })
    assert.deepStrictEqual(problemsOf(join(orders).pipe(Flow.to(Copies)), toTable(orders.pipe(Flow.map(customer)))), [
      "update: writes the table that joinTable(customers)@orders reads to its end; write it in a job of its own"
    ])
    const itself = orders.pipe(
      Flow.joinTable({ ...Orders, name: "orders" } as unknown as Topic<Customer>, { on: "customer", take: ["score"] })
    )
    assert.include(problemsOf(itself.pipe(Flow.to(Copies))).join(), "joins orders with itself")
    const named = orders.pipe(Flow.filter(expr("cents > 1")), Flow.named("table(customers)"))
    assert.deepStrictEqual(problemsOf(join(named).pipe(Flow.to(Copies))), [
      `an operator is named "table(customers)", as the state of joinTable(customers)@orders is: give it another name`
    ])
  })

  it("is refused where joins that share a table's rows keep them in several places", () => {
    const by = (name: string, store: Flow.StateStore) =>
      orders.pipe(Flow.joinTable(Customers, { on: "customer", take: ["score"], name, store }), Flow.to(Copies))
    assert.deepStrictEqual(problemsOf(by("one", "memory"), by("two", "disk")), [
      "two: keeps customers on disk with a cache of 67108864 bytes, one keeps it in memory, and they share its rows; say the same store in both"
    ])
    const small = { disk: { cacheBytesMax: 1000 } }
    assert.include(problemsOf(by("one", "disk"), by("two", small))[0], "say the same store in both")
    assert.deepStrictEqual(problemsOf(by("one", small), by("two", { disk: { cacheBytesMax: 1000 } })), [])
    assert.deepStrictEqual(problemsOf(by("one", { disk: { cacheBytesMax: Number.NaN } })), [
      "one: its cacheBytesMax is no number of bytes"
    ])
  })
})
