/** The table of W6: a million accounts with their home country and risk, by the rule of the peers' `accounts.py`. */
import { makeRecordBuilder, type RecordBatch, Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import type { MemoryTopic } from "./FileLog.ts"

class Account extends Schema.Opaque<Account>()(
  Schema.Struct({ account_id: Field.text(), home_country: Field.text(), risk: Field.int() })
) {}
export const Accounts = Topic.make("accounts", { schema: Account, key: "account_id" })

export const accountsCount = 1_000_000
const batchRecords = 4_000

/** Of a thousand, how many live where. */
const weights = [
  ["US", 800],
  ["GB", 40],
  ["DE", 30],
  ["FR", 25],
  ["JP", 20],
  ["CA", 25],
  ["MX", 20],
  ["BR", 15],
  ["IN", 15],
  ["NG", 10]
] as const
const countries = weights.flatMap(([country, weight]) => Array.from({ length: weight }, () => country))

const mask = (1n << 64n) - 1n
const step = 0x9e3779b97f4a7c15n

/** splitmix64: the high 32 bits as one of a thousand. */
const thousandth = (state: bigint): number => {
  let z = state
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  return Number((((z ^ (z >> 31n)) >> 32n) * 1000n) >> 32n)
}

const rowText = (id: number): readonly [key: string, value: string] => {
  const first = ((0xacc00000n ^ BigInt(id)) + step) & mask
  const key = `ACC${String(id).padStart(7, "0")}`
  const risk = thousandth((first + step) & mask)
  return [key, `{"account_id":"${key}","home_country":"${countries[thousandth(first)]!}","risk":${risk}}`]
}

/** One record a key, as a compacted topic has them. */
export const makeAccounts = (): MemoryTopic => {
  const batches = new Map<number, RecordBatch>()
  for (let from = 0; from < accountsCount; from += batchRecords) {
    const builder = makeRecordBuilder()
    for (let id = from; id < from + batchRecords; id++) {
      const [key, value] = rowText(id)
      builder.addText(value, key)
    }
    const offsets = Float64Array.from({ length: batchRecords }, (_, at) => from + at)
    batches.set(from, { ...builder.take(), offsets, timestamps: new Float64Array(batchRecords) })
  }
  return { batches, end: accountsCount }
}
