/**
 * Watermarks: how far event time has come.
 *
 * A partition's watermark is its highest event time minus the out-of-orderness; a shard's is the least of its
 * partitions' that are not idle. It never goes back, also when an idle partition wakes up with older records.
 */

/** The event-time progress of one input partition. */
export interface PartitionTime {
  /** Of its records; a partition that fell silent takes over the stage's when windows close by it. */
  maxEventTime: number
  idle: boolean
}

/** What a partition contributes. */
export const watermarkOf = (time: PartitionTime, outOfOrdernessMs: number): number =>
  time.maxEventTime - outOfOrdernessMs

/**
 * The least over partitions that are not idle and have had records, never below `before`; without any it stays.
 */
export const combinedWatermark = (
  before: number,
  partitions: ReadonlyArray<PartitionTime>,
  outOfOrdernessMs: number
): number => {
  let least = Number.POSITIVE_INFINITY
  for (const time of partitions) {
    if (time.idle || !Number.isFinite(time.maxEventTime)) continue
    least = Math.min(least, watermarkOf(time, outOfOrdernessMs))
  }
  return least === Number.POSITIVE_INFINITY ? before : Math.max(before, least)
}
