/**
 * Texts out of byte ranges that come again and again, such as keys and codes: the same string for the same bytes.
 *
 * Expressions over columns and windows read their texts through it. A string that is found again costs no allocation, and
 * keeps the hash that maps look it up by. **Bounds**: so many strings of so many bytes each; one makes room for another.
 */
import type { Buffer } from "node:buffer"

const bytesMax = 24
const slotsCount = 16_384
const slots = Array.from<string>({ length: slotsCount }).fill("")

const sameText = (text: string, bytes: Uint8Array, start: number, end: number): boolean => {
  if (text.length !== end - start) return false
  for (let at = start; at < end; at++) if (text.charCodeAt(at - start) !== bytes[at]) return false
  return true
}

/** The text of `bytes[start, end)`, which are UTF-8. */
export const shortText = (bytes: Buffer, start: number, end: number): string => {
  if (end - start > bytesMax) return bytes.toString("utf8", start, end)
  let hash = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    // several bytes make one character: compared by no loop
    if (byte > 127) return bytes.toString("utf8", start, end)
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const slot = (hash ^ (hash >>> 15)) & (slotsCount - 1)
  const known = slots[slot]!
  return sameText(known, bytes, start, end) ? known : (slots[slot] = bytes.toString("latin1", start, end))
}
