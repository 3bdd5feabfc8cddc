/**
 * A log whose one topic is a file and whose commits are only counted: the file as source, nothing durable.
 *
 * What a job costs over it is parsing, checking, operators and encoding; the embedded log's cost is the difference to a
 * run through it.
 */
import { closeSync, openSync, readSync } from "node:fs"
import { makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { type Append, Log, type LogShape, type ReadRecords, type TopicInfo } from "@frazil/engine"
import { Effect, Layer } from "effect"

const lineFeed = 10
const readBytes = 1_048_576

interface FileCursor {
  readonly next: () => RecordBatch
  readonly done: () => boolean
  /** Lines so far. */
  readonly lines: () => number
  /** The last line given: a landing that goes on compares it with its mark. */
  readonly last: () => RecordBatch
}

/** Batches of whole lines; each is valid until the next. */
const openFile = (file: string): FileCursor => {
  const descriptor = openSync(file, "r")
  const bytes = new Uint8Array(readBytes * 2)
  const starts = new Int32Array(readBytes)
  const ends = new Int32Array(readBytes)
  const none = new Int32Array(readBytes).fill(-1)
  const offsets = new Float64Array(readBytes)
  const timestamps = new Float64Array(readBytes)
  let kept = 0
  let offset = 0
  let ended = false
  let rest = { start: 0, end: 0 }
  let last = empty
  const next = (): RecordBatch => {
    const read = readSync(descriptor, bytes, kept, readBytes, null)
    const end = kept + read
    let length = 0
    let start = 0
    for (let at = bytes.indexOf(lineFeed); at >= 0 && at < end; at = bytes.indexOf(lineFeed, start)) {
      starts[length] = start
      ends[length] = at
      offsets[length] = offset++
      length++
      start = at + 1
    }
    if (read === 0) {
      ended = true
      closeSync(descriptor)
    }
    kept = end - start
    rest = { start, end }
    return {
      length,
      bytes,
      valueStarts: starts,
      valueEnds: ends,
      keyStarts: none,
      keyEnds: none,
      offsets,
      timestamps,
      headers: new Map()
    }
  }
  return {
    last: () => last,
    next: () => {
      // the rest of a line goes to the front, now that the batch before was used
      bytes.copyWithin(0, rest.start, rest.end)
      const batch = next()
      if (batch.length > 0) last = lastOf(batch)
      return batch
    },
    done: () => ended,
    lines: () => offset
  }
}

/** A batch of the last record alone, with bytes of its own. */
const lastOf = (batch: RecordBatch): RecordBatch => {
  const row = batch.length - 1
  const builder = makeRecordBuilder()
  builder.addRange(batch.bytes, batch.valueStarts[row]!, batch.valueEnds[row]!, -1, -1)
  return { ...builder.take(), offsets: Float64Array.of(batch.offsets[row]!), timestamps: Float64Array.of(0) }
}

const empty: RecordBatch = {
  ...makeRecordBuilder(0).take(),
  offsets: new Float64Array(),
  timestamps: new Float64Array()
}

const positioned = (batch: RecordBatch, offset: number): ReadRecords => ({
  ...batch,
  next: batch.length === 0 ? offset : batch.offsets[batch.length - 1]! + 1
})

const unused = Effect.die(new Error("not used by benchmarks"))

/** The log, and the records committed per topic. `taken` sees what is committed. */
export const makeFileLog = (topic: string, file: string, taken: (append: Append) => void = () => {}) => {
  const cursor = openFile(file)
  const committed = new Map<string, number>()
  let appended = 0
  const info = (name: string): TopicInfo => ({ name, id: name, partitions: 1, createdAt: 0 })
  const log: LogShape = {
    ensureTopic: ({ name }) => Effect.succeed(info(name)),
    topics: unused,
    topic: (name) => Effect.succeed(info(name)),
    deleteTopic: () => unused,
    bounds: () => Effect.sync(() => [{ partition: 0, start: 0, end: cursor.done() ? 0 : Number.MAX_SAFE_INTEGER }]),
    read: (name, _partition, offset) =>
      Effect.sync(() => {
        if (name !== topic) return positioned(empty, offset)
        if (offset < cursor.lines()) return positioned(cursor.last(), offset)
        return positioned(cursor.done() ? empty : cursor.next(), offset)
      }),
    offsetAt: () => unused,
    awaitAppend: () => Effect.void,
    trim: () => unused,
    producer: () => unused,
    fence: (_owner, shards) => Effect.succeed(shards.map(() => undefined)),
    inForce: () => Effect.succeed(undefined),
    shards: unused,
    deltas: () => Effect.succeed([]),
    commit: ({ shards }) =>
      Effect.sync(() => {
        const outputs = shards.flatMap((shard) => shard.outputs)
        outputs.forEach(taken)
        for (const { topic: to, records } of outputs) committed.set(to, (committed.get(to) ?? 0) + records.length)
        return outputs.map(({ partition, topic: to }) => ({ topic: to, partition, offset: appended++ }))
      }),
    dropDeltas: () => Effect.void
  }
  return { layer: Layer.succeed(Log, log), committed, complete: () => cursor.done(), read: () => cursor.lines() }
}
