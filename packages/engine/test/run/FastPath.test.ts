/** What a plan of expressions costs a record: the columns it reads, no record object, and its own bytes out. */
import { Decoder, expr, Field, makeRecordBuilder, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, sum, Window } from "../../src/index.ts"
import { planJob } from "../../src/plan/PlanJob.ts"
import { compileStage } from "../../src/run/CompileStage.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({
    id: Field.text(),
    customer: Field.text(),
    amount: Field.decimal(18, 2),
    note: Field.text({ lengthMax: 8 }),
    rate: Field.double({ min: 0, max: 1 }),
    at: Field.timestamp
  })
) {}
class Total extends Schema.Opaque<Total>()(
  Schema.Struct({ customer: Field.text(), orders: Field.int(), total: Field.optional(Field.decimal(38, 2)) })
) {}
const Orders = Topic.make("orders", { schema: Order, key: "customer", eventTime: "at", partitions: 1 })
const Large = Topic.make("large", { schema: Order, key: "customer", partitions: 1 })
const Totals = Topic.make("totals", { schema: Total, key: "customer", partitions: 1 })

const large = Flow.from(Orders).pipe(Flow.filter(expr("amount > 100")), Flow.to(Large))
const totals = Flow.from(Orders).pipe(
  Flow.eventTime("at", { outOfOrderness: "1s" }),
  Flow.keyBy("customer"),
  Flow.window(Window.tumbling("1 minute", { allowedLateness: "0s" }), { orders: count(), total: sum("amount") }),
  Flow.to(Totals)
)
const readsOf = (job: Job.Job<string, unknown>) =>
  planJob(job).map((plan) => compileStage(plan).reads.map((reads) => (reads === undefined ? "all" : [...reads].sort())))

describe("a plan of expressions", () => {
  it("decodes the fields of its conditions, keys, times and aggregates, and all where code asks for records", () => {
    assert.deepStrictEqual(readsOf(Job.make("large", [large])), [[["amount", "at", "customer"]]])
    assert.deepStrictEqual(readsOf(Job.make("totals", [totals])), [[["amount", "at", "customer"]]])
    const coded = Flow.from(Orders).pipe(
      Flow.filter((order) => order.rate > 0.5),
      Flow.to(Large)
    )
    assert.deepStrictEqual(readsOf(Job.make("coded", [coded])), [["all"]])
  })

  it("checks the fields that nobody reads all the same, and leaves their columns alone", () => {
    const builder = makeRecordBuilder()
    const text = (note: string, rate: string) =>
      `{"id":"i","customer":"c","amount":5,"note":"${note}","rate":${rate},"at":"2026-01-14T12:00:00Z"}`
    for (const [note, rate] of [
      ["fine", "0.5"],
      ["much too long", "0.5"],
      ["fine", "1.5"],
      ["f\\u0069ne", "5e-1"]
    ] as const)
      builder.addText(text(note, rate), null)
    const batch = { ...builder.take(), offsets: new Float64Array(4), timestamps: new Float64Array(4) }
    const columns = Decoder.make(Orders, new Set(["amount"])).decode(batch)
    assert.deepStrictEqual([...columns.valid.subarray(0, 4)], [1, 0, 0, 1])
    assert.deepStrictEqual(
      columns.failures.map(({ field, reason }) => [field, reason]),
      [
        ["note", "out_of_range"],
        ["rate", "out_of_range"]
      ]
    )
    const [amount, rate] = [columns.columns[2]!, columns.columns[4]!]
    assert.isTrue(amount._tag === "Numbers" && amount.values[0] === 500)
    assert.isTrue(rate._tag === "Numbers" && rate.values[0] === 0)
  })

  it.effect("writes a record that passes unchanged as the bytes it came in, whichever way it was decoded", () =>
    Effect.gen(function* () {
      const members = '"amount":1.50e2,"note":"\\u0061\\/","rate":1.0,"at":"2026-01-14T12:00:00.000+00:00"'
      const values = [
        `{"id":"a","customer":"c",${members}}`,
        ` { "customer" : "c\\u0063" , "id":"b",${members} , "more":{"x":[1, 2.0e0 ,"}"]} } `,
        `{"id":"x","id":"c","customer":"c",${members}}`,
        `{"id":"d","customer":"c","amount":"12345678901234.50","note":"","rate":0,"at":"2026-01-14T12:00:00Z"}`
      ]
      yield* append(
        Orders,
        values.map((value) => ({ key: "c", value }))
      )
      yield* runToEnd(Job.make("large", [large]))
      const written = yield* readAll(Large.name)
      assert.deepStrictEqual(
        written.map(({ value }) => value),
        values
      )
      assert.deepStrictEqual(
        written.map(({ key }) => key),
        ["c", "cc", "c", "c"]
      )
    }).pipe(Effect.provide(world))
  )
})
