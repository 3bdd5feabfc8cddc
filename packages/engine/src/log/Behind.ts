/**
 * How far a reader is behind a partition's end, for people and for what waits until nothing is left.
 *
 * Offsets have gaps (protocol, rule 17): behind the last record of a Kafka partition stands the marker that committed it.
 * A difference of offsets alone would show a reader that took everything as behind for ever.
 */
import { Effect } from "effect"
import type { LogError } from "./LogError.ts"
import type { LogShape, PartitionBounds } from "./Log.ts"

/** Up to so many offsets are looked at: more than an epoch's marker stands for records. */
const gapMax = 64

/** Offsets from `next` to the end that may be records; 0 when none of them is. What retention removed does not count. */
export const recordsBehind = (
  log: LogShape,
  topic: string,
  { end, partition, start }: PartitionBounds,
  next: number
): Effect.Effect<number, LogError> => {
  const from = Math.max(start, next)
  if (from >= end) return Effect.succeed(0)
  if (end - from > gapMax) return Effect.succeed(end - from)
  return log.read(topic, partition, from, { recordsMax: 1, bytesMax: 1 }).pipe(
    Effect.map((batch) => (batch.length === 0 ? 0 : end - batch.offsets[0]!)),
    // retention took over since the bounds were read
    Effect.catchIf(
      (error) => error.reason === "OffsetOutOfRange",
      () => Effect.succeed(end - from)
    )
  )
}
