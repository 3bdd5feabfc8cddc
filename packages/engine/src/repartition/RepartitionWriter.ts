/**
 * Writes a stage's records to an internal topic, each with its envelope, to the partition of its new key.
 *
 * The stage calls `pass` and `record`; when an epoch is taken, `advance` tells partitions that had no news how far time has
 * come, at most one record for each in an epoch, and only when it moved. **Order**: stamps never go back, so that who reads
 * a partition knows what can no longer come from this shard.
 */
import { Encoder, makeRecordBuilder, partitionOfBytes, type RecordBuilder, type Topic } from "@frazil/core"
import type { AnyRecord, TopicRef } from "../flow/Node.ts"
import type { Append } from "../log/Log.ts"
import { keyTextOf } from "../run/Collector.ts"
import { KeyError } from "../run/StateKey.ts"
import { makeEnvelopeWriter } from "./Envelope.ts"

export interface RepartitionWriter {
  readonly topic: TopicRef
  /** A record of ours. Throws a `KeyError` without a key, and an `EncodeError` when it does not fit its own fields. */
  readonly record: (record: AnyRecord, eventTime: number, watermark: number, place: number) => void
  /** A record that passed unchanged: value and key are ranges of `bytes`, the key is a text. */
  readonly pass: (
    bytes: Uint8Array,
    start: number,
    end: number,
    keyStart: number,
    keyEnd: number,
    eventTime: number,
    watermark: number,
    place: number
  ) => void
  /** How far time has come now, for partitions that had no record since. */
  readonly advance: (watermark: number, idle: boolean, ended: boolean) => void
  readonly bytesUsed: () => number
  /** Records since the last `take`; those that tell time only are none. */
  readonly count: () => number
  readonly take: () => ReadonlyArray<Append>
}

/** What a partition was told last. */
interface Told {
  watermark: number
  idle: boolean
  ended: boolean
}

export interface WriterParts {
  readonly topic: TopicRef
  readonly operator: string
  /** Which input of the reading stage. */
  readonly input: number
  readonly shard: number
  /** What the operators between the source and here hold time back by. */
  readonly heldMs: number
  /** The least watermark of records in flight; infinite without any. */
  readonly inFlight: () => number
}

const textEncoder = new TextEncoder()

export const makeRepartitionWriter = (parts: WriterParts): RepartitionWriter => {
  const { heldMs, inFlight, input, operator, shard, topic } = parts
  const encode = Encoder.make(topic as unknown as Topic<AnyRecord>) // made of the fields that its records have
  const envelope = makeEnvelopeWriter(input, shard)
  const builders = Array.from({ length: topic.partitions }, (): RecordBuilder | undefined => undefined)
  const told = Array.from({ length: topic.partitions }, (): Told => ({
    watermark: Number.NEGATIVE_INFINITY,
    idle: false,
    ended: false
  }))
  let count = 0
  const builderOf = (partition: number) => (builders[partition] ??= makeRecordBuilder())
  /** No watermark passes a record in flight, nor what a window may still revise (protocol, rules 11 and 19). */
  const stampOf = (watermark: number) => Math.min(watermark, inFlight()) - heldMs
  const tell = (partition: number, watermark: number) => {
    const last = told[partition]!
    if (watermark > last.watermark) last.watermark = watermark
    last.idle = false
    last.ended = false
    count++
  }
  return {
    topic,
    record: (record, eventTime, watermark, place) => {
      const key = keyTextOf(topic.key, record)
      if (key === null) {
        throw new KeyError({ field: topic.key.join(","), message: `${operator}: the record has no key` })
      }
      const value = textEncoder.encode(encode(record))
      const keyBytes = textEncoder.encode(key)
      const partition = partitionOfBytes(keyBytes, 0, keyBytes.length, topic.partitions)
      const stamp = stampOf(watermark)
      builderOf(partition).addFramed(envelope.record(eventTime, stamp, place), value, 0, value.length, keyBytes)
      tell(partition, stamp)
    },
    pass: (bytes, start, end, keyStart, keyEnd, eventTime, watermark, place) => {
      if (keyStart < 0) {
        throw new KeyError({ field: topic.key.join(","), message: `${operator}: the record has no key` })
      }
      const partition = partitionOfBytes(bytes, keyStart, keyEnd, topic.partitions)
      const stamp = stampOf(watermark)
      const framed = envelope.record(eventTime, stamp, place)
      builderOf(partition).addFramed(framed, bytes, start, end, bytes, keyStart, keyEnd)
      tell(partition, stamp)
    },
    advance: (watermark, idle, ended) => {
      const stamp = stampOf(watermark)
      for (const [partition, last] of told.entries()) {
        if (!(stamp > last.watermark) && idle === last.idle && ended === last.ended) continue
        // without event time there is only the end to tell
        last.watermark = Math.max(last.watermark, stamp)
        last.idle = idle
        last.ended = ended
        builderOf(partition).add(envelope.control(last.watermark, idle, ended), null)
      }
    },
    bytesUsed: () => builders.reduce((used, builder) => used + (builder?.bytesUsed() ?? 0), 0),
    count: () => count,
    take: () => {
      count = 0
      return builders.flatMap((builder, partition): ReadonlyArray<Append> =>
        builder === undefined || builder.length() === 0
          ? []
          : [{ topic: topic.name, partition, records: builder.take() }]
      )
    }
  }
}
