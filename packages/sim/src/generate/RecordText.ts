/**
 * A reused buffer for records that are written as JSON texts: what generators of modest rates make their records in.
 */
import { partitionOfBytes } from "@frazil/core"
import type { GeneratedRecord } from "./RecordSource.ts"

/** The longest record that fits. */
const recordBytesMax = 2_048

const encoder = new TextEncoder()

/** Gives the function that makes a record of its JSON text; `key` is text of ASCII that stands in it once as `"key"`. */
export const makeRecordText = (): ((json: string, key: string, label?: string) => GeneratedRecord) => {
  const bytes = new Uint8Array(recordBytesMax)
  const made = { bytes, length: 0, keyStart: 0, keyEnd: 0, label: undefined as string | undefined }
  return (json, key, label) => {
    made.length = encoder.encodeInto(json, bytes).written
    // all that stands before the key is ASCII, so places in the text are places in the bytes
    made.keyStart = json.indexOf(`"${key}"`) + 1
    made.keyEnd = made.keyStart + key.length
    made.label = label
    return made
  }
}

/** Partitions by the key that stands in the record. */
export const byKeyBytes =
  (partitions: number) =>
  ({ bytes, keyEnd, keyStart }: GeneratedRecord): number =>
    partitionOfBytes(bytes, keyStart, keyEnd, partitions)

/** A UUID of version 4's form from random bits. */
export const uuidOf = (bits: () => number): string => {
  const hex = Array.from({ length: 4 }, () => bits().toString(16).padStart(8, "0")).join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
