/**
 * Nearly all that the generators make takes the decoder's fast path, whatever the kind; and all that another one writes: of the
 * peers' workloads, `gen --n 20000 --seed 7`, every 16th line and those that it made invalid
 * (`vectors/peers-transactions.ndjson.gz`).
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { Decoder, makeRecordBuilder, type PackedRecords, type Topic } from "@frazil/core"
import { RawTransactions } from "@frazil/model"
import { describe, expect, it } from "vitest"
import { kindNames, kinds } from "../../src/generate/Kinds.ts"

const startMs = 1_768_434_300_000
const records = 1_000
const seeds = [1, 2, 3, 42]

/** A batch of a log, at any place. */
const placed = (records: PackedRecords) => ({
  ...records,
  offsets: new Float64Array(records.length),
  timestamps: new Float64Array(records.length)
})

/** As that generator breaks lines: cut short, without an account, or of a negative amount. */
const isWellFormed = (line: string): boolean => {
  try {
    const { account_id, amount } = JSON.parse(line) as { readonly account_id?: string; readonly amount: number }
    return account_id !== undefined && amount > 0
  } catch {
    return false
  }
}

describe("the share of the fast path", () => {
  it.each(kindNames)("is at least 99 % of the well-formed records of %s", (name) => {
    const { source, topic } = kinds[name]
    const decoder = Decoder.make(topic as Topic<unknown>) // one of the model's
    let fast = 0
    let wellFormed = 0
    for (const seed of seeds) {
      const { next } = source(seed)
      const builder = makeRecordBuilder()
      for (let index = 0; index < records; index++) {
        const made = next(startMs + index)
        builder.addRange(made.bytes, 0, made.length, made.keyStart, made.keyEnd)
      }
      const columns = decoder.decode(placed(builder.take()))
      fast += columns.fastRows
      wellFormed += records - columns.failures.length
    }
    expect(wellFormed).toBeGreaterThan(3_800)
    expect(fast / wellFormed).toBeGreaterThanOrEqual(0.99)
  })

  it("is at least 99 % of the well-formed lines of another generator", () => {
    const file = join(import.meta.dirname, "vectors/peers-transactions.ndjson.gz")
    const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split("\n")
    const builder = makeRecordBuilder()
    for (const line of lines) builder.addText(line, null)
    const { failures, fastRows } = Decoder.make(RawTransactions).decode(placed(builder.take()))
    const wellFormed = lines.filter(isWellFormed).length
    expect([lines.length, lines.length - wellFormed]).toEqual([1263, failures.length])
    expect(failures.length).toBeGreaterThan(10)
    expect(fastRows / wellFormed).toBeGreaterThanOrEqual(0.99)
  })
})
