/** The small state of a shard, kept as JSON in its record in force. */
import type { ControlTotals } from "./ControlTotals.ts"
import type { FilteredRange } from "./FilteredCounts.ts"
import type { EntryReason } from "./Ledger.ts"
import type { LaneDetail } from "../repartition/Lanes.ts"
import type { LeadState } from "./Lead.ts"
import type { RecordedSources } from "./SameSources.ts"

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
  /** Records that decoded, though the scanner gave up on them (the slow path); absent while there was none. */
  readonly slow?: number
  /** Records that did not decode: neither slow nor fast; absent while there was none. */
  readonly undecoded?: number
  /** By topic; absent while the stage joins with none. They are not in the other counts. */
  readonly tables?: Readonly<Record<string, TableCounts>>
  /** Entries of the ledger, by reason; absent before there was one. */
  readonly ledger?: Readonly<Partial<Record<EntryReason, number>>>
  /** By the name of a `Flow.total`; absent while the stage has none. */
  readonly totals?: ControlTotals
}

type DecodeCounts = Pick<ShardCounts, "slow" | "undecoded">

/** The sum of both, as `ShardCounts` has it. */
export const addDecoded = (one: DecodeCounts, other: DecodeCounts): DecodeCounts => {
  const slow = (one.slow ?? 0) + (other.slow ?? 0)
  const undecoded = (one.undecoded ?? 0) + (other.undecoded ?? 0)
  return { ...(slow === 0 ? {} : { slow }), ...(undecoded === 0 ? {} : { undecoded }) }
}

/** Records that the scanner decoded by itself (the fast path). */
export const fastCount = ({ in: taken, slow = 0, undecoded = 0 }: ShardCounts): number => taken - slow - undecoded

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
  /** How far the clock had come, where something goes by it: what it ended and fired is not ended again. */
  readonly clockAt?: number
  /** What conditions left out of the open blocks of offsets; absent when that is nothing. */
  readonly filtered?: ReadonlyArray<FilteredRange>
  /** The least watermark of the records that its lookups hold, null where one came before any; absent when they hold none. */
  readonly heldWatermark?: number | null
  /** Behind a repartition: where each of its writers stands. `maxEventTime` is then the watermark. */
  readonly lanes?: ReadonlyArray<LaneDetail>
  /** With it: the place of the last record. */
  readonly place?: number
  /** Beside a repartition: what its places and writers are counted by. */
  readonly sources?: RecordedSources
  /** Before a repartition: the ids of the topics that it writes, by name (rule 9). */
  readonly internal?: Readonly<Record<string, string>>
}

export const emptyDetail: ShardDetail = {
  maxEventTime: null,
  idle: false,
  counts: { in: 0, out: {}, validated: 0, deadLettered: 0, failed: 0 },
  deltasFrom: null,
  finished: false
}
