/** Records as the simulated log keeps them, one by one, and the packing to and from batches. */
import { makeRecordBuilder, type PackedRecords, type RecordBatch, type RecordHeaders } from "@frazil/core"

export interface UnpackedRecord {
  readonly value: Uint8Array
  readonly key: Uint8Array | null
  readonly headers: RecordHeaders | undefined
}

export interface KeptRecord extends UnpackedRecord {
  readonly offset: number
  /** By the clock of the process that appended it, which may be set back or ahead. */
  readonly appendedMs: number
  /** Which of all appends to the log it came with: the order of what became durable. */
  readonly appendNumber: number
}

export const unpackRecords = (records: PackedRecords): ReadonlyArray<UnpackedRecord> =>
  Array.from({ length: records.length }, (_, row) => ({
    value: records.bytes.slice(records.valueStarts[row], records.valueEnds[row]),
    key: records.keyStarts[row]! < 0 ? null : records.bytes.slice(records.keyStarts[row], records.keyEnds[row]),
    headers: records.headers.get(row)
  }))

export const packKept = (records: ReadonlyArray<KeptRecord>): RecordBatch => {
  const builder = makeRecordBuilder(
    records.reduce((sum, { key, value }) => sum + value.length + (key?.length ?? 0), 16)
  )
  for (const { headers, key, value } of records) builder.add(value, key, headers)
  return {
    ...builder.take(),
    offsets: Float64Array.from(records, ({ offset }) => offset),
    timestamps: Float64Array.from(records, ({ appendedMs }) => appendedMs)
  }
}
