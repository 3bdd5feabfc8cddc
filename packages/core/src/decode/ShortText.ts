/**
 * Texts out of byte ranges that come again and again, such as keys and codes: the same string for the same bytes.
 *
 * Expressions over columns and windows read their texts through it. A string that is found again costs no allocation, and
 * keeps the hash that maps look it up by. Bytes are hashed and compared in words, four to the last byte among them.
 * **Bounds**: so many strings of so many bytes each; one makes room for another.
 */
import { Buffer } from "node:buffer"

const bytesMax = 24
const slotsCount = 16_384
/** Numbers that a slot has: how long its text is, then its words. */
const slotWords = 8
const words = new Int32Array(slotsCount * slotWords)
const texts = Array.from<string>({ length: slotsCount }).fill("")

/** Of each of four bytes: it is part of a character of several. */
const beyondAscii = 0x80808080

const mixed = (hash: number, word: number): number => {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

/** Of up to three bytes. */
const shortWord = (bytes: Uint8Array, start: number, end: number): number => {
  let word = 0
  for (let at = start; at < end; at++) word = (word << 8) | bytes[at]!
  return word
}

/** Whether the slot has the text of these bytes, of which there are four or more. */
const standsIn = (slot: number, view: DataView, start: number, end: number): boolean => {
  let word = slot * slotWords
  if (words[word++] !== end - start) return false
  const last = end - 4
  for (let at = start; at < last; at += 4) if (words[word++] !== view.getInt32(at, true)) return false
  return words[word] === view.getInt32(last, true)
}

const put = (slot: number, view: DataView, start: number, end: number): void => {
  let word = slot * slotWords
  words[word++] = end - start
  const last = end - 4
  for (let at = start; at < last; at += 4) words[word++] = view.getInt32(at, true)
  words[word] = view.getInt32(last, true)
}

/** Reads ranges of `bytes`, which are UTF-8; make it once for a batch. */
export const shortTexts = (bytes: Uint8Array): ((start: number, end: number) => string) => {
  // a Buffer makes strings of ranges without a view for each
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ofFew = (start: number, end: number): string => {
    const word = shortWord(buffer, start, end)
    if ((word & beyondAscii) !== 0) return buffer.toString("utf8", start, end)
    const slot = mixed(end - start, word) & (slotsCount - 1)
    const at = slot * slotWords
    if (words[at] === end - start && words[at + 1] === word) return texts[slot]!
    words[at] = end - start
    words[at + 1] = word
    return (texts[slot] = buffer.toString("latin1", start, end))
  }
  return (start, end) => {
    if (end - start < 4) return ofFew(start, end)
    if (end - start > bytesMax) return buffer.toString("utf8", start, end)
    const last = end - 4
    let bits = view.getInt32(last, true)
    let hash = mixed(end - start, bits)
    for (let at = start; at < last; at += 4) {
      const word = view.getInt32(at, true)
      bits |= word
      hash = mixed(hash, word)
    }
    // several bytes make one character: compared by no word
    if ((bits & beyondAscii) !== 0) return buffer.toString("utf8", start, end)
    const slot = hash & (slotsCount - 1)
    if (standsIn(slot, view, start, end)) return texts[slot]!
    put(slot, view, start, end)
    return (texts[slot] = buffer.toString("latin1", start, end))
  }
}
