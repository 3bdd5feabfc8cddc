import { Decoder, Encoder, makeRecordBuilder } from "@frazil/core"
import { describe, expect, it } from "vitest"
import { type EnteredRecord, Ledger, type LedgerEntry, makeLedgerEntry } from "../src/index.ts"

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
const written = (record: EnteredRecord): LedgerEntry => {
  const builder = makeRecordBuilder()
  builder.addText(Encoder.make(Ledger)(makeLedgerEntry(record)), null)
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
})
