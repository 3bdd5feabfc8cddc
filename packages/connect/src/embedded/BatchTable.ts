/**
 * Records of an embedded log: appending, reading and removing rows of them.
 *
 * Called by `EmbeddedLog`, inside `LogFile`'s transactions; `BatchRow` says how a row looks. Offsets of a partition are
 * contiguous, append times never go back. One statement moves about `rowBytesMax` at most, or one record.
 */
import { type Append, type Appended, LogError, type ReadLimits, type ReadRecords } from "@frazil/engine"
import { decodeRow, encodeRow, rowChecksum, type RowPlace, type RowRecords, sizeOf, splitRows } from "./BatchRow.ts"
import type { Database } from "./Database.ts"
import { damaged } from "./LogSchema.ts"
import { findPartition, findTopic, type TopicRow, writeBounds } from "./TopicTable.ts"

/** As much as a task reads at once, so that a whole row is a batch of its own and nothing is copied together. */
const rowBytesMax = 1_000_000
const rowRecordsMax = 5_000
/** Rows removed by one transaction: about 16 MB. */
const purgeRowsMax = 16

interface PlaceRow {
  readonly base_offset: number
  readonly count: number
  readonly appended_at: number
}

interface BatchRow extends PlaceRow {
  readonly checksum: number
  readonly ranges: Uint8Array
  readonly bytes: Uint8Array
}

const checkLengths = (append: Append, recordBytesMax: number): void => {
  const { length, valueStarts, valueEnds, keyStarts, keyEnds } = append.records
  for (let row = 0; row < length; row++) {
    const value = valueEnds[row]! - valueStarts[row]!
    const key = keyStarts[row]! < 0 ? 0 : keyEnds[row]! - keyStarts[row]!
    if (value > recordBytesMax || key > recordBytesMax) {
      throw new LogError({
        reason: "RecordTooLong",
        message: `record ${row} of a batch for topic ${append.topic} has ${Math.max(value, key)} bytes, more than the ${recordBytesMax} that a record may have: shorten it or raise the limit`
      })
    }
  }
}

/** Appends to one partition; the transaction around it makes it visible. */
export const appendRecords = (db: Database, append: Append, recordBytesMax: number, nowMs: number): Appended => {
  const { records } = append
  const topic = findTopic(db, append.topic)
  const partition = findPartition(db, topic, append.partition)
  checkLengths(append, recordBytesMax)
  // a clock that was set back must not make `offsetAt` wrong
  const appendedAt = Math.max(nowMs, partition.appended_at)
  for (const { from, to } of splitRows(records, rowBytesMax, rowRecordsMax)) {
    const blobs = encodeRow(records, from, to)
    const place: RowPlace = {
      topic: topic.number,
      partition: append.partition,
      baseOffset: partition.end_offset + from,
      count: to - from,
      appendedAt
    }
    db.run(
      "insert into batch (topic, partition, base_offset, count, appended_at, checksum, ranges, bytes) values (?, ?, ?, ?, ?, ?, ?, ?)",
      place.topic,
      place.partition,
      place.baseOffset,
      place.count,
      place.appendedAt,
      rowChecksum(place, blobs),
      blobs.ranges,
      blobs.bytes
    )
  }
  writeBounds(db, topic, {
    ...partition,
    end_offset: partition.end_offset + records.length,
    appended_at: appendedAt
  })
  return { topic: append.topic, partition: append.partition, offset: partition.end_offset }
}

/** Part of a row that a read takes: records `[from, to)`. */
interface Piece {
  readonly place: PlaceRow
  readonly records: RowRecords
  readonly from: number
  readonly to: number
}

const lost = (db: Database, topic: TopicRow, partition: number, offset: number, how: string): LogError =>
  damaged(db, `records of topic ${topic.name}, partition ${partition}, from offset ${offset} on ${how}`)

const readRow = (db: Database, topic: TopicRow, partition: number, offset: number): Piece => {
  const row = db.first<BatchRow>(
    "select base_offset, count, appended_at, checksum, ranges, bytes from batch where topic = ? and partition = ? and base_offset <= ? order by base_offset desc limit 1",
    topic.number,
    partition,
    offset
  )
  if (row === undefined || row.base_offset + row.count <= offset) {
    throw lost(db, topic, partition, offset, "are missing")
  }
  const place: RowPlace = {
    topic: topic.number,
    partition,
    baseOffset: row.base_offset,
    count: row.count,
    appendedAt: row.appended_at
  }
  if (rowChecksum(place, row) !== row.checksum) {
    throw lost(db, topic, partition, row.base_offset, "do not match their checksum")
  }
  const records = decodeRow(row.count, row)
  if (records === undefined) throw lost(db, topic, partition, row.base_offset, "have a format of a newer frazil")
  return { place: row, records, from: offset - row.base_offset, to: row.count }
}

/** How far a piece may be taken: at most `recordsLeft` records and `bytesLeft` bytes; the first of a read always. */
const cut = (piece: Piece, recordsLeft: number, bytesLeft: number, first: boolean): { to: number; bytes: number } => {
  const toMax = Math.min(piece.to, piece.from + recordsLeft)
  let bytes = 0
  for (let row = piece.from; row < toMax; row++) {
    const size = sizeOf(piece.records, row)
    if (bytes + size > bytesLeft && !(first && row === piece.from)) return { to: row, bytes }
    bytes += size
  }
  return { to: toMax, bytes }
}

/** Reads from `offset` on, within limits, at least one record when there is one. */
export const readRecords = (
  db: Database,
  name: string,
  partition: number,
  offset: number,
  limits: ReadLimits
): ReadRecords => {
  const topic = findTopic(db, name)
  const bounds = findPartition(db, topic, partition)
  if (!(offset >= bounds.start_offset && offset <= bounds.end_offset)) {
    throw new LogError({
      reason: "OffsetOutOfRange",
      message: `offset ${offset} of topic ${name}, partition ${partition}, is outside what the log keeps, [${bounds.start_offset}, ${bounds.end_offset}]: the position belongs to another log, or the records were removed`
    })
  }
  const pieces: Array<Piece> = []
  let at = offset
  let recordsLeft = limits.recordsMax
  let bytesLeft = limits.bytesMax
  while (at < bounds.end_offset && recordsLeft > 0) {
    const piece = readRow(db, topic, partition, at)
    const { to, bytes } = cut(piece, recordsLeft, bytesLeft, pieces.length === 0)
    if (to > piece.from) pieces.push({ ...piece, to })
    if (to < piece.to) break
    at += to - piece.from
    recordsLeft -= to - piece.from
    bytesLeft -= bytes
    // of another such row only a part would be taken, and the rest read again
    if (bytes > bytesLeft) break
  }
  return join(pieces, offset)
}

/** What a read gives where no record follows yet. */
export const noRecords = (offset: number): ReadRecords => join([], offset)

/** The pieces as one batch. A single whole row keeps its buffers; several are copied together. */
const join = (pieces: ReadonlyArray<Piece>, offset: number): ReadRecords => {
  let length = 0
  for (const piece of pieces) length += piece.to - piece.from
  const offsets = new Float64Array(length)
  const timestamps = new Float64Array(length)
  let row = 0
  for (const { place, from, to } of pieces) {
    timestamps.fill(place.appended_at, row, row + to - from)
    for (let record = from; record < to; record++) offsets[row++] = place.base_offset + record
  }
  const next = offset + length
  const [only] = pieces
  if (only !== undefined && pieces.length === 1 && only.from === 0 && only.to === only.place.count) {
    return { length, ...only.records, offsets, timestamps, next }
  }
  return { length, ...joinRecords(pieces, length), offsets, timestamps, next }
}

/** The bytes of records `[from, to)`: rows hold their records one after the other, a key inside or behind its value. */
const spanOf = ({ records, from, to }: Piece): { readonly start: number; readonly end: number } => ({
  start: records.valueStarts[from]!,
  end: Math.max(records.valueEnds[to - 1]!, records.keyEnds[to - 1]!)
})

const joinRecords = (pieces: ReadonlyArray<Piece>, length: number): RowRecords => {
  let size = 0
  for (const piece of pieces) size += spanOf(piece).end - spanOf(piece).start
  const bytes = new Uint8Array(size)
  const valueStarts = new Int32Array(length)
  const valueEnds = new Int32Array(length)
  const keyStarts = new Int32Array(length)
  const keyEnds = new Int32Array(length)
  const headers = new Map<number, Readonly<Record<string, string>>>()
  let used = 0
  let row = 0
  for (const piece of pieces) {
    const { records, from, to } = piece
    const { start, end } = spanOf(piece)
    const shift = used - start
    bytes.set(records.bytes.subarray(start, end), used)
    used += end - start
    for (const [record, pairs] of records.headers) {
      if (record >= from && record < to) headers.set(row + record - from, pairs)
    }
    for (let record = from; record < to; record++, row++) {
      valueStarts[row] = records.valueStarts[record]! + shift
      valueEnds[row] = records.valueEnds[record]! + shift
      const keyStart = records.keyStarts[record]!
      keyStarts[row] = keyStart < 0 ? -1 : keyStart + shift
      keyEnds[row] = keyStart < 0 ? -1 : records.keyEnds[record]! + shift
    }
  }
  return { bytes, valueStarts, valueEnds, keyStarts, keyEnds, headers }
}

/** The first offset appended at or after `timeMs`: append times never go back, so halving finds it. */
export const offsetAtTime = (db: Database, name: string, partition: number, timeMs: number): number => {
  const topic = findTopic(db, name)
  const bounds = findPartition(db, topic, partition)
  let low = bounds.start_offset
  let high = bounds.end_offset
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    const row = db.first<PlaceRow>(
      "select base_offset, count, appended_at from batch where topic = ? and partition = ? and base_offset <= ? order by base_offset desc limit 1",
      topic.number,
      partition,
      middle
    )
    if (row === undefined) throw lost(db, topic, partition, middle, "are missing")
    if (row.appended_at >= timeMs) high = Math.max(row.base_offset, bounds.start_offset)
    else low = row.base_offset + row.count
  }
  return low
}

/** Moves the partition's start; the rows below it are removed bit by bit by `purgeRows`. */
export const trimPartition = (db: Database, name: string, partition: number, offset: number): void => {
  const topic = findTopic(db, name)
  const bounds = findPartition(db, topic, partition)
  if (!(offset <= bounds.end_offset)) {
    throw new LogError({
      reason: "OffsetOutOfRange",
      message: `topic ${name}, partition ${partition}, ends at ${bounds.end_offset}: it cannot be trimmed to ${offset}`
    })
  }
  if (offset <= bounds.start_offset) return
  writeBounds(db, topic, { ...bounds, start_offset: offset })
}

/** Removes some rows that nobody can read any more; false when none is left. A crash in between costs space only. */
export const purgeRows = (db: Database): boolean => {
  const trimmed = db.run(
    `delete from batch where id in (
       select b.id from partition p join batch b on b.topic = p.topic and b.partition = p.partition
       where b.base_offset + b.count <= p.start_offset and b.base_offset < p.start_offset limit ?)`,
    purgeRowsMax
  )
  if (trimmed > 0) return true
  const removed = db.run(
    "delete from batch where id in (select b.id from removed_topic r join batch b on b.topic = r.number limit ?)",
    purgeRowsMax
  )
  if (removed > 0) return true
  db.run("delete from removed_topic")
  return false
}
