/**
 * Where the blocks of a segment stand, and the first key of each: packed, so that it costs a block some tens of bytes.
 */
import { compareKeys } from "./KeyBytes.ts"

export class SegmentIndex {
  private keys = new Uint8Array(1024)
  private keyEnds = new Uint32Array(32)
  private ends = new Float64Array(32)
  blocks = 0

  /** Memory that it takes. */
  get bytes(): number {
    return this.keys.length + this.keyEnds.byteLength + this.ends.byteLength
  }

  /** A block that begins with the key in `[keyFrom, keyTo)`, behind those that are there, and ends at `end` of the file. */
  add(key: Uint8Array, keyFrom: number, keyTo: number, end: number): void {
    const { blocks } = this
    const keyAt = this.keyFrom(blocks)
    if (keyAt + keyTo - keyFrom > this.keys.length)
      this.keys = copied(new Uint8Array(Math.max(2 * this.keys.length, keyAt + keyTo - keyFrom)), this.keys)
    if (blocks === this.ends.length) {
      this.keyEnds = copied(new Uint32Array(2 * blocks), this.keyEnds)
      this.ends = copied(new Float64Array(2 * blocks), this.ends)
    }
    this.keys.set(key.subarray(keyFrom, keyTo), keyAt)
    this.keyEnds[blocks] = keyAt + keyTo - keyFrom
    this.ends[blocks] = end
    this.blocks++
  }

  /** Gives back the room that it has for more. */
  trim(): void {
    this.keys = this.keys.slice(0, this.keyFrom(this.blocks))
    this.keyEnds = this.keyEnds.slice(0, this.blocks)
    this.ends = this.ends.slice(0, this.blocks)
  }

  from(block: number): number {
    return block === 0 ? 0 : this.ends[block - 1]!
  }

  to(block: number): number {
    return this.ends[block]!
  }

  /** The block that has the key if one has; −1 when all lie behind it. */
  blockOf(key: Uint8Array, keyTo: number): number {
    let from = 0
    let to = this.blocks
    while (from < to) {
      const middle = (from + to) >> 1
      if (compareKeys(this.keys, this.keyFrom(middle), this.keyEnds[middle]!, key, 0, keyTo) <= 0) from = middle + 1
      else to = middle
    }
    return from - 1
  }

  private keyFrom(block: number): number {
    return block === 0 ? 0 : this.keyEnds[block - 1]!
  }
}

const copied = <A extends { readonly set: (from: A) => void }>(into: A, from: A): A => {
  into.set(from)
  return into
}
