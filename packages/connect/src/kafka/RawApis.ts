/**
 * Fetch and Produce with record batches as bytes: the client's own versions make an object of every record.
 *
 * The layouts are those of Kafka's protocol guide, Fetch version 13 (by topic id, so that a topic made anew is noticed) and
 * Produce version 9.
 */
import { createAPI, fetchV13, type Reader, Writer } from "@platformatic/kafka"
import type { Aborted } from "./DecodeBatches.ts"

export const readCommitted = 1

export interface FetchedPartition {
  readonly errorCode: number
  /** The end of what is written, committed or not. */
  readonly highWatermark: number
  /** The end of what is committed. */
  readonly lastStableOffset: number
  readonly start: number
  readonly aborted: ReadonlyArray<Aborted>
  readonly records: Uint8Array
}

const emptyBytes = new Uint8Array(0)

const readPartition = (reader: Reader): FetchedPartition => {
  reader.readInt32() // the partition: one was asked for
  const errorCode = reader.readInt16()
  const highWatermark = Number(reader.readInt64())
  const lastStableOffset = Number(reader.readInt64())
  const start = Number(reader.readInt64())
  const aborted = reader.readNullableArray((each) => ({
    producerId: each.readInt64(),
    firstOffset: Number(each.readInt64())
  }))
  reader.readInt32() // the preferred replica
  const size = reader.readUnsignedVarInt() - 1
  const records = size <= 0 ? emptyBytes : reader.buffer.subarray(reader.position, reader.position + size).buffer
  if (size > 0) reader.skip(size)
  reader.readTaggedFields()
  return { errorCode, highWatermark, lastStableOffset, start, aborted: aborted ?? [], records }
}

/** The answer's first partition; undefined when it has none, with the error of the whole. */
const parseFetch = (_correlation: number, _key: number, _version: number, reader: Reader) => {
  reader.readInt32() // throttling
  const errorCode = reader.readInt16()
  reader.readInt32() // the session
  const topics = reader.readArray(
    (topic) => {
      topic.readUUID()
      const partitions = topic.readArray(readPartition, true, false)
      topic.readTaggedFields()
      return partitions
    },
    true,
    false
  )
  reader.readTaggedFields()
  return { errorCode, partition: topics[0]?.[0] }
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partition: FetchedPartition | undefined
}

export const fetchBytes = createAPI<Parameters<typeof fetchV13.createRequest>, FetchAnswer>(
  fetchV13.api.key,
  fetchV13.api.version,
  fetchV13.createRequest,
  parseFetch
)

/** A record batch for one partition. */
export interface BatchFor {
  readonly topic: string
  readonly partition: number
  readonly batch: Uint8Array
}

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly message: string | null
  readonly baseOffset: number
}

const acksOfAll = -1

const createProduce = (transactionalId: string, timeoutMs: number, batches: ReadonlyArray<BatchFor>): Writer => {
  const topics = Map.groupBy(batches, ({ topic }) => topic)
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(acksOfAll)
    .appendInt32(timeoutMs)
    .appendArray([...topics], (topic, [name, of]) => {
      topic.appendString(name).appendArray([...of], (partition, { batch, partition: index }) => {
        partition
          .appendInt32(index)
          .appendUnsignedVarInt(batch.length + 1)
          .append(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength))
      })
    })
    .appendTaggedFields()
}

const parseProduce = (_correlation: number, _key: number, _version: number, reader: Reader) => {
  const topics = reader.readArray(
    (topic) => {
      const name = topic.readString()
      const partitions = topic.readArray(
        (partition): ProducedPartition => {
          const index = partition.readInt32()
          const errorCode = partition.readInt16()
          const baseOffset = Number(partition.readInt64())
          partition.readInt64() // the time of append
          partition.readInt64() // the first offset kept
          partition.readArray(
            (record) => {
              record.readInt32()
              record.readNullableString()
            },
            true,
            true
          )
          const message = partition.readNullableString()
          return { topic: name, partition: index, errorCode, message, baseOffset }
        },
        true,
        true
      )
      return partitions
    },
    true,
    true
  )
  reader.readInt32() // throttling
  reader.readTaggedFields()
  return topics.flat()
}

export const produceBytes = createAPI<Parameters<typeof createProduce>, ReadonlyArray<ProducedPartition>>(
  0,
  9,
  createProduce,
  parseProduce
)
