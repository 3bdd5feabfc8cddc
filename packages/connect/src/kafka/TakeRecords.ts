/** Cuts what a fetch brought to what a reader asked for. Views of the same bytes, moved to begin at 0. */
import type { RecordHeaders } from "@frazil/core"
import type { ReadLimits, ReadRecords } from "@frazil/engine"

/** Behind the last record that comes: one at least, when there is one. */
const endWithin = (batch: ReadRecords, from: number, { bytesMax, recordsMax }: ReadLimits): number => {
  const { keyEnds, keyStarts, valueEnds, valueStarts } = batch
  const endMax = Math.min(batch.length, from + Math.max(1, recordsMax))
  let bytes = 0
  for (let row = from; row < endMax; row++) {
    bytes += valueEnds[row]! - valueStarts[row]! + (keyStarts[row]! < 0 ? 0 : keyEnds[row]! - keyStarts[row]!)
    if (bytes > bytesMax && row > from) return row
  }
  return endMax
}

const noHeaders: ReadonlyMap<number, RecordHeaders> = new Map()

const headersWithin = (batch: ReadRecords, from: number, to: number): ReadonlyMap<number, RecordHeaders> => {
  if (batch.headers.size === 0) return noHeaders
  const headers = new Map<number, RecordHeaders>()
  for (const [row, pairs] of batch.headers) if (row >= from && row < to) headers.set(row - from, pairs)
  return headers
}

/** Records `[from, to)`; in the bytes of a record its key stands before its value. */
const slice = (batch: ReadRecords, from: number, to: number, next: number): ReadRecords => {
  const start = batch.keyStarts[from]! < 0 ? batch.valueStarts[from]! : batch.keyStarts[from]!
  const moved = (column: Int32Array) => {
    const own = column.slice(from, to)
    if (start > 0) for (let row = 0; row < own.length; row++) if (own[row]! >= 0) own[row]! -= start
    return own
  }
  return {
    length: to - from,
    // a value that was cut has more behind it, which is nobody's
    bytes: batch.bytes.subarray(start, batch.valueEnds[to - 1]),
    valueStarts: moved(batch.valueStarts),
    valueEnds: moved(batch.valueEnds),
    keyStarts: moved(batch.keyStarts),
    keyEnds: moved(batch.keyEnds),
    offsets: batch.offsets.subarray(from, to),
    timestamps: batch.timestamps.subarray(from, to),
    headers: headersWithin(batch, from, to),
    next
  }
}

/** From row `from` on as many as the limits let pass. The last ones end where the whole does. */
export const takeRecords = (batch: ReadRecords, from: number, limits: ReadLimits): ReadRecords => {
  const to = endWithin(batch, from, limits)
  if (to === batch.length) return from === 0 ? batch : slice(batch, from, to, batch.next)
  return slice(batch, from, to, batch.offsets[to - 1]! + 1)
}
