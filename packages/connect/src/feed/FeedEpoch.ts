/**
 * The records of a feed's next epoch: lines, each in the partition of its key.
 *
 * `FileFeed` fills it from a `LineSplitter` whose buffer has `keySpareBytes` to spare, and commits what it takes out.
 */
import {
  makeRecordBuilder,
  originalLengthHeader,
  originalSha256Header,
  partitionOfBytes,
  type RecordBuilder
} from "@frazil/core"
import type { Append } from "@frazil/engine"
import type { LineSink } from "./LineSplitter.ts"

/** The key's text of one raw record; null for none, and for what cannot be parsed. */
export type KeyOf = (bytes: Uint8Array, start: number, end: number) => string | null

export interface FeedEpochOptions {
  readonly topic: string
  readonly partitions: number
  readonly keyOf: KeyOf
  readonly recordsMax: number
  readonly bytesMax: number
}

export interface FeedEpoch extends LineSink {
  /** The records so far, and how many lines they were; empties the epoch. */
  readonly take: () => {
    readonly outputs: ReadonlyArray<Append>
    readonly lines: number
    readonly linesTooLong: number
  }
}

const encoder = new TextEncoder()
/** Keys up to a third of this are encoded in the buffer of their line: no view is made for them. */
export const keySpareBytes = 4_096

/** What is left of a line that is too long (contracts: its first 1,000 bytes). */
export const headBytes = 1_000

export const makeFeedEpoch = (options: FeedEpochOptions): FeedEpoch => {
  const { topic, partitions, keyOf, recordsMax, bytesMax } = options
  const builders: ReadonlyArray<RecordBuilder> = Array.from({ length: partitions }, () => makeRecordBuilder())
  let spare: Uint8Array = new Uint8Array(0)
  let lines = 0
  let linesTooLong = 0
  let bytes = 0

  const room = () => lines < recordsMax && bytes < bytesMax
  const builderOf = (partition: number): RecordBuilder => {
    const builder = builders[partition]
    if (builder === undefined) throw new RangeError(`topic ${topic} has no partition ${partition}`)
    return builder
  }
  return {
    line: (buffer, start, end) => {
      lines++
      bytes += end - start
      const key = keyOf(buffer, start, end)
      if (key === null) builderOf(0).addRange(buffer, start, end, -1, -1)
      // UTF-8 takes at most three bytes for each UTF-16 unit
      else if (key.length * 3 <= keySpareBytes) {
        const keyStart = buffer.length - keySpareBytes
        if (spare.buffer !== buffer.buffer) spare = buffer.subarray(keyStart)
        const keyEnd = keyStart + encoder.encodeInto(key, spare).written
        const partition = partitionOfBytes(buffer, keyStart, keyEnd, partitions)
        builderOf(partition).addRange(buffer, start, end, keyStart, keyEnd)
      } else {
        const bytesOfKey = encoder.encode(key)
        const partition = partitionOfBytes(bytesOfKey, 0, bytesOfKey.length, partitions)
        builderOf(partition).add(buffer.subarray(start, end), bytesOfKey)
      }
      return room()
    },
    longLine: (head, length, sha256) => {
      lines++
      linesTooLong++
      bytes += head.length
      builderOf(0).add(head, null, { [originalLengthHeader]: String(length), [originalSha256Header]: sha256 })
      return room()
    },
    take: () => {
      const taken = { outputs: appendsOf(topic, builders), lines, linesTooLong }
      lines = 0
      linesTooLong = 0
      bytes = 0
      return taken
    }
  }
}

const appendsOf = (topic: string, builders: ReadonlyArray<RecordBuilder>): ReadonlyArray<Append> => {
  const appends: Array<Append> = []
  for (const [partition, builder] of builders.entries()) {
    if (builder.length() > 0) appends.push({ topic, partition, records: builder.take() })
  }
  return appends
}
