/**
 * Where a record came from, as one number: the source topic, its partition and the offset.
 *
 * Stages behind a repartition have it where others have a plain offset. It sorts by (topic, partition, offset), which tells
 * records of one event time apart the same way in every run (protocol, rule 20), and dead letters and the ledger tell people
 * the original place by it.
 */
import type { TopicRef } from "../flow/Node.ts"

/** Offsets below 2^40, over 2^13 source partitions: together what a double holds exactly. */
export const offsetsPerPartition = 2 ** 40
/** So many partitions the sources of a job with repartitions may have together. */
export const sourcePartitionsMax = 2 ** 13

/** The sources of a job, in the order in which it names them; places count their partitions through. */
export type Origins = ReadonlyArray<Pick<TopicRef, "name" | "partitions">>

export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What is added to an offset of that partition. */
export const placeBase = (origins: Origins, topic: string, partition: number): number => {
  let before = 0
  for (const { name, partitions } of origins) {
    if (name === topic) return (before + partition) * offsetsPerPartition
    before += partitions
  }
  throw new Error(`${topic} is no source of the job`)
}

export const originOf = (origins: Origins, place: number): Origin => {
  const offset = ((place % offsetsPerPartition) + offsetsPerPartition) % offsetsPerPartition
  let partition = Math.floor(place / offsetsPerPartition)
  for (const { name, partitions } of origins) {
    if (partition < partitions) return { topic: name, partition, offset }
    partition -= partitions
  }
  throw new Error(`place ${place} is in no source of the job`)
}
