/**
 * Contract of `dead-letter`: records that could not be used, with the reason, their position and their original bytes.
 *
 * Jobs and landings write it for what does not decode, `Flow.orDeadLetter` for what a lookup refused. Operators read it to
 * replay. A dead letter must itself fit a log: `originalRecord` says what is kept of a long record.
 */
import { Field, originalRecord, type RecordHeaders, type Timestamp, Topic } from "@frazil/core"
import { Schema } from "effect"

export class DeadLetter extends Schema.Opaque<DeadLetter>()(
  Schema.Struct({
    topic: Field.text(),
    partition: Field.int({ min: 0 }),
    offset: Field.int({ min: 0 }),
    /** A machine word: a `DecodeReason`, or the tag of a failed lookup. */
    reason: Field.text(),
    field: Field.optional(Field.text()),
    /** For people; holds no value of the record. */
    message: Field.text(),
    /** The record's bytes in base64: all of them, or the first 1,000 when `original_length` is present. */
    original: Field.personal(Field.text()),
    original_length: Field.optional(Field.int({ min: 0 })),
    original_sha256: Field.optional(Field.text({ lengthMax: 64 })),
    failed_at: Field.timestamp
  })
) {}

export const DeadLetters = Topic.make("dead-letter", { schema: DeadLetter, key: undefined })

/** Where a failed record stood, what it was, and when it failed. */
export interface FailedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** `reason` is a machine word: a `DecodeReason`, `operator_failed`, or the tag of a failure. */
  readonly failure: { readonly reason: string; readonly field: string | undefined; readonly message: string }
  readonly value: Uint8Array
  readonly headers: RecordHeaders | undefined
  readonly failedAt: Timestamp
}

/** The dead letter of a record that did not decode. */
export const makeDeadLetter = (record: FailedRecord): DeadLetter => ({
  topic: record.topic,
  partition: record.partition,
  offset: record.offset,
  reason: record.failure.reason,
  field: record.failure.field ?? null,
  message: record.failure.message,
  ...originalRecord(record.value, record.headers),
  failed_at: record.failedAt
})
