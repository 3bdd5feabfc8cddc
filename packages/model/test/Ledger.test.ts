import { Decoder, Encoder, makeRecordBuilder } from "@frazil/core"
import { describe, expect, it } from "vitest"
import { type EnteredRecord, Ledger, type LedgerEntry, makeFilteredEntry, makeLedgerEntry } from "../src/index.ts"

const late: EnteredRecord = {
  job: "transactions",
  operator: "velocity",
  reason: "late",
  key: "A1",
  eventTime: 1_768_434_300_000,
  latenessMs: 7000,
  topic: "raw-transactions",
  partition: 2,
  offset: 17,
  value: new TextEncoder().encode('{"account_id":"A1"}')
}

/** As the topic gives it back. */
const written = (record: EnteredRecord): LedgerEntry => readBack(makeLedgerEntry(record))

const readBack = (entry: LedgerEntry): LedgerEntry => {
  const builder = makeRecordBuilder()
  builder.addText(Encoder.make(Ledger)(entry), null)
  const packed = builder.take()
  const decoder = Decoder.make(Ledger)
  const batch = decoder.decode({ ...packed, offsets: new Float64Array(1), timestamps: new Float64Array(1) })
  expect(batch.failures).toEqual([])
  return decoder.record(batch, 0)
}

describe("the ledger", () => {
  it("says which record it was, where it stands, and how late it came", () => {
    const { eventTime: event_timestamp, latenessMs: lateness_ms, offset, value: _, ...same } = late
    expect(written(late)).toEqual({
      ...same,
      event_timestamp,
      lateness_ms,
      offset_from: offset,
      offset_to: offset,
      count: 1,
      record: '{"account_id":"A1"}'
    })
  })

  it("leaves out what is not known, and the copy of a long record", () => {
    const entry = written({ ...late, key: undefined, latenessMs: undefined, value: new Uint8Array(65_537).fill(32) })
    expect(entry).toMatchObject({ key: null, lateness_ms: null, record: null })
  })
  it("names a failure without repeating its record", () => {
    const { latenessMs: _, value: __, ...known } = late
    const entry = written({ ...known, reason: "failed", eventTime: undefined })
    expect(entry).toMatchObject({ reason: "failed", offset_from: 17, event_timestamp: null, record: null })
  })

  it("counts what an operator left out of a range of offsets", () => {
    const { job, partition, topic } = late
    const range = { offsetFrom: 10_003, offsetTo: 19_999, count: 412 }
    expect(readBack(makeFilteredEntry({ job, partition, topic, operator: "large", ...range }))).toEqual({
      job,
      operator: "large",
      reason: "filtered",
      key: null,
      event_timestamp: null,
      lateness_ms: null,
      topic,
      partition,
      offset_from: 10_003,
      offset_to: 19_999,
      count: 412,
      record: null
    })
  })
})
