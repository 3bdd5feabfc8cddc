/** The small state of a shard, kept as JSON in its record in force. */

/** Counts since the job's first start, so that a summary adds up over restarts. */
export interface ShardCounts {
  readonly in: number
  /** By output topic. */
  readonly out: Readonly<Record<string, number>>
  /** Records that reached a `validate`. */
  readonly validated: number
  readonly deadLettered: number
  /** Records whose operator threw, or that failed and were dead-lettered; part of `deadLettered`. */
  readonly failed: number
}

export interface ShardDetail {
  /** Epoch milliseconds; null before the first record. */
  readonly maxEventTime: number | null
  readonly idle: boolean
  readonly counts: ShardCounts
  /** A bounded run came to the end of its input here. */
  readonly finished: boolean
}

export const emptyDetail: ShardDetail = {
  maxEventTime: null,
  idle: false,
  counts: { in: 0, out: {}, validated: 0, deadLettered: 0, failed: 0 },
  finished: false
}
