/** The small state of a shard, kept as JSON in its record in force. */
import type { LedgerReason } from "./Ledger.ts"
import type { LeadState } from "./Lead.ts"

/** Records of a table that were read, and those of them that did not decode. */
export interface TableCounts {
  readonly in: number
  readonly deadLettered: number
}

/** Counts since the job's first start, so that a summary adds up over restarts. */
export interface ShardCounts {
  readonly in: number
  /** By output topic. */
  readonly out: Readonly<Record<string, number>>
  /** Records that reached a `validate`. */
  readonly validated: number
  /** Letters to the standard dead letter: what did not decode, and what an operator's code threw at; of the source's records. */
  readonly deadLettered: number
  /** What an operator's code threw at, and failures that `orDeadLetter` wrote as standard letters (those are in `out`). */
  readonly failed: number
  /** By topic; absent while the stage joins with none. They are not in the other counts. */
  readonly tables?: Readonly<Record<string, TableCounts>>
  /** Entries of the ledger, by reason; absent before there was one. */
  readonly ledger?: Readonly<Partial<Record<LedgerReason, number>>>
}

/** Both, topic by topic. */
export const addTables = (
  sum: Readonly<Record<string, TableCounts>>,
  more: ShardCounts["tables"]
): Readonly<Record<string, TableCounts>> => {
  const total = { ...sum }
  for (const [topic, counts] of Object.entries(more ?? {})) {
    const before = total[topic] ?? { in: 0, deadLettered: 0 }
    total[topic] = { in: before.in + counts.in, deadLettered: before.deadLettered + counts.deadLettered }
  }
  return total
}

export interface ShardDetail {
  /** Epoch milliseconds; null before the first record. While idle it may be the stage's: `TakeTime.ts`. */
  readonly maxEventTime: number | null
  readonly idle: boolean
  readonly counts: ShardCounts
  /** The epoch that the deltas begin with; null while the stage has no state, so that a missing delta is not mistaken for that. */
  readonly deltasFrom: number | null
  /** A bounded run came to the end of its input here. */
  readonly finished: boolean
  /** Records in a row that were far ahead of the rest; absent when the last one was not. */
  readonly lead?: LeadState
  /** Its windows were closed at the end of time: whatever comes later is late. */
  readonly closed?: boolean
  /** The least watermark of the records that its lookups hold, null where one came before any; absent when they hold none. */
  readonly heldWatermark?: number | null
}

export const emptyDetail: ShardDetail = {
  maxEventTime: null,
  idle: false,
  counts: { in: 0, out: {}, validated: 0, deadLettered: 0, failed: 0 },
  deltasFrom: null,
  finished: false
}
