/**
 * Contract of `late-and-dropped`: records that were not used, or not as they came, so that none vanishes unseen.
 *
 * Jobs write it; it lands as `system.ledger`, where "why did this not fire" is asked, as `frazil jobs why` asks it. Dead
 * letters are named here, by their offsets; the topic of dead letters has them. What conditions left out is counted, over
 * ranges of offsets.
 */
import { Field, Timestamp, Topic } from "@frazil/core"
import { Schema } from "effect"

export class LedgerEntry extends Schema.Opaque<LedgerEntry>()(
  Schema.Struct({
    job: Field.text(),
    operator: Field.text(),
    /**
     * `late`: no window takes it. `dropped`: some of its windows were closed. `evicted`: there was no room. `lead`: used, but
     * it did not move time. `dead_letter`: it did not decode. `failed`: an operator's code threw, or a lookup failed.
     * `filtered`: no condition of the operator held, for so many records between two offsets.
     */
    reason: Field.oneOf(["late", "dropped", "evicted", "failed", "lead", "dead_letter", "filtered"]),
    key: Field.optional(Field.personal(Field.text())),
    event_timestamp: Field.optional(Field.timestamp),
    /** How far the watermark was beyond the record; negative for a lead. */
    lateness_ms: Field.optional(Field.double()),
    topic: Field.text(),
    partition: Field.int({ min: 0 }),
    /** The first and the last record that the entry stands for. */
    offset_from: Field.int({ min: 0 }),
    offset_to: Field.int({ min: 0 }),
    count: Field.int({ min: 1 }),
    /** The record as it came; not there when it is longer than 64 kB: the topic has it. */
    record: Field.optional(Field.personal(Field.text()))
  })
) {}

export const Ledger = Topic.make("late-and-dropped", { schema: LedgerEntry, key: "job" })

/** Longer records are not copied: an entry must itself fit a log. */
const recordBytesMax = 65_536

/** One record, where it stood and what became of it. */
export interface EnteredRecord {
  readonly job: string
  readonly operator: string
  readonly reason: LedgerEntry["reason"]
  readonly key: string | undefined
  /** Epoch milliseconds. */
  readonly eventTime: number | undefined
  readonly latenessMs?: number | undefined
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Left out where another topic has it. */
  readonly value?: Uint8Array
}

/** Records of an operator that no condition of it held for. */
export interface FilteredRecords extends Pick<EnteredRecord, "job" | "operator" | "topic" | "partition"> {
  readonly offsetFrom: number
  readonly offsetTo: number
  readonly count: number
}

const decoder = new TextDecoder()

/** NaN, or a time beyond what a timestamp holds, is none. */
const timeOf = (epochMs: number | undefined): Timestamp | null =>
  epochMs === undefined || !Number.isFinite(epochMs) ? null : Timestamp.make(epochMs)

/** The entry of one record. */
export const makeLedgerEntry = (record: EnteredRecord): LedgerEntry => ({
  job: record.job,
  operator: record.operator,
  reason: record.reason,
  key: record.key ?? null,
  event_timestamp: timeOf(record.eventTime),
  lateness_ms: record.latenessMs ?? null,
  topic: record.topic,
  partition: record.partition,
  offset_from: record.offset,
  offset_to: record.offset,
  count: 1,
  record: record.value === undefined || record.value.length > recordBytesMax ? null : decoder.decode(record.value)
})

/** The entry of what an operator left out of a range of offsets. */
export const makeFilteredEntry = (filtered: FilteredRecords): LedgerEntry => ({
  job: filtered.job,
  operator: filtered.operator,
  reason: "filtered",
  key: null,
  event_timestamp: null,
  lateness_ms: null,
  topic: filtered.topic,
  partition: filtered.partition,
  offset_from: filtered.offsetFrom,
  offset_to: filtered.offsetTo,
  count: filtered.count,
  record: null
})

/** What an engine is given to write the ledger with all of its reasons. */
export const ledgerService = {
  topic: Ledger,
  make: makeLedgerEntry,
  makeLetter: makeLedgerEntry,
  makeFiltered: makeFilteredEntry
}
