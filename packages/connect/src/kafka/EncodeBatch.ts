/**
 * Records to be appended into one record batch, as Kafka keeps it: bytes to bytes, without an object per record.
 *
 * `Transaction` sends what comes of it. A batch is one append of the broker: it is kept whole or not at all.
 */
import { makeCopyRange, type PackedRecords, type RecordHeaders } from "@frazil/core"
import { crc32c } from "@platformatic/kafka"
import { header, lengthEnd, magicNow, transactionalFlag } from "./BatchFormat.ts"
import { codecOf, type Compression, compress } from "./Codec.ts"

/** Records `[from, to)` of an append. */
export interface Piece {
  readonly records: PackedRecords
  readonly from: number
  readonly to: number
}

export interface BatchIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Counts the producer's records in this partition: the broker appends each number once, in order. */
  readonly sequence: number
}

const encoder = new TextEncoder()
/** Six varints of at most five bytes, and the attributes. */
const fieldsBytesMax = 31

interface EncodedHeaders {
  readonly pairs: ReadonlyArray<readonly [name: Uint8Array, value: Uint8Array]>
  readonly bytes: number
}

const varintBytes = (value: number): number => {
  let rest = (value << 1) ^ (value >> 31)
  let bytes = 1
  while ((rest & ~0x7f) !== 0) {
    rest >>>= 7
    bytes++
  }
  return bytes
}

const encodeHeaders = (headers: RecordHeaders | undefined): EncodedHeaders | undefined => {
  if (headers === undefined) return undefined
  const pairs = Object.entries(headers).map(([name, value]) => [encoder.encode(name), encoder.encode(value)] as const)
  const bytes = pairs.reduce(
    (sum, [name, value]) => sum + varintBytes(name.length) + name.length + varintBytes(value.length) + value.length,
    0
  )
  return { pairs, bytes }
}

const sizeOf = ({ from, records, to }: Piece): number => {
  let bytes = 0
  for (let row = from; row < to; row++) {
    const key = records.keyStarts[row]! < 0 ? 0 : records.keyEnds[row]! - records.keyStarts[row]!
    bytes += fieldsBytesMax + key + records.valueEnds[row]! - records.valueStarts[row]!
  }
  // at most three bytes for each UTF-16 unit
  for (const [row, headers] of records.headers) {
    if (row < from || row >= to) continue
    for (const [name, value] of Object.entries(headers)) bytes += 10 + (name.length + value.length) * 3
  }
  return bytes
}

/** The pieces' records one after the other; the bytes and their number. */
const encodeRecords = (pieces: ReadonlyArray<Piece>): { readonly bytes: Uint8Array; readonly count: number } => {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + sizeOf(piece), 0))
  let at = 0
  let count = 0
  const varint = (value: number) => {
    let rest = (value << 1) ^ (value >> 31)
    while ((rest & ~0x7f) !== 0) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
  }
  for (const { from, records, to } of pieces) {
    const { keyEnds, keyStarts, valueEnds, valueStarts } = records
    const copyRange = makeCopyRange(records.bytes, bytes)
    const copy = (start: number, end: number) => {
      varint(end - start)
      copyRange(start, end, at)
      at += end - start
    }
    for (let row = from; row < to; row++, count++) {
      const keyStart = keyStarts[row]!
      const keyLength = keyStart < 0 ? -1 : keyEnds[row]! - keyStart
      const valueLength = valueEnds[row]! - valueStarts[row]!
      const headers = encodeHeaders(records.headers.get(row))
      varint(
        2 + // attributes, and a timestamp like the batch's
          varintBytes(count) +
          varintBytes(keyLength) +
          Math.max(0, keyLength) +
          varintBytes(valueLength) +
          valueLength +
          varintBytes(headers?.pairs.length ?? 0) +
          (headers?.bytes ?? 0)
      )
      bytes[at++] = 0
      bytes[at++] = 0
      varint(count)
      if (keyLength < 0) varint(-1)
      else copy(keyStart, keyEnds[row]!)
      copy(valueStarts[row]!, valueEnds[row]!)
      varint(headers?.pairs.length ?? 0)
      for (const text of headers?.pairs.flat() ?? []) {
        varint(text.length)
        bytes.set(text, at)
        at += text.length
      }
    }
  }
  return { bytes: bytes.subarray(0, at), count }
}

/** A batch of a transactional producer. Its offsets are the broker's to give. */
export const encodeBatch = (
  pieces: ReadonlyArray<Piece>,
  { producerEpoch, producerId, sequence }: BatchIdentity,
  compression: Compression,
  nowMs: number
): { readonly bytes: Uint8Array; readonly count: number } => {
  const records = encodeRecords(pieces)
  const body = compress(records.bytes, compression)
  const batch = new Uint8Array(header.records + body.length)
  const view = new DataView(batch.buffer)
  view.setInt32(header.length, batch.length - lengthEnd)
  view.setInt32(header.leaderEpoch, -1)
  view.setInt8(header.magic, magicNow)
  view.setInt16(header.attributes, transactionalFlag | codecOf[compression])
  view.setInt32(header.lastOffsetDelta, records.count - 1)
  view.setBigInt64(header.baseTimestamp, BigInt(nowMs))
  view.setBigInt64(header.maxTimestamp, BigInt(nowMs))
  view.setBigInt64(header.producerId, producerId)
  view.setInt16(header.producerEpoch, producerEpoch)
  view.setInt32(header.baseSequence, sequence)
  view.setInt32(header.count, records.count)
  batch.set(body, header.records)
  view.setUint32(header.crc, crc32c(Buffer.from(batch.buffer, header.attributes)))
  return { bytes: batch, count: records.count }
}

/** Appends to one partition as pieces of about `bytesMax` at most, each for a batch; one record may be longer. */
export const splitPieces = (
  appends: ReadonlyArray<PackedRecords>,
  bytesMax: number
): ReadonlyArray<ReadonlyArray<Piece>> => {
  const batches: Array<ReadonlyArray<Piece>> = []
  let pieces: Array<Piece> = []
  let used = 0
  for (const records of appends) {
    let from = 0
    for (let row = 0; row < records.length; row++) {
      const key = records.keyStarts[row]! < 0 ? 0 : records.keyEnds[row]! - records.keyStarts[row]!
      const size = key + records.valueEnds[row]! - records.valueStarts[row]!
      if (used > 0 && used + size > bytesMax) {
        if (row > from) pieces.push({ records, from, to: row })
        batches.push(pieces)
        pieces = []
        used = 0
        from = row
      }
      // a record without bytes has a length all the same
      used += size + fieldsBytesMax
    }
    if (records.length > from) pieces.push({ records, from, to: records.length })
  }
  if (pieces.length > 0) batches.push(pieces)
  return batches
}
