import { assert, describe, it } from "@effect/vitest"
import { Decoder, KeyScanner, makeRecordBuilder, type Topic } from "@frazil/core"
import { Clickstream, Customers, LoanApplications, PaymentEvents } from "@frazil/model"
import { Schema } from "effect"
import { makeApplications } from "../../src/generate/Applications.ts"
import { makeClicks } from "../../src/generate/Clicks.ts"
import { customersCount, makeCustomers } from "../../src/generate/Customers.ts"
import { makePayments } from "../../src/generate/Payments.ts"
import type { RecordSource } from "../../src/generate/RecordSource.ts"

const startMs = 1_768_434_300_000
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const few = { arbitrary: { runs: 20, seed: 1 } }

/** What a topic's contract makes of `count` records; each is keyed as the contract's own reader says. */
const decoded = <A>(topic: Topic<A>, source: RecordSource, count: number): ReadonlyArray<A> => {
  const builder = makeRecordBuilder()
  const { keyOf } = KeyScanner.make(topic)
  const text = new TextDecoder()
  const partitionOf = source.partitioner(4)
  for (let index = 0; index < count; index++) {
    const made = source.next(startMs + index)
    const key = text.decode(made.bytes.subarray(made.keyStart, made.keyEnd))
    assert.strictEqual(key, keyOf(made.bytes, 0, made.length))
    assert.isBelow(partitionOf(made), 4)
    builder.addRange(made.bytes, 0, made.length, made.keyStart, made.keyEnd)
  }
  const batch = { ...builder.take(), offsets: new Float64Array(count), timestamps: new Float64Array(count) }
  const decoder = Decoder.make(topic)
  const columns = decoder.decode(batch)
  assert.deepStrictEqual(columns.failures, [])
  assert.strictEqual(columns.fastRows, count)
  return Array.from({ length: count }, (_, row) => decoder.record(columns, row))
}

describe("generated records of lending, claims and sessions", () => {
  it.prop(
    "applications decode on the fast path, as many from customers as asked for",
    [Seed],
    ([seed]) => {
      const known = new Map(decoded(Customers, makeCustomers(), customersCount).map((each) => [each.customer_id, each]))
      const made = decoded(LoanApplications, makeApplications({ seed, knownShare: 0.7 }), 2_000)
      const ofCustomers = made.filter(({ customer_id }) => known.has(customer_id ?? ""))
      assert.isTrue(Math.abs(ofCustomers.length / made.length - 0.7) < 0.05, `${ofCustomers.length}, seed ${seed}`)
      assert.isTrue(made.some(({ customer_id }) => customer_id !== null && !known.has(customer_id ?? "")))
      assert.strictEqual(new Set(made.map((each) => each.application_id)).size, made.length)
      const ssnOf = new Map(ofCustomers.map((each) => [each.customer_id, each.ssn]))
      for (const { customer_id, ssn } of ofCustomers) assert.strictEqual(ssnOf.get(customer_id), ssn)
    },
    few
  )

  it.prop(
    "payments decode on the fast path, as many of unknown claims as asked for",
    [Seed],
    ([seed]) => {
      const made = decoded(PaymentEvents, makePayments({ seed, claims: 50, unknownShare: 0.1 }), 2_000)
      const unknown = made.filter(({ claim_id }) => claim_id.startsWith("CX"))
      assert.isTrue(Math.abs(unknown.length / made.length - 0.1) < 0.03, `${unknown.length}, seed ${seed}`)
      const claims = new Set(made.map((each) => each.claim_id).filter((id) => id.startsWith("CL")))
      assert.isTrue([...claims].every((id) => Number(id.slice(2)) >= 1 && Number(id.slice(2)) <= 50))
    },
    few
  )

  it.prop(
    "clicks decode on the fast path: users who stay a while, with products of the category they look at",
    [Seed],
    ([seed]) => {
      const made = decoded(Clickstream, makeClicks({ seed }), 2_000)
      const perUser = Map.groupBy(made, ({ user_id }) => user_id)
      assert.isAbove(perUser.size, 200, `seed ${seed}`)
      assert.isAbove(made.length / perUser.size, 3, `seed ${seed}`)
      const categoryOf = new Map<string, string>()
      for (const { category = null, event_type, product_id = null } of made) {
        assert.strictEqual(product_id === null, event_type === "page_view" || event_type === "search")
        assert.strictEqual(category === null, product_id === null)
        if (product_id === null || category === null) continue
        assert.strictEqual(categoryOf.get(product_id) ?? category, category)
        categoryOf.set(product_id, category)
      }
    },
    few
  )

  it("customers are the same in every run, each once", () => {
    const first = decoded(Customers, makeCustomers(), customersCount)
    assert.deepStrictEqual(decoded(Customers, makeCustomers(), customersCount), first)
    assert.strictEqual(new Set(first.map((each) => each.customer_id)).size, customersCount)
  })
})
