/**
 * Where a shard's records in force and deltas are: a partition of a topic for its stage, read from its end.
 *
 * Each commit writes its delta and then its record, in the transaction of its outputs, so the last committed record is the
 * one in force. Whoever takes the shard writes the record in force once more, in its own name. The topic is never compacted and has no retention (protocol, rule 7); what was superseded is trimmed.
 */
import {
  type Delta,
  LogError,
  type RecordInForce,
  type ShardId,
  type SnapshotName,
  type SourcePosition
} from "@frazil/engine"
import { makeRecordBuilder, type PackedRecords, type RecordBatch } from "@frazil/core"
import { Effect } from "effect"
import type { PartitionReader } from "./PartitionReader.ts"

/** What the record's text holds. */
export interface StoredRecord {
  /** Who committed it, or took the shard and said so by writing it once more. */
  readonly owner: string
  /** 0: the shard was taken, and never committed. */
  readonly epoch: number
  readonly positions: ReadonlyArray<SourcePosition>
  readonly snapshots: ReadonlyArray<SnapshotName>
  readonly detail?: unknown
  /** The epoch of the oldest delta that was not dropped; null while there is none. */
  readonly deltasFrom: number | null
}

const internal = "frazil-state."

const encodeName = (part: string): string =>
  part.replace(/[^a-zA-Z0-9-]/g, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `_${byte.toString(16).padStart(2, "0")}`).join("")
  )

const decodeName = (part: string): string =>
  decodeURIComponent(part.replace(/%/g, "%25").replace(/_([0-9a-f]{2})/g, "%$1"))

/** The topic of a stage's shards; partition = shard. What a topic's name cannot hold is written as `_` and its code. */
export const changelogTopic = (prefix: string, { stage, uid }: Pick<ShardId, "uid" | "stage">): string =>
  `${prefix}${internal}${encodeName(uid)}.${encodeName(stage)}`

export const isChangelog = (prefix: string, name: string): boolean => name.startsWith(prefix + internal)

/** Whose topic it is; undefined when it is none of these. */
export const stageOf = (prefix: string, topic: string): Pick<ShardId, "uid" | "stage"> | undefined => {
  if (!isChangelog(prefix, topic)) return undefined
  const [uid, stage, ...more] = topic.slice(prefix.length + internal.length).split(".")
  return uid === undefined || stage === undefined || more.length > 0
    ? undefined
    : { uid: decodeName(uid), stage: decodeName(stage) }
}

const text = new TextDecoder()
const encoder = new TextEncoder()
const recordKey = encoder.encode("record")
const deltaKey = encoder.encode("delta")
/** A delta's part: epoch, part, parts; then its bytes. */
const partHeaderBytes = 16
/** Parts fit a batch of the topic. */
const partBytesMax = 524_288

/** A commit's records: the parts of its delta, then the record. */
export const packCommit = (record: StoredRecord, delta: Uint8Array | null): PackedRecords => {
  const builder = makeRecordBuilder((delta?.length ?? 0) + 4_096)
  if (delta !== null) {
    const parts = Math.max(1, Math.ceil(delta.length / partBytesMax))
    for (let part = 0; part < parts; part++) {
      const bytes = delta.subarray(part * partBytesMax, (part + 1) * partBytesMax)
      const value = new Uint8Array(partHeaderBytes + bytes.length)
      const view = new DataView(value.buffer)
      view.setFloat64(0, record.epoch)
      view.setUint32(8, part)
      view.setUint32(12, parts)
      value.set(bytes, partHeaderBytes)
      builder.add(value, deltaKey)
    }
  }
  builder.add(encoder.encode(JSON.stringify(record)), recordKey)
  return builder.take()
}

const valueOf = ({ bytes, valueEnds, valueStarts }: RecordBatch, row: number): Uint8Array =>
  bytes.subarray(valueStarts[row], valueEnds[row])

const isRecord = ({ keyEnds, keyStarts }: RecordBatch, row: number): boolean =>
  keyEnds[row]! - keyStarts[row]! === recordKey.length

interface Part {
  readonly epoch: number
  readonly part: number
  readonly parts: number
  readonly bytes: Uint8Array
}

const partOf = (batch: RecordBatch, row: number): Part => {
  const value = valueOf(batch, row)
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return {
    epoch: view.getFloat64(0),
    part: view.getUint32(8),
    parts: view.getUint32(12),
    bytes: value.subarray(partHeaderBytes)
  }
}

// the cast: `packCommit` wrote it, and the batch's checksum says that it is unchanged
const storedOf = (batch: RecordBatch, row: number): StoredRecord =>
  JSON.parse(text.decode(valueOf(batch, row))) as StoredRecord

const epochAt = (batch: RecordBatch, row: number): number =>
  isRecord(batch, row) ? storedOf(batch, row).epoch : partOf(batch, row).epoch

export interface Changelog {
  readonly topic: string
  readonly partition: number
  /** The last committed record, and its offset; undefined when nobody ever took the shard. */
  readonly last: Effect.Effect<{ readonly record: StoredRecord; readonly offset: number } | undefined, LogError>
  readonly deltas: (after: number) => Effect.Effect<ReadonlyArray<Delta>, LogError>
  /** The offset of the first record of an epoch after `epoch`; the end when there is none. */
  readonly offsetAfter: (epoch: number) => Effect.Effect<number, LogError>
}

const window = { recordsMax: 10_000, bytesMax: 1_048_576 }
const oneRecord = { recordsMax: 1, bytesMax: 1 }
/** A commit takes three offsets mostly: delta, record, marker. */
const lookBackFirst = 8

export const makeChangelog = (reader: PartitionReader, topic: string, partition: number): Changelog => {
  /** The last record in `[from, end)`. */
  const lastFrom = Effect.fnUntraced(function* (from: number, end: number) {
    let found: { readonly record: StoredRecord; readonly offset: number } | undefined
    for (let at = from; at < end;) {
      const batch = yield* reader.read(topic, partition, at, window)
      let row = batch.length - 1
      while (row >= 0 && !isRecord(batch, row)) row--
      if (row >= 0) found = { record: storedOf(batch, row), offset: batch.offsets[row]! }
      if (batch.next === at) break
      at = batch.next
    }
    return found
  })

  const last: Changelog["last"] = Effect.gen(function* () {
    // the end as it is now: after fencing nothing is added to it by others (rule 4)
    const { end, start } = yield* reader.boundsOf(topic, partition)
    for (let back = lookBackFirst; ; back *= 4) {
      const from = Math.max(start, end - back)
      const found = yield* lastFrom(from, end)
      if (found !== undefined || from === start) return found
    }
  })

  const offsetAfter: Changelog["offsetAfter"] = Effect.fnUntraced(function* (epoch) {
    // epochs ascend with offsets, so halving finds the first one after
    const bounds = yield* reader.boundsOf(topic, partition)
    let low = bounds.start
    let high = bounds.end
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2)
      const batch = yield* reader.read(topic, partition, middle, oneRecord)
      if (batch.length === 0 || epochAt(batch, 0) > epoch) high = middle
      else low = batch.offsets[0]! + 1
    }
    return low
  })

  const deltas: Changelog["deltas"] = Effect.fnUntraced(function* (after) {
    const { end } = yield* reader.boundsOf(topic, partition)
    const found: Array<Delta> = []
    let parts: Array<Part> = []
    for (let at = yield* offsetAfter(after); at < end;) {
      const batch = yield* reader.read(topic, partition, at, window)
      for (let row = 0; row < batch.length; row++) {
        if (isRecord(batch, row)) continue
        const part = partOf(batch, row)
        if (part.part === 0) parts = []
        parts.push(part)
        if (parts.length < part.parts) continue
        if (part.part !== part.parts - 1) return yield* torn(topic, partition, part.epoch)
        found.push({ epoch: part.epoch, bytes: joined(parts) })
        parts = []
      }
      if (batch.next === at) break
      at = batch.next
    }
    return found
  })
  return { topic, partition, last, deltas, offsetAfter }
}

const joined = (parts: ReadonlyArray<Part>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0))
  let used = 0
  for (const part of parts) {
    bytes.set(part.bytes, used)
    used += part.bytes.length
  }
  return bytes
}

const torn = (topic: string, partition: number, epoch: number): LogError =>
  new LogError({
    reason: "Corrupt",
    message: `the delta of epoch ${epoch} in topic ${topic}, partition ${partition}, is not whole: somebody else wrote to the topic, or removed from it`
  })

/** Undefined when the shard never committed. */
export const inForceOf = (stored: StoredRecord | undefined): RecordInForce | undefined => {
  if (stored === undefined || stored.epoch === 0) return undefined
  const { detail, epoch, positions, snapshots } = stored
  return { epoch, positions, snapshots, detail }
}
