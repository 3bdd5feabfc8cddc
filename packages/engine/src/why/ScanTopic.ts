/**
 * Reads a stretch of a topic for one key: from where records of a time may lie to a number of records.
 *
 * A record is appended after its own time, but for wrong clocks; so the scan begins with what was appended from that time on.
 * **Bounds**: `recordsMax` records over all partitions; what was read is said.
 */
import { partitionOf, type RecordBatch } from "@frazil/core"
import { Effect } from "effect"
import { Log } from "../log/Log.ts"

const readLimits = { recordsMax: 5_000, bytesMax: 1_048_576 }

/** What was read of a partition. */
export interface Scanned {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** The offset after the last one that was read. */
  readonly to: number
  readonly records: number
  /** It ended before the partition did. */
  readonly cut: boolean
}

export interface ScanOptions {
  /** Epoch milliseconds, of appending. */
  readonly fromMs: number
  readonly recordsMax: number
  /** Only the partition of this key's text; undefined: all. */
  readonly key: string | undefined
}

const decoder = new TextDecoder()

/** The key as the log has it; undefined when it has none. */
export const keyTextAt = ({ bytes, keyEnds, keyStarts }: RecordBatch, row: number): string | undefined =>
  keyStarts[row]! < 0 ? undefined : decoder.decode(bytes.subarray(keyStarts[row], keyEnds[row]))

/** Calls `visit` for batches in order, until it has seen enough. */
export const scanTopic = Effect.fnUntraced(function* (
  topic: string,
  { fromMs, key, recordsMax }: ScanOptions,
  visit: (batch: RecordBatch, partition: number) => void
) {
  const log = yield* Log
  const bounds = yield* log.bounds(topic)
  const own = key === undefined ? undefined : partitionOf(key, bounds.length)
  const scanned: Array<Scanned> = []
  let left = recordsMax
  for (const { end, partition } of bounds) {
    if (own !== undefined && own !== partition) continue
    const from = yield* log.offsetAt(topic, partition, Math.max(0, fromMs))
    let next = from
    let records = 0
    while (next < end && left > 0) {
      const batch = yield* log.read(topic, partition, next, {
        ...readLimits,
        recordsMax: Math.min(left, readLimits.recordsMax)
      })
      if (batch.length === 0) break
      visit(batch, partition)
      next = batch.next
      records += batch.length
      left -= batch.length
    }
    scanned.push({ topic, partition, from, to: next, records, cut: next < end })
  }
  return scanned
})
