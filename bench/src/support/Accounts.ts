/** The table of W6 as a topic in memory: the rows of `AccountRows.ts`. */
import { makeRecordBuilder, type RecordBatch, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { accountRow, accountsCount } from "./AccountRows.ts"
import type { MemoryTopic } from "./FileLog.ts"

class Account extends Schema.Opaque<Account>()(
  Schema.Struct({ account_id: Field.text(), home_country: Field.text(), risk: Field.int() })
) {}
export const Accounts = Topic.make("accounts", { schema: Account, key: "account_id" })

const batchRecords = 4_000

/** One record a key, as a compacted topic has them. */
export const makeAccounts = (): MemoryTopic => {
  const batches = new Map<number, RecordBatch>()
  for (let from = 0; from < accountsCount; from += batchRecords) {
    const builder = makeRecordBuilder()
    for (let id = from; id < from + batchRecords; id++) {
      const row = accountRow(id)
      builder.addText(JSON.stringify(row), row.account_id)
    }
    const offsets = Float64Array.from({ length: batchRecords }, (_, at) => from + at)
    batches.set(from, { ...builder.take(), offsets, timestamps: new Float64Array(batchRecords) })
  }
  return { batches, end: accountsCount }
}
