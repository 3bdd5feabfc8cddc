/**
 * The records of a feed's next epoch: lines, each in the partition of its key.
 *
 * `FileFeed` fills it from a `LineSplitter` and commits what it takes out. Lines are noted as they come; the keys of all that a
 * buffer holds are found together, before it is written over.
 */
import {
  type KeyScanner,
  makeRecordBuilder,
  originalLengthHeader,
  originalSha256Header,
  partitionOfBytes,
  type RecordBuilder
} from "@frazil/core"
import type { Append } from "@frazil/engine"
import type { LineSink } from "./LineSplitter.ts"

export interface FeedEpochOptions {
  readonly topic: string
  readonly partitions: number
  readonly keys: KeyScanner
  readonly recordsMax: number
  readonly bytesMax: number
}

export interface FeedEpoch extends LineSink {
  /** The records so far, lent until the next line, and how many lines they were; empties the epoch. */
  readonly take: () => {
    readonly outputs: ReadonlyArray<Append>
    readonly lines: number
    readonly linesTooLong: number
  }
}

const encoder = new TextEncoder()
const noBytes: Uint8Array = new Uint8Array(0)
/** Lines whose keys are found together. */
const notedMax = 4_096

/** What is left of a line that is too long (contracts: its first 1,000 bytes). */
export const headBytes = 1_000

/** Lines of one buffer. */
const makeNotes = () => ({
  buffer: noBytes,
  starts: new Int32Array(notedMax),
  ends: new Int32Array(notedMax),
  length: 0
})

/** Adds the noted lines to the partitions of their keys. */
const addNoted = (
  { buffer, ends, length, starts }: ReturnType<typeof makeNotes>,
  keys: KeyScanner,
  builders: ReadonlyArray<RecordBuilder>
): void => {
  const found = keys.scan(buffer, starts, ends, length)
  const partitions = builders.length
  for (let row = 0; row < length; row++) {
    const start = starts[row]!
    const end = ends[row]!
    const keyStart = found.starts[row]!
    const text = keyStart < 0 ? found.texts.get(row) : undefined
    if (text !== undefined) {
      const key = encoder.encode(text)
      builders[partitionOfBytes(key, 0, key.length, partitions)]!.addFramed(noBytes, buffer, start, end, key)
    } else if (keyStart < 0) builders[0]!.addRange(buffer, start, end, -1, -1)
    else {
      const keyEnd = found.ends[row]!
      const partition = partitionOfBytes(buffer, keyStart, keyEnd, partitions)
      builders[partition]!.addRange(buffer, start, end, keyStart, keyEnd)
    }
  }
}

export const makeFeedEpoch = (options: FeedEpochOptions): FeedEpoch => {
  const { topic, partitions, keys, recordsMax, bytesMax } = options
  if (partitions < 1) throw new RangeError(`topic ${topic} has ${partitions} partitions: one is the least`)
  const builders: ReadonlyArray<RecordBuilder> = Array.from({ length: partitions }, () => makeRecordBuilder())
  const noted = makeNotes()
  let lines = 0
  let linesTooLong = 0
  let bytes = 0

  const room = () => lines < recordsMax && bytes < bytesMax
  const settle = () => {
    if (noted.length > 0) addNoted(noted, keys, builders)
    noted.length = 0
  }
  return {
    settle,
    line: (buffer, start, end) => {
      lines++
      bytes += end - start
      if (noted.length === notedMax) settle()
      noted.buffer = buffer
      noted.starts[noted.length] = start
      noted.ends[noted.length++] = end
      return room()
    },
    longLine: (head, length, sha256) => {
      settle()
      lines++
      linesTooLong++
      bytes += head.length
      builders[0]!.add(head, null, { [originalLengthHeader]: String(length), [originalSha256Header]: sha256 })
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
    if (builder.length() > 0) appends.push({ topic, partition, records: builder.lend() })
  }
  return appends
}
