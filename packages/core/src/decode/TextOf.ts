/**
 * Texts out of byte ranges, for the places that need JavaScript strings: record objects and keys.
 */
import { Buffer } from "node:buffer"

/** Reads ranges of `bytes` as UTF-8; make it once for a batch. */
export const makeTextOf = (bytes: Uint8Array): ((start: number, end: number) => string) => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (start, end) => buffer.toString("utf8", start, end)
}
