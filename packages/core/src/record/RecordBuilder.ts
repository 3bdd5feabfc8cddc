/**
 * Collects records into one packed buffer, to be appended to a log.
 *
 * Epochs, producers and feeders fill one per partition. Growth doubles; the caller bounds it by looking at `bytesUsed`.
 */
import { makeCopyRange } from "./CopyRange.ts"
import type { PackedRecords, RecordHeaders } from "./RecordBatch.ts"

const encoder = new TextEncoder()

/** A growing list of records. `take` and `lend` leave the builder empty. */
export interface RecordBuilder {
  readonly length: () => number
  readonly bytesUsed: () => number
  /** Copies `source[start, end)` as the value; the key likewise, or −1 for none. A key inside the value stays there. */
  readonly addRange: (source: Uint8Array, start: number, end: number, keyStart: number, keyEnd: number) => void
  /** Copies bytes; a null key is a record without one. */
  readonly add: (value: Uint8Array, key: Uint8Array | null, headers?: RecordHeaders) => void
  readonly addText: (value: string, key: string | null) => void
  /** Copies `frame`, then `source[start, end)`, as one value; the key is `keySource[keyStart, keyEnd)`. */
  readonly addFramed: (
    frame: Uint8Array,
    source: Uint8Array,
    start: number,
    end: number,
    keySource: Uint8Array,
    keyStart?: number,
    keyEnd?: number
  ) => void
  /** Hands the records over. */
  readonly take: () => PackedRecords
  /** The records without a copy: their bytes are good until the next one is added. */
  readonly lend: () => PackedRecords
}

const recordsInitial = 256
/** Keys are short: up to here a loop copies faster than a call. */
const loopBytesMax = 24

export const makeRecordBuilder = (bytesInitial = 16_384): RecordBuilder => {
  let bytes = new Uint8Array(bytesInitial)
  // four numbers a record: value start, value end, key start, key end
  let ranges = new Int32Array(recordsInitial * 4)
  let length = 0
  let used = 0
  let headers: Map<number, RecordHeaders> | undefined
  // most records in a row come from one source
  let copiedFrom: Uint8Array = bytes
  let copyRange = makeCopyRange(copiedFrom, bytes)

  const reserve = (more: number) => {
    if (used + more > bytes.length) {
      const grown = new Uint8Array(Math.max(bytes.length * 2, used + more))
      grown.set(bytes.subarray(0, used))
      bytes = grown
      copyRange = makeCopyRange(copiedFrom, bytes)
    }
    if ((length + 1) * 4 > ranges.length) {
      const grown = new Int32Array(ranges.length * 2)
      grown.set(ranges)
      ranges = grown
    }
  }
  const copy = (source: Uint8Array, start: number, end: number) => {
    if (end - start > loopBytesMax) {
      if (source !== copiedFrom) copyRange = makeCopyRange((copiedFrom = source), bytes)
      copyRange(start, end, used)
    } else for (let at = start; at < end; at++) bytes[used + at - start] = source[at]!
    used += end - start
  }
  const finish = (valueStart: number, valueEnd: number, keyStart: number, keyEnd: number) => {
    const at = length * 4
    ranges[at] = valueStart
    ranges[at + 1] = valueEnd
    ranges[at + 2] = keyStart
    ranges[at + 3] = keyEnd
    length++
  }
  const column = (index: number) => {
    const out = new Int32Array(length)
    for (let row = 0; row < length; row++) out[row] = ranges[row * 4 + index]!
    return out
  }
  /** Leaves nothing behind; the records' bytes are `all`. */
  const empty = (all: Uint8Array): PackedRecords => {
    const records: PackedRecords = {
      length,
      bytes: all,
      valueStarts: column(0),
      valueEnds: column(1),
      keyStarts: column(2),
      keyEnds: column(3),
      headers: headers ?? new Map()
    }
    length = 0
    used = 0
    headers = undefined
    return records
  }
  return {
    length: () => length,
    bytesUsed: () => used,
    addRange: (source, start, end, keyStart, keyEnd) => {
      reserve(end - start + (keyStart < 0 ? 0 : keyEnd - keyStart))
      const value = used
      copy(source, start, end)
      const key = used
      if (keyStart >= start && keyEnd <= end) {
        finish(value, key, value + keyStart - start, value + keyEnd - start)
        return
      }
      if (keyStart >= 0) copy(source, keyStart, keyEnd)
      finish(value, key, keyStart < 0 ? -1 : key, used)
    },
    addFramed: (frame, source, start, end, keySource, keyStart = 0, keyEnd = keySource.length) => {
      reserve(frame.length + end - start + keyEnd - keyStart)
      const value = used
      copy(frame, 0, frame.length)
      copy(source, start, end)
      const key = used
      copy(keySource, keyStart, keyEnd)
      finish(value, key, key, used)
    },
    add: (value, key, recordHeaders) => {
      reserve(value.length + (key === null ? 0 : key.length))
      const start = used
      copy(value, 0, value.length)
      const end = used
      if (key !== null) copy(key, 0, key.length)
      if (recordHeaders !== undefined) (headers ??= new Map()).set(length, recordHeaders)
      finish(start, end, key === null ? -1 : end, used)
    },
    addText: (value, key) => {
      // UTF-8 takes at most three bytes for each UTF-16 unit
      reserve((value.length + (key === null ? 0 : key.length)) * 3)
      const start = used
      used += encoder.encodeInto(value, bytes.subarray(used)).written
      const end = used
      if (key !== null) used += encoder.encodeInto(key, bytes.subarray(used)).written
      finish(start, end, key === null ? -1 : end, used)
    },
    take: () => empty(bytes.slice(0, used)),
    lend: () => empty(bytes.subarray(0, used))
  }
}
