/**
 * Reads records of a batch one after the other into columns: the inner loop of every fetch.
 *
 * Field by field as the protocol has them: length, attributes, delta of the timestamp, delta of the offset, key, value,
 * headers; numbers in zigzag varints. A record that does not fit what it says is refused.
 */
import { originalLengthHeader, originalSha256Header, type RecordHeaders } from "@frazil/core"
import { createHash } from "node:crypto"

export interface RecordColumns {
  readonly bytes: Uint8Array
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  readonly keyStarts: Int32Array
  readonly keyEnds: Int32Array
  readonly headers: Map<number, RecordHeaders>
  readonly recordBytesMax: number
}

export interface RecordReader {
  /** Goes to the records of a batch, `[from, to)` of the bytes. */
  readonly begin: (from: number, to: number) => void
  /** Reads the next record as row `row`; false when it is none. */
  readonly read: (row: number) => boolean
  readonly offsetDelta: () => number
  readonly timestampDelta: () => number
  /** Nothing is left. */
  readonly ended: () => boolean
}

/** What is kept of a value that is too long. */
const headBytes = 1_000
const headersMax = 10_000

const text = new TextDecoder()

export const makeRecordReader = (columns: RecordColumns): RecordReader => {
  const { bytes, headers, keyEnds, keyStarts, recordBytesMax, valueEnds, valueStarts } = columns
  let at = 0
  let end = 0
  let offsetDelta = 0
  let timestampDelta = 0

  /** A zigzag varint of at most 64 bits, exact up to 2^53; NaN when it has no end. */
  const varint = (): number => {
    let byte = bytes[at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let low = byte & 0x7f
    let shift = 7
    while (shift < 28) {
      byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
      shift += 7
    }
    let value = low
    let scale = 2 ** 28
    for (; shift < 70; shift += 7, scale *= 128) {
      byte = bytes[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    return Number.NaN
  }

  const readHeaders = (count: number, recordEnd: number): RecordHeaders | undefined => {
    if (count > headersMax) return undefined
    const pairs: Record<string, string> = {}
    for (let header = 0; header < count; header++) {
      const keyLength = varint()
      if (!(keyLength >= 0 && at + keyLength <= recordEnd)) return undefined
      const name = text.decode(bytes.subarray(at, at + keyLength))
      at += keyLength
      const valueLength = varint()
      if (!(valueLength >= -1 && at + valueLength <= recordEnd)) return undefined
      pairs[name] = valueLength < 0 ? "" : text.decode(bytes.subarray(at, at + valueLength))
      at += Math.max(0, valueLength)
    }
    return pairs
  }

  const tooLong = (row: number, start: number, valueEnd: number) => {
    const sha256 = createHash("sha256").update(bytes.subarray(start, valueEnd)).digest("hex")
    const original = { [originalLengthHeader]: String(valueEnd - start), [originalSha256Header]: sha256 }
    headers.set(row, { ...headers.get(row), ...original })
    valueEnds[row] = start + headBytes
  }

  const read = (row: number): boolean => {
    const length = varint()
    const recordEnd = at + length
    if (!(length > 0 && recordEnd <= end)) return false
    at++ // attributes, unused
    timestampDelta = varint()
    offsetDelta = varint()
    const keyLength = varint()
    if (!(keyLength >= -1 && at + keyLength <= recordEnd)) return false
    keyStarts[row] = keyLength < 0 ? -1 : at
    if (keyLength > 0) at += keyLength
    keyEnds[row] = keyLength < 0 ? -1 : at
    const valueLength = varint()
    if (!(valueLength >= -1 && at + valueLength <= recordEnd)) return false
    const start = at
    valueStarts[row] = start
    // a record without a value reads as one with an empty value: tables know it as a deletion
    if (valueLength > 0) at += valueLength
    valueEnds[row] = at
    const headerCount = varint()
    if (headerCount !== 0) {
      const found = headerCount > 0 ? readHeaders(headerCount, recordEnd) : undefined
      if (found === undefined) return false
      headers.set(row, found)
    }
    if (valueLength > recordBytesMax) tooLong(row, start, start + valueLength)
    return at === recordEnd && Number.isSafeInteger(timestampDelta) && offsetDelta >= 0
  }

  return {
    begin: (from, to) => {
      at = from
      end = to
    },
    read,
    offsetDelta: () => offsetDelta,
    timestampDelta: () => timestampDelta,
    ended: () => at === end
  }
}
