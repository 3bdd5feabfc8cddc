import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Decoder, makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { RawTransactions } from "@frazil/model"
import { makeTransactions, type TransactionOptions } from "../../src/generate/Transactions.ts"

const startMs = 1_768_434_300_000
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const few = { arbitrary: { runs: 20, seed: 1 } }

const batchOf = (options: TransactionOptions, count: number): RecordBatch => {
  const generator = makeTransactions(options)
  const builder = makeRecordBuilder()
  for (let index = 0; index < count; index++) {
    const made = generator.next(startMs + index)
    builder.addRange(made.bytes, 0, made.length, made.keyStart, made.keyEnd)
  }
  return { ...builder.take(), offsets: new Float64Array(count), timestamps: new Float64Array(count) }
}

describe("Transactions and the contract of raw-transactions", () => {
  const decoder = Decoder.make(RawTransactions)

  it.prop(
    "every record decodes, on the fast path",
    [Seed],
    ([seed]) => {
      const decoded = decoder.decode(batchOf({ seed, fraudShare: 0.05 }, 500))
      assert.deepStrictEqual(decoded.failures, [])
      assert.strictEqual(decoded.fastRows, 500)
    },
    few
  )

  it("broken records fail each in their way", () => {
    const count = 5_000
    const decoded = decoder.decode(batchOf({ seed: 3, fraudShare: 0, invalidShare: 0.1 }, count))
    const failed = new Map<string, number>()
    for (const { field, reason } of decoded.failures) {
      const kind = `${reason} ${field ?? ""}`
      failed.set(kind, (failed.get(kind) ?? 0) + 1)
    }
    assert.deepStrictEqual([...failed.keys()].toSorted(), [
      "bad_format amount",
      "bad_format event_timestamp",
      "missing_field account_id",
      "not_json ",
      "out_of_range amount"
    ])
    for (const times of failed.values()) assert.isTrue(Math.abs(times / count - 0.02) < 0.008)
  })
})
