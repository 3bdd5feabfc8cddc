/**
 * What a fetch brought into columns: record batches as bytes to ranges of one buffer, without an object per record.
 *
 * `PartitionReader` calls it with the answer of a fetch at `read_committed`. Markers and records of aborted transactions are
 * left out (the broker names these transactions, the reader leaves them out); positions go past them. **Guarantee**: bytes
 * that are not what they claim to be give a `DamagedBatch`, never other records.
 */
import type { RecordHeaders } from "@frazil/core"
import type { ReadRecords } from "@frazil/engine"
import { crc32c } from "@platformatic/kafka"
import {
  appendTimeFlag,
  codecMask,
  controlFlag,
  header,
  lengthEnd,
  magicNow,
  recordBytesMin,
  transactionalFlag
} from "./BatchFormat.ts"
import { decompress } from "./Codec.ts"
import { makeRecordReader } from "./ReadRecord.ts"

/** A batch that cannot be read: `offset` is its first. */
export class DamagedBatch extends Error {
  override readonly name = "DamagedBatch"
  readonly offset: number
  constructor(offset: number, what: string) {
    super(what)
    this.offset = offset
  }
}

/** A transaction that was aborted: none of its records from `firstOffset` to its marker counts. */
export interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchedBytes {
  /** Whole batches; the last may be cut. */
  readonly bytes: Uint8Array
  /** The offset asked for: batches may begin before it. */
  readonly offset: number
  readonly aborted: ReadonlyArray<Aborted>
  /** Longer values are cut to their beginning, with headers that say so. */
  readonly recordBytesMax: number
}

/** What decompressed batches may have: the broker's bound on a batch is 1 MB unless it was raised. */
const uncompressedBytesMax = 128 * 1_048_576

/** The records of one batch, before they are read. */
interface Segment {
  readonly bytes: Uint8Array
  /** `[from, to)` of `bytes`. */
  readonly from: number
  readonly to: number
  readonly baseOffset: number
  readonly count: number
  readonly baseTimestamp: number
  /** Of all records, when the broker's clock gave it. */
  readonly appendedAt: number | undefined
}

interface Segments {
  readonly found: ReadonlyArray<Segment>
  readonly next: number
}

/** Walks the batches in the order of their offsets. */
const segmentsOf = ({ aborted, bytes, offset }: FetchedBytes): Segments => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const waiting = [...aborted].sort((left, right) => left.firstOffset - right.firstOffset)
  const aborting = new Set<bigint>()
  const found: Array<Segment> = []
  let next = offset
  let at = 0
  while (at + lengthEnd <= bytes.length) {
    const size = lengthEnd + view.getInt32(at + header.length)
    const baseOffset = Number(view.getBigInt64(at + header.baseOffset))
    if (size < lengthEnd) throw new DamagedBatch(baseOffset, "has a length below zero")
    if (at + size > bytes.length) break
    checkBatch(bytes, view, at, size, baseOffset)
    const lastOffset = baseOffset + view.getInt32(at + header.lastOffsetDelta)
    while (waiting.length > 0 && waiting[0]!.firstOffset <= lastOffset) aborting.add(waiting.shift()!.producerId)
    const attributes = view.getInt16(at + header.attributes)
    const producerId = view.getBigInt64(at + header.producerId)
    if ((attributes & controlFlag) !== 0) aborting.delete(producerId)
    else if (lastOffset >= offset && !((attributes & transactionalFlag) !== 0 && aborting.has(producerId))) {
      found.push(segmentOf(bytes, view, at, size, baseOffset, attributes))
    }
    next = Math.max(next, lastOffset + 1)
    at += size
  }
  return { found, next }
}

const checkBatch = (bytes: Uint8Array, view: DataView, at: number, size: number, baseOffset: number): void => {
  const magic = size > header.magic ? view.getInt8(at + header.magic) : -1
  if (magic !== magicNow) {
    throw new DamagedBatch(baseOffset, `has format ${magic} (its magic byte), only ${magicNow} can be read`)
  }
  if (size < header.records) throw new DamagedBatch(baseOffset, "is shorter than its header")
  const crc = crc32c(Buffer.from(bytes.buffer, bytes.byteOffset + at + header.attributes, size - header.attributes))
  if (crc !== view.getUint32(at + header.crc)) throw new DamagedBatch(baseOffset, "does not match its checksum")
}

const segmentOf = (
  whole: Uint8Array,
  view: DataView,
  at: number,
  size: number,
  baseOffset: number,
  attributes: number
): Segment => {
  const codec = attributes & codecMask
  const count = view.getInt32(at + header.count)
  let records = { bytes: whole, from: at + header.records, to: at + size }
  if (codec !== 0) {
    try {
      const bytes = decompress(whole.subarray(records.from, records.to), codec, uncompressedBytesMax)
      records = { bytes, from: 0, to: bytes.length }
    } catch {
      throw new DamagedBatch(baseOffset, `is compressed (codec ${codec}), and does not decompress`)
    }
  }
  if (count < 0 || count * recordBytesMin > records.to - records.from) {
    throw new DamagedBatch(baseOffset, `says that it has ${count} records, for which it is too short`)
  }
  const logAppended = (attributes & appendTimeFlag) !== 0
  return {
    ...records,
    baseOffset,
    count,
    baseTimestamp: Number(view.getBigInt64(at + header.baseTimestamp)),
    appendedAt: logAppended ? Number(view.getBigInt64(at + header.maxTimestamp)) : undefined
  }
}

/** One buffer with the records of all segments, and what each of them has to be moved by. */
const inOneBuffer = (segments: ReadonlyArray<Segment>): { bytes: Uint8Array; starts: ReadonlyArray<number> } => {
  const [first] = segments
  if (first === undefined) return { bytes: new Uint8Array(0), starts: [] }
  if (segments.every(({ bytes }) => bytes === first.bytes)) {
    return { bytes: first.bytes, starts: segments.map(({ from }) => from) }
  }
  const bytes = new Uint8Array(segments.reduce((sum, { from, to }) => sum + to - from, 0))
  const starts: Array<number> = []
  let used = 0
  for (const segment of segments) {
    starts.push(used)
    bytes.set(segment.bytes.subarray(segment.from, segment.to), used)
    used += segment.to - segment.from
  }
  return { bytes, starts }
}

/** The committed records from `offset` on. Throws `DamagedBatch`. */
export const decodeBatches = (fetched: FetchedBytes): ReadRecords => {
  const { found, next } = segmentsOf(fetched)
  const { bytes, starts } = inOneBuffer(found)
  const capacity = found.reduce((sum, { count }) => sum + count, 0)
  const column = () => new Int32Array(capacity)
  const columns = { valueStarts: column(), valueEnds: column(), keyStarts: column(), keyEnds: column() }
  const offsets = new Float64Array(capacity)
  const timestamps = new Float64Array(capacity)
  const headers = new Map<number, RecordHeaders>()
  const reader = makeRecordReader({ bytes, ...columns, headers, recordBytesMax: fetched.recordBytesMax })
  let row = 0
  for (const [index, segment] of found.entries()) {
    const { appendedAt, baseOffset, baseTimestamp, count } = segment
    const end = starts[index]! + segment.to - segment.from
    reader.begin(starts[index]!, end)
    for (let record = 0; record < count; record++) {
      if (!reader.read(row)) throw new DamagedBatch(baseOffset, `breaks off or lies at record ${record} of ${count}`)
      const offset = baseOffset + reader.offsetDelta()
      if (offset < fetched.offset) {
        headers.delete(row)
        continue
      }
      offsets[row] = offset
      timestamps[row] = appendedAt ?? baseTimestamp + reader.timestampDelta()
      row++
    }
    if (!reader.ended()) throw new DamagedBatch(baseOffset, `has more than the ${count} records that it tells of`)
  }
  const cut = <A extends Int32Array | Float64Array>(array: A): A =>
    row === capacity ? array : (array.subarray(0, row) as A) // subarray keeps the kind of array
  return {
    length: row,
    bytes,
    valueStarts: cut(columns.valueStarts),
    valueEnds: cut(columns.valueEnds),
    keyStarts: cut(columns.keyStarts),
    keyEnds: cut(columns.keyEnds),
    offsets: cut(offsets),
    timestamps: cut(timestamps),
    headers,
    next
  }
}
