/**
 * Kafka's record batches, version 2: where each field of the header stands, and what its flags mean.
 *
 * `DecodeBatches` reads them, `EncodeBatch` writes them. Numbers are big-endian. See "Record Batch" in Kafka's protocol guide.
 */

export const header = {
  baseOffset: 0,
  /** Counts from behind itself. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  /** CRC-32C of everything from `attributes` on. */
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61
} as const

/** Bytes before those that `length` counts. */
export const lengthEnd = 12
export const magicNow = 2

export const codecMask = 0x07
/** The broker's clock gave all records `maxTimestamp`. */
export const appendTimeFlag = 0x08
export const transactionalFlag = 0x10
/** Markers of the end of a transaction, no records. */
export const controlFlag = 0x20

/** The shortest record there can be: seven fields of one byte each. */
export const recordBytesMin = 7
