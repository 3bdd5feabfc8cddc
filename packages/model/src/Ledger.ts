/**
 * Contract of `late-and-dropped`: records that were not used, or not as they came, so that none vanishes unseen.
 *
 * Jobs write it; it lands as `system.ledger`, where "why did this not fire" is asked. Dead letters have a topic of their own
 * with a record each and are not repeated here.
 */
import { Field, Timestamp, Topic } from "@frazil/core"
import { Schema } from "effect"

export class LedgerEntry extends Schema.Opaque<LedgerEntry>()(
  Schema.Struct({
    job: Field.text(),
    operator: Field.text(),
    /** `late`: no window takes it. `dropped`: some of its windows were closed. `lead`: used, but it did not move time. */
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
  readonly eventTime: number
  readonly latenessMs: number | undefined
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Uint8Array
}

const decoder = new TextDecoder()

/** The entry of one record. */
export const makeLedgerEntry = (record: EnteredRecord): LedgerEntry => ({
  job: record.job,
  operator: record.operator,
  reason: record.reason,
  key: record.key ?? null,
  event_timestamp: Timestamp.make(record.eventTime),
  lateness_ms: record.latenessMs ?? null,
  topic: record.topic,
  partition: record.partition,
  offset_from: record.offset,
  offset_to: record.offset,
  count: 1,
  record: record.value.length > recordBytesMax ? null : decoder.decode(record.value)
})
