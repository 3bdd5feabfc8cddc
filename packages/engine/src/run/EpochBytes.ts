/**
 * The bytes of everything that a shard's open epoch writes: its outputs hold ranges of them, and share what they have in common.
 *
 * Collectors write here. Records that pass unchanged are not copied one by one for each output: the values of a batch are
 * copied at once, for the first record of it that passes. `takeCommit` hands the bytes over with the epoch's outputs; the next
 * epoch writes over them, so an append is the log's only until its commit has ended (`Log.commit`).
 * **Bounds**: grows until the epoch is cut, by `used`; what a small epoch does not need is let go.
 */
import type { RecordBatch } from "@frazil/core"

export interface EpochBytes {
  readonly used: () => number
  /**
   * What has to be added to a place in the batch's bytes to find it here. Undefined when the batch's values lie scattered
   * among bytes of others: copying all would cost more than it saves.
   */
  readonly shiftOf: (source: RecordBatch) => number | undefined
  /** Copies `source[start, end)`; where it begins. */
  readonly add: (source: Uint8Array, start: number, end: number) => number
  /** Where it begins; it ends at `used()`. */
  readonly addText: (text: string) => number
  /** All of them, until the next epoch's first. */
  readonly bytes: () => Uint8Array
  /** The outputs of the epoch were taken: what is added next belongs to another. */
  readonly handOver: () => void
}

const bytesInitial = 16_384
/** Gaps between values may take as much room as the values themselves, and a little. */
const gapBytesMax = 4_096
/** A buffer is kept for the next epoch unless most of it was of no use to the last. */
const keptShare = 8
const keptBytesMin = 262_144

const encoder = new TextEncoder()

/** Where the values of a batch lie, and how many bytes they are. */
const extentOf = ({ length, valueEnds, valueStarts }: RecordBatch) => {
  let start = Number.MAX_SAFE_INTEGER
  let end = 0
  let size = 0
  for (let row = 0; row < length; row++) {
    const from = valueStarts[row]!
    const to = valueEnds[row]!
    if (from < start) start = from
    if (to > end) end = to
    size += to - from
  }
  return { start, end, size }
}

export const makeEpochBytes = (): EpochBytes => {
  let bytes = new Uint8Array(bytesInitial)
  let used = 0
  let source: RecordBatch | undefined
  let shift: number | undefined
  let handedOver = false

  /** Room for so many more; in the first epoch after a hand-over, from the front. */
  const reserve = (more: number) => {
    if (handedOver) {
      if (bytes.length > keptBytesMin && used < bytes.length / keptShare) bytes = new Uint8Array(bytesInitial)
      handedOver = false
      used = 0
    }
    if (used + more <= bytes.length) return
    const grown = new Uint8Array(Math.max(bytes.length * 2, used + more))
    grown.set(bytes.subarray(0, used))
    bytes = grown
  }
  const add = (from: Uint8Array, start: number, end: number): number => {
    reserve(end - start)
    const at = used
    bytes.set(from.subarray(start, end), at)
    used += end - start
    return at
  }
  return {
    used: () => (handedOver ? 0 : used),
    shiftOf: (batch) => {
      if (batch === source) return shift
      source = batch
      const { end, size, start } = extentOf(batch)
      shift = end - start > size * 2 + gapBytesMax ? undefined : add(batch.bytes, start, end) - start
      return shift
    },
    add,
    addText: (text) => {
      // UTF-8 takes at most three bytes for each UTF-16 unit
      reserve(text.length * 3)
      const at = used
      used += encoder.encodeInto(text, bytes.subarray(used)).written
      return at
    },
    bytes: () => bytes.subarray(0, used),
    handOver: () => {
      handedOver = true
      source = undefined
    }
  }
}
