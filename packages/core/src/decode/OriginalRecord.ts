/**
 * What is kept of a record that failed: its bytes in base64, or its first bytes with the length and hash of the whole.
 *
 * Dead letters hold it, and must themselves fit a log. A record that was too long to be appended whole comes with headers
 * that say what it was.
 */
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import type { RecordHeaders } from "../record/RecordBatch.ts"

/** On a record that was longer than a record may be: its length. The record holds its first bytes only. */
export const originalLengthHeader = "frazil.original-length"
/** Beside it: SHA-256 of the whole, in hexadecimal. */
export const originalSha256Header = "frazil.original-sha256"

/** Records up to this length are kept whole: in base64 they fill most of the 1 MB that a record may have. */
export const originalBytesMax = 700_000
/** Of longer ones, this much is kept. */
const originalBytesKept = 1_000

export interface OriginalRecord {
  /** Base64. */
  readonly original: string
  /** Null when `original` is the whole record. */
  readonly original_length: number | null
  /** Hexadecimal; null when `original` is the whole record, or nobody knows. */
  readonly original_sha256: string | null
}

/** What a dead letter keeps of the record `value`. */
export const originalRecord = (value: Uint8Array, headers: RecordHeaders | undefined): OriginalRecord => {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
  const first = () => base64(value.subarray(0, originalBytesKept))
  const length = Number(headers?.[originalLengthHeader])
  if (Number.isSafeInteger(length) && length >= 0) {
    return { original: first(), original_length: length, original_sha256: headers?.[originalSha256Header] ?? null }
  }
  if (value.length <= originalBytesMax) return { original: base64(value), original_length: null, original_sha256: null }
  const sha256 = createHash("sha256").update(value).digest("hex")
  return { original: first(), original_length: value.length, original_sha256: sha256 }
}
