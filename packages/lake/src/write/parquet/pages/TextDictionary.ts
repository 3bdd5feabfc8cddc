/**
 * The different texts of a column in a row group, kept as the dictionary page has them: a length, then the bytes.
 *
 * **Bounds**: `dictionaryValuesMax` texts and `bytesMax` bytes; what is one too many is refused, and the column goes on
 * plainly. It grows with what it holds, since every open partition has one for each column.
 */

/**
 * A column with more values in a row group is written plainly: ids gain nothing by a dictionary, and every value would be
 * looked up in it.
 */
export const dictionaryValuesMax = 2048
const valuesAtFirst = 64
const bytesMax = 1_048_576
const lengthBytes = 4
/** Slots for each value: lookups of texts that are not there end soon. */
export const slotsPerValue = 4

/** Reads of four bytes must not go beyond the text: the last bytes are read one by one. */
const hashOf = (bytes: Uint8Array, view: DataView, start: number, length: number): number => {
  let hash = length
  let at = start
  const end = start + length
  for (const wordsEnd = end - 3; at < wordsEnd; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

export const doubled = (from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const to = new Int32Array(from.length * 2)
  to.set(from)
  return to
}

export class TextDictionary {
  /** Values one after another, each behind its length. */
  bytes = new Uint8Array(1024)
  private view = new DataView(this.bytes.buffer)
  used = 0
  count = 0
  private starts = new Int32Array(valuesAtFirst)
  private hashes = new Int32Array(valuesAtFirst)
  /** Index + 1; 0 is free. */
  private slots = new Int32Array(valuesAtFirst * slotsPerValue)

  clear(): void {
    if (this.count > 0) this.slots.fill(0)
    this.count = 0
    this.used = 0
  }

  /** The text's index; −1 when it is new and there is no room. `view` is of the same memory as `bytes`. */
  indexOf(bytes: Uint8Array, view: DataView, start: number, length: number): number {
    const hash = hashOf(bytes, view, start, length)
    const { hashes, slots } = this
    const mask = slots.length - 1
    let slot = hash & mask
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (hashes[index] === hash && this.isAt(index, bytes, start, length)) return index
    }
    return this.add(slot, hash, bytes, start, length)
  }

  private isAt(index: number, bytes: Uint8Array, start: number, length: number): boolean {
    const own = this.bytes
    const at = this.starts[index]!
    if (this.view.getInt32(at - lengthBytes, true) !== length) return false
    for (let i = 0; i < length; i++) if (own[at + i] !== bytes[start + i]) return false
    return true
  }

  private add(slot: number, hash: number, bytes: Uint8Array, start: number, length: number): number {
    const needed = this.used + lengthBytes + length
    if (this.count === dictionaryValuesMax || needed > bytesMax) return -1
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(needed * 2)
      grown.set(this.bytes.subarray(0, this.used))
      this.bytes = grown
      this.view = new DataView(grown.buffer)
    }
    const at = this.used + lengthBytes
    this.view.setInt32(this.used, length, true)
    this.bytes.set(bytes.subarray(start, start + length), at)
    this.used = needed
    const index = this.count++
    this.starts[index] = at
    this.hashes[index] = hash
    this.slots[slot] = index + 1
    if (this.count === this.starts.length) this.grow()
    return index
  }

  private grow(): void {
    this.starts = doubled(this.starts)
    this.hashes = doubled(this.hashes)
    this.slots = new Int32Array(this.slots.length * 2)
    const mask = this.slots.length - 1
    for (let index = 0; index < this.count; index++) {
      let slot = this.hashes[index]! & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = index + 1
    }
  }
}
