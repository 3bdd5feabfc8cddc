/**
 * What a shard's epoch appends: by partition, in batches, and where each append landed.
 *
 * `Shards` prepares a commit with it. Records that are too long are refused here, before a transaction is opened.
 */
import type { PackedRecords } from "@frazil/core"
import { type Append, type Appended, LogError } from "@frazil/engine"
import { Effect } from "effect"
import { type Piece, splitPieces } from "./EncodeBatch.ts"
import type { PartitionProduced } from "./Transaction.ts"

/** Batches within the broker's bound on them, which topics of others have at 1 MB. */
export const batchBytesMax = 786_432

/** Fails with `RecordTooLong`. */
export const checkLengths = ({ records, topic }: Append, recordBytesMax: number): Effect.Effect<void, LogError> => {
  const { keyEnds, keyStarts, length, valueEnds, valueStarts } = records
  for (let row = 0; row < length; row++) {
    const key = keyStarts[row]! < 0 ? 0 : keyEnds[row]! - keyStarts[row]!
    const longest = Math.max(key, valueEnds[row]! - valueStarts[row]!)
    if (longest <= recordBytesMax) continue
    return Effect.fail(
      new LogError({
        reason: "RecordTooLong",
        message: `record ${row} of a batch for topic ${topic} has ${longest} bytes, more than the ${recordBytesMax} that a record may have: shorten it or raise the limit`
      })
    )
  }
  return Effect.void
}

/** Appends to one partition, in order, with their places among all of the shard's. */
export interface PartitionAppends {
  readonly topic: string
  readonly partition: number
  readonly places: ReadonlyArray<number>
  readonly records: ReadonlyArray<PackedRecords>
  readonly batches: ReadonlyArray<ReadonlyArray<Piece>>
}

/** `prefix` stands before every topic's name. */
export const byPartition = (prefix: string, outputs: ReadonlyArray<Append>): ReadonlyArray<PartitionAppends> => {
  const placed = outputs.map((append, place) => ({ ...append, place }))
  return [...Map.groupBy(placed, ({ partition, topic }) => `${topic}/${partition}`).values()].map((of) => {
    const records = of.map((append) => append.records)
    return {
      topic: prefix + of[0]!.topic,
      partition: of[0]!.partition,
      places: of.map(({ place }) => place),
      records,
      batches: splitPieces(records, batchBytesMax)
    }
  })
}

/** Where each append of a partition begins, from where its batches do. */
const offsetsOfAppends = (
  lengths: ReadonlyArray<number>,
  batches: ReadonlyArray<ReadonlyArray<Piece>>,
  baseOffsets: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const offsets: Array<number> = []
  let batch = 0
  let within = 0
  const sizes = batches.map((pieces) => pieces.reduce((sum, { from, to }) => sum + to - from, 0))
  for (const length of lengths) {
    while (batch < sizes.length && within >= sizes[batch]!) {
      within -= sizes[batch]!
      batch++
    }
    // nothing was appended, so it is nowhere
    offsets.push(length === 0 ? -1 : baseOffsets[batch]! + within)
    within += length
  }
  return offsets
}

/** In the order of the outputs. */
export const appendedOf = (
  outputs: ReadonlyArray<Append>,
  partitions: ReadonlyArray<PartitionAppends>,
  produced: ReadonlyArray<PartitionProduced>
): ReadonlyArray<Appended> => {
  const offsets = new Map<number, number>()
  for (const { batches, partition, places, records, topic } of partitions) {
    const found = produced.find((each) => each.topic === topic && each.partition === partition)
    const lengths = records.map(({ length }) => length)
    const begins = offsetsOfAppends(lengths, batches, found?.baseOffsets ?? [])
    for (const [index, place] of places.entries()) offsets.set(place, begins[index]!)
  }
  return outputs.map(({ partition, topic }, place) => ({ topic, partition, offset: offsets.get(place)! }))
}
