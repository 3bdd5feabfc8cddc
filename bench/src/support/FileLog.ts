/**
 * A log whose one topic is a file and whose commits are only counted: the file as source, nothing durable. Lines are records as
 * `feedFile` makes them: byte for byte, and of one that is too long its head.
 *
 * What a job costs over it is parsing, checking, operators and encoding; the embedded log's cost is the difference to a
 * run through it.
 */
import { closeSync, openSync, readSync } from "node:fs"
import { recordBytesMaxDefault } from "@frazil/connect"
import { makeRecordBuilder, originalLengthHeader, type RecordBatch, type RecordHeaders } from "@frazil/core"
import { type Append, Log, type LogShape, type ReadRecords, type TopicInfo } from "@frazil/engine"
import { Effect, Layer } from "effect"
import { forgetful } from "./ForgetfulLog.ts"

const lineFeed = 10
const readBytes = 1_048_576
/** What is kept of a line that is too long. */
const headBytes = 1_000

export interface FileCursor {
  readonly next: () => RecordBatch
  readonly done: () => boolean
  /** Lines so far. */
  readonly lines: () => number
  /** The last line given: a landing that goes on compares it with its mark. */
  readonly last: () => RecordBatch
}

/** Batches of whole lines, the file's so many times over; each is valid until the next. A last line needs no line feed. */
export const openFile = (file: string, passes = 1): FileCursor => {
  let descriptor = openSync(file, "r")
  let passesLeft = passes - 1
  const bytes = new Uint8Array(recordBytesMaxDefault + readBytes + 1)
  const starts = new Int32Array(readBytes + 1)
  const ends = new Int32Array(readBytes + 1)
  const none = new Int32Array(readBytes + 1).fill(-1)
  const offsets = new Float64Array(readBytes + 1)
  const timestamps = new Float64Array(readBytes + 1)
  let kept = 0
  // of a line that is too long: bytes read of it that are no longer here
  let dropped = 0
  let offset = 0
  let ended = false
  let rest = { start: 0, end: 0 }
  let last = empty
  const next = (): RecordBatch => {
    const read = readSync(descriptor, bytes, kept, readBytes, null)
    let end = kept + read
    if (read === 0) {
      closeSync(descriptor)
      if (end > 0) bytes[end++] = lineFeed
      ended = passesLeft-- === 0
      if (!ended) descriptor = openSync(file, "r")
    }
    let length = 0
    let start = 0
    const headers = new Map<number, RecordHeaders>()
    for (let at = bytes.indexOf(lineFeed, kept); at >= 0 && at < end; at = bytes.indexOf(lineFeed, start)) {
      const lineBytes = at - start + dropped
      if (lineBytes > recordBytesMaxDefault) headers.set(length, { [originalLengthHeader]: String(lineBytes) })
      starts[length] = start
      ends[length] = lineBytes > recordBytesMaxDefault ? start + headBytes : at
      offsets[length] = offset++
      length++
      start = at + 1
      dropped = 0
    }
    kept = end - start
    if (kept > recordBytesMaxDefault) {
      dropped += kept - headBytes
      kept = headBytes
    }
    rest = { start, end: start + kept }
    return {
      length,
      bytes,
      valueStarts: starts,
      valueEnds: ends,
      keyStarts: none,
      keyEnds: none,
      offsets,
      timestamps,
      headers
    }
  }
  return {
    last: () => last,
    next: () => {
      // the rest of a line goes to the front, now that the batch before was used
      bytes.copyWithin(0, rest.start, rest.end)
      let batch = next()
      while (batch.length === 0 && !ended) {
        // the middle of a line that is too long
        bytes.copyWithin(0, rest.start, rest.end)
        batch = next()
      }
      if (batch.length > 0) last = lastOf(batch)
      return batch
    },
    done: () => ended,
    lines: () => offset
  }
}

/** A batch of the last record alone, with bytes of its own. */
const lastOf = ({ bytes, length, offsets, valueEnds, valueStarts }: RecordBatch): RecordBatch => {
  const value = bytes.slice(valueStarts[length - 1]!, valueEnds[length - 1]!)
  return {
    length: 1,
    bytes: value,
    valueStarts: Int32Array.of(0),
    valueEnds: Int32Array.of(value.length),
    keyStarts: Int32Array.of(-1),
    keyEnds: Int32Array.of(-1),
    headers: new Map(),
    offsets: Float64Array.of(offsets[length - 1]!),
    timestamps: Float64Array.of(0)
  }
}

export const empty: RecordBatch = {
  ...makeRecordBuilder(0).take(),
  offsets: new Float64Array(),
  timestamps: new Float64Array()
}

export const positioned = (batch: RecordBatch, offset: number): ReadRecords => ({
  ...batch,
  next: batch.length === 0 ? offset : batch.offsets[batch.length - 1]! + 1
})

/** A topic in memory: its batches by the offsets of their first records, and how many records there are. */
export interface MemoryTopic {
  readonly batches: ReadonlyMap<number, RecordBatch>
  readonly end: number
}

/** The log, and the records committed per topic. `file` is its path, or opened already; `taken` sees what is committed; `tables` are read beside the file. */
export const makeFileLog = (
  topic: string,
  file: string | FileCursor,
  taken: (append: Append) => void = () => {},
  tables: ReadonlyMap<string, MemoryTopic> = new Map(),
  /** Called when the file is read first: its tables have been by then. */
  begun: () => void = () => {}
) => {
  const cursor = typeof file === "string" ? openFile(file) : file
  const committed = new Map<string, number>()
  let appended = 0
  const info = (name: string): TopicInfo => ({ name, id: name, partitions: 1, createdAt: 0 })
  const log: LogShape = {
    ...forgetful,
    ensureTopic: ({ name }) => Effect.succeed(info(name)),
    topic: (name) => Effect.succeed(info(name)),
    bounds: (name) =>
      Effect.sync(() => {
        const end = tables.get(name)?.end ?? (cursor.done() ? 0 : Number.MAX_SAFE_INTEGER)
        return [{ partition: 0, start: 0, end }]
      }),
    read: (name, _partition, offset) =>
      Effect.sync(() => {
        const table = tables.get(name)
        if (table !== undefined) return positioned(table.batches.get(offset) ?? empty, offset)
        if (name !== topic) return positioned(empty, offset)
        if (cursor.lines() === 0) begun()
        if (offset < cursor.lines()) return positioned(cursor.last(), offset)
        return positioned(cursor.done() ? empty : cursor.next(), offset)
      }),
    commit: ({ shards }) =>
      Effect.sync(() => {
        const outputs = shards.flatMap((shard) => shard.outputs)
        outputs.forEach(taken)
        for (const { topic: to, records } of outputs) committed.set(to, (committed.get(to) ?? 0) + records.length)
        return outputs.map(({ partition, topic: to }) => ({ topic: to, partition, offset: appended++ }))
      })
  }
  return { layer: Layer.succeed(Log, log), committed, complete: () => cursor.done(), read: () => cursor.lines() }
}
