/**
 * Gathers what a stage writes in an epoch: packed records per topic and partition.
 *
 * The compiled and the interpreted stage call it for each record that reaches an output; the task takes everything at the
 * epoch's end. Bytes lie in the shard's `EpochBytes`, which all its collectors share. **Bounds**: those of `EpochBytes`; the
 * task cuts an epoch at its limit.
 */
import { Encoder, type PackedRecords, partitionOfBytes, type RecordBatch, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import type { Append } from "../log/Log.ts"
import { type EpochBytes, makeEpochBytes } from "./EpochBytes.ts"

/** A column of texts. */
interface TextRanges {
  readonly starts: Int32Array
  readonly ends: Int32Array
}

export interface OutputCollector {
  readonly topic: TopicRef
  /** A record of ours, encoded by the topic's contract. */
  readonly record: (record: AnyRecord) => void
  /** The record of a row, unchanged; its key is a range of `bytes`, and start −1 is no key. */
  readonly pass: (source: RecordBatch, row: number, bytes: Uint8Array, keyStart: number, keyEnd: number) => void
  /**
   * The records of the first `length` of `rows`, unchanged: as `pass` of one after the other. Their keys are ranges of `bytes`;
   * undefined is no keys.
   */
  readonly passRows: (
    source: RecordBatch,
    rows: Int32Array,
    length: number,
    bytes: Uint8Array,
    keys: TextRanges | undefined
  ) => void
  /** Records since the last `take`. */
  readonly count: () => number
  /** Hands the records over; what is returned is no longer counted. */
  readonly take: () => ReadonlyArray<Append>
}

/** The key text of a record of ours by its key fields; null when there are none, or one of them is null. */
export const keyTextOf = (fields: ReadonlyArray<string>, record: AnyRecord): string | null => {
  if (fields.length === 0) return null
  const values = fields.map((field) => record[field] ?? null)
  if (values.includes(null)) return null
  return values.length === 1 ? String(values[0]) : JSON.stringify(values)
}

const rangesInitial = 256
const noHeaders: PackedRecords["headers"] = new Map()

/** Records of one partition, as ranges of the epoch's bytes. */
interface Ranges {
  readonly length: () => number
  /** Key start −1 is no key. */
  readonly push: (valueStart: number, valueEnd: number, keyStart: number, keyEnd: number) => void
  /** The values of rows of a batch, which lie `shift` bytes further on here. */
  readonly pushRows: (source: RecordBatch, rows: Int32Array, count: number, shift: number) => void
  readonly take: (bytes: Uint8Array) => PackedRecords
}

const makeRanges = (): Ranges => {
  let valueStarts = new Int32Array(rangesInitial)
  let valueEnds = new Int32Array(rangesInitial)
  let keyStarts = new Int32Array(rangesInitial)
  let keyEnds = new Int32Array(rangesInitial)
  let length = 0
  const reserve = (more: number) => {
    if (length + more <= valueStarts.length) return
    const size = Math.max(valueStarts.length * 2, length + more)
    const grown = (array: Int32Array) => {
      const larger = new Int32Array(size)
      larger.set(array)
      return larger
    }
    valueStarts = grown(valueStarts)
    valueEnds = grown(valueEnds)
    keyStarts = grown(keyStarts)
    keyEnds = grown(keyEnds)
  }
  return {
    length: () => length,
    push: (valueStart, valueEnd, keyStart, keyEnd) => {
      reserve(1)
      valueStarts[length] = valueStart
      valueEnds[length] = valueEnd
      keyStarts[length] = keyStart
      keyEnds[length] = keyEnd
      length++
    },
    pushRows: ({ valueEnds: ends, valueStarts: starts }, rows, count, shift) => {
      reserve(count)
      const [toStarts, toEnds] = [valueStarts, valueEnds]
      for (let at = 0; at < count; at++) {
        const row = rows[at]!
        toStarts[length + at] = starts[row]! + shift
        toEnds[length + at] = ends[row]! + shift
      }
      keyStarts.fill(-1, length, length + count)
      keyEnds.fill(-1, length, length + count)
      length += count
    },
    take: (bytes) => {
      const taken = {
        length,
        bytes,
        valueStarts: valueStarts.slice(0, length),
        valueEnds: valueEnds.slice(0, length),
        keyStarts: keyStarts.slice(0, length),
        keyEnds: keyEnds.slice(0, length),
        headers: noHeaders
      }
      length = 0
      return taken
    }
  }
}

/** `shared`: the epoch's bytes, which the shard hands over; without them the collector has some of its own. */
export const makeOutputCollector = (topic: TopicRef, shared?: EpochBytes): OutputCollector => {
  const encode = Encoder.make(topic as unknown as Topic<AnyRecord>) // the flow's types checked that its records fit
  const epoch = shared ?? makeEpochBytes()
  const partitions = new Map<number, Ranges>()
  let count = 0
  const rangesOf = (partition: number): Ranges => {
    let ranges = partitions.get(partition)
    if (ranges === undefined) partitions.set(partition, (ranges = makeRanges()))
    return ranges
  }
  const only = topic.partitions === 1 ? rangesOf(0) : undefined
  /** Of the key `bytes[start, end)`; start −1 is no key. */
  const rangesFor = (bytes: Uint8Array, start: number, end: number): Ranges =>
    only ?? rangesOf(start < 0 ? 0 : partitionOfBytes(bytes, start, end, topic.partitions))
  const pass: OutputCollector["pass"] = (source, row, bytes, keyStart, keyEnd) => {
    const ranges = rangesFor(bytes, keyStart, keyEnd)
    const start = source.valueStarts[row]!
    const end = source.valueEnds[row]!
    const shift = epoch.shiftOf(source) ?? epoch.add(source.bytes, start, end) - start
    if (keyStart < 0) ranges.push(start + shift, end + shift, -1, -1)
    else if (keyStart >= start && keyEnd <= end) {
      ranges.push(start + shift, end + shift, keyStart + shift, keyEnd + shift)
    } else {
      // what had to be unescaped stands elsewhere
      const key = epoch.add(bytes, keyStart, keyEnd)
      ranges.push(start + shift, end + shift, key, key + keyEnd - keyStart)
    }
    count++
  }
  return {
    topic,
    record: (record) => {
      const key =
        keyTextOf(topic.key, record) ?? (topic.keyElse === undefined ? null : keyTextOf([topic.keyElse], record))
      const start = epoch.addText(encode(record))
      const end = epoch.used()
      if (key === null) rangesFor(noBytes, -1, -1).push(start, end, -1, -1)
      else {
        const keyStart = epoch.addText(key)
        const keyEnd = epoch.used()
        rangesFor(epoch.bytes(), keyStart, keyEnd).push(start, end, keyStart, keyEnd)
      }
      count++
    },
    pass,
    passRows: (source, rows, length, bytes, keys) => {
      const shift = keys === undefined ? epoch.shiftOf(source) : undefined
      if (shift !== undefined) {
        rangesFor(bytes, -1, -1).pushRows(source, rows, length, shift)
        count += length
        return
      }
      for (let at = 0; at < length; at++) {
        const row = rows[at]!
        pass(source, row, bytes, keys === undefined ? -1 : keys.starts[row]!, keys === undefined ? -1 : keys.ends[row]!)
      }
    },
    count: () => count,
    take: () => {
      count = 0
      const appends: Array<Append> = []
      for (const [partition, ranges] of partitions) {
        if (ranges.length() > 0) appends.push({ topic: topic.name, partition, records: ranges.take(epoch.bytes()) })
      }
      if (shared === undefined) epoch.handOver()
      return appends
    }
  }
}

const noBytes = new Uint8Array(0)
