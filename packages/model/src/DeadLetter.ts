/**
 * Contract of `dead-letter`: records that could not be used, with the reason, their position and their original bytes.
 *
 * Jobs and landings write it for what does not decode, `Flow.orDeadLetter` for what a lookup refused. Operators read it to
 * replay. A dead letter must itself fit a log, so a long original is named by its length and hash.
 */
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import {
  Field,
  originalLengthHeader,
  originalSha256Header,
  type RecordHeaders,
  type Timestamp,
  Topic
} from "@frazil/core"
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

/** Originals up to this length are kept whole: in base64 they fill most of the 1 MB that a record may have. */
export const originalBytesMax = 700_000
/** Of longer ones, this much is kept. */
export const originalBytesKept = 1_000

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

/** Length and hash of an original that the dead letter does not hold whole; null where it does. */
const original = (value: Uint8Array, headers: RecordHeaders | undefined) => {
  const cutLength = Number(headers?.[originalLengthHeader])
  if (Number.isSafeInteger(cutLength) && cutLength >= 0) {
    return { original_length: cutLength, original_sha256: headers?.[originalSha256Header] ?? null }
  }
  if (value.length <= originalBytesMax) return { original_length: null, original_sha256: null }
  return { original_length: value.length, original_sha256: createHash("sha256").update(value).digest("hex") }
}

/** The dead letter of a record that did not decode. */
export const makeDeadLetter = (record: FailedRecord): DeadLetter => {
  const { value, failure, headers } = record
  const known = original(value, headers)
  const kept = known.original_length === null ? value : value.subarray(0, originalBytesKept)
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    reason: failure.reason,
    field: failure.field ?? null,
    message: failure.message,
    original: Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString("base64"),
    ...known,
    failed_at: record.failedAt
  }
}
