/** Record batches for tests: made by the client's own writer, which shares no code with ours. */
import { createRecordsBatch } from "@platformatic/kafka"
import type { TestRecord } from "../log/LogFixture.ts"

export interface BatchCase {
  readonly baseOffset: number
  readonly records: ReadonlyArray<TestRecord>
  readonly compression?: "none" | "gzip" | "snappy" | "lz4" | "zstd"
  readonly producerId?: bigint
  readonly timestamps?: ReadonlyArray<number>
}

/** One batch as a broker would give it. */
export const batchBytes = ({
  baseOffset,
  compression = "none",
  producerId,
  records,
  timestamps
}: BatchCase): Buffer => {
  const messages = records.map(({ headers, key, value }, index) => ({
    topic: "t",
    partition: 0,
    value: Buffer.from(value),
    key: key === null ? undefined : Buffer.from(key),
    timestamp: BigInt(timestamps?.[index] ?? 1_700_000_000_000 + index),
    headers: new Map(Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]))
  }))
  const transactional = producerId === undefined ? {} : { transactionalId: "t", producerId, producerEpoch: 0 }
  // the cast: its types name strings where it takes buffers, too
  const writer = createRecordsBatch(messages as never, { compression, ...transactional })
  const bytes = Buffer.from(writer.buffer)
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  return bytes
}

/** A marker that ends a transaction, as brokers write it: a control batch of one record. */
export const markerBytes = (baseOffset: number, producerId: bigint): Buffer => {
  const bytes = batchBytes({ baseOffset, producerId, records: [{ key: "\0\0\0\0", value: "\0\0" }] })
  bytes.writeInt16BE(bytes.readInt16BE(21) | 0x20, 21)
  return resealed(bytes)
}

/** With the checksum that its bytes have now. */
export const resealed = (bytes: Buffer): Buffer => {
  bytes.writeUInt32BE(crc32cOf(bytes.subarray(21)), 17)
  return bytes
}

/** CRC-32C bit by bit. */
export const crc32cOf = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
