/**
 * Gathers what a stage writes in an epoch: packed records per topic and partition.
 *
 * The compiled and the interpreted stage call it for each record that reaches an output; the task takes everything at the
 * epoch's end. **Bounds**: `bytesUsed` grows until the epoch is cut; the task cuts it at its limit.
 */
import { Encoder, makeRecordBuilder, partitionOfBytes, type RecordBuilder, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import type { Append } from "../log/Log.ts"

export interface OutputCollector {
  readonly topic: TopicRef
  /** A record of ours, encoded by the topic's contract. */
  readonly record: (record: AnyRecord) => void
  /** A record that passed unchanged: value and key are ranges of `bytes`; key start −1 is no key. */
  readonly pass: (bytes: Uint8Array, start: number, end: number, keyStart: number, keyEnd: number) => void
  readonly bytesUsed: () => number
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

const textEncoder = new TextEncoder()
const noKey = new Uint8Array(0)

export const makeOutputCollector = (topic: TopicRef): OutputCollector => {
  const encode = Encoder.make(topic as unknown as Topic<AnyRecord>) // the flow's types checked that its records fit
  const builders = new Map<number, RecordBuilder>()
  let count = 0
  const builderOf = (partition: number): RecordBuilder => {
    let builder = builders.get(partition)
    if (builder === undefined) builders.set(partition, (builder = makeRecordBuilder()))
    return builder
  }
  return {
    topic,
    record: (record) => {
      const key =
        keyTextOf(topic.key, record) ?? (topic.keyElse === undefined ? null : keyTextOf([topic.keyElse], record))
      const keyBytes = key === null ? noKey : textEncoder.encode(key)
      builderOf(key === null ? 0 : partitionOfBytes(keyBytes, 0, keyBytes.length, topic.partitions)).addText(
        encode(record),
        key
      )
      count++
    },
    pass: (bytes, start, end, keyStart, keyEnd) => {
      const partition = keyStart < 0 ? 0 : partitionOfBytes(bytes, keyStart, keyEnd, topic.partitions)
      builderOf(partition).addRange(bytes, start, end, keyStart, keyEnd)
      count++
    },
    bytesUsed: () => {
      let used = 0
      for (const builder of builders.values()) used += builder.bytesUsed()
      return used
    },
    count: () => count,
    take: () => {
      count = 0
      const appends: Array<Append> = []
      for (const [partition, builder] of builders) {
        if (builder.length() > 0) appends.push({ topic: topic.name, partition, records: builder.take() })
      }
      return appends
    }
  }
}
