import {
  Decoder,
  KeyScanner,
  makeRecordBuilder,
  originalLengthHeader,
  originalSha256Header,
  Timestamp,
  type RecordBatch
} from "@frazil/core"
import { RawTransactions } from "@frazil/model"
import { describe, expect, it } from "vitest"
import { makeCorpus } from "../../src/oracle/Corpus.ts"
import { expectRawTransactions, type OracleRecord } from "../../src/oracle/RawTransactions.ts"

const corpus = makeCorpus({ seed: 11, lines: 4_000, nastyPercent: 40 })
const expected = expectRawTransactions(corpus)
const cutLetters = new Map(
  expected.deadLetters.flatMap((letter) => (letter.reason !== "record_too_long" ? [] : [[letter.line, letter]]))
)

/** The records as a log would hold them. */
const batchOf = (records: ReadonlyArray<OracleRecord>): RecordBatch => {
  const builder = makeRecordBuilder()
  for (const { line, value } of records) {
    const cut = cutLetters.get(line)
    const headers =
      cut === undefined
        ? undefined
        : { [originalLengthHeader]: String(cut.originalLength), [originalSha256Header]: String(cut.originalSha256) }
    builder.add(value, null, headers)
  }
  return {
    ...builder.take(),
    offsets: Float64Array.from(records, ({ offset }) => offset),
    timestamps: new Float64Array(records.length)
  }
}

/** A decoded record in the oracle's form: every value as exact text. */
const asText = (record: object) =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]: [string, unknown]) => {
      if (value === null || value === undefined) return [name, null]
      if (name !== "event_timestamp") return [name, String(value)]
      const iso = Timestamp.format(Timestamp.make(Number(value)))
      return [name, iso.replace(/\.(\d+)Z$/, (_, digits: string) => `.${digits.padEnd(6, "0")}Z`)]
    })
  )

describe("the decoder and the oracle", () => {
  const decoder = Decoder.make(RawTransactions)
  const rows: Array<unknown> = []
  const letters: Array<unknown> = []
  for (const records of expected.partitions) {
    const batch = decoder.decode(batchOf(records))
    const failures = new Map(batch.failures.map((failure) => [failure.row, failure]))
    for (const [row, { line }] of records.entries()) {
      const failure = failures.get(row)
      if (failure !== undefined) letters.push({ line, reason: failure.reason, field: failure.field ?? null })
      else
        rows.push({
          line,
          values: asText(decoder.record(batch, row)),
          extraFields: batch.extras.get(row) ?? null
        })
    }
  }
  const byLine = (left: unknown, right: unknown) => Number(Object(left).line) - Number(Object(right).line)

  it("agree on what is refused, why and by which field", () => {
    const wanted = expected.deadLetters.map(({ line, reason, field }) => ({ line, reason, field }))
    expect(letters.sort(byLine)).toEqual(wanted)
  })
  it("agree on every value", () => {
    const wanted = expected.rows.map(({ line, values, extraFields }) => ({ line, values, extraFields }))
    expect(rows.sort(byLine)).toEqual(wanted)
  })
  it("agree on keys", () => {
    const { keyOf } = KeyScanner.make(RawTransactions)
    for (const { value, key, line } of expected.partitions.flat()) {
      if (!cutLetters.has(line)) expect(keyOf(value, 0, value.length), `line ${line}`).toBe(key)
    }
  })
})
