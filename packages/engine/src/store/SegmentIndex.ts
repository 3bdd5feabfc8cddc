/**
 * Where the blocks of a segment stand, and the first key of each: packed, so that it costs a block some tens of bytes.
 *
 * A search begins in a sample of the keys, which stays in the processor's cache: in all of them, each of its steps would wait for
 * memory. **Bounds**: a key more for each `sampleEvery` blocks.
 */
import { compareKeys } from "./KeyBytes.ts"

const sampleEvery = 64

/** Keys one behind the other. */
class PackedKeys {
  private bytes = new Uint8Array(1024)
  private ends = new Uint32Array(32)
  length = 0

  get memoryBytes(): number {
    return this.bytes.length + this.ends.byteLength
  }

  add(key: Uint8Array, keyFrom: number, keyTo: number): void {
    const { length } = this
    const at = this.from(length)
    const end = at + keyTo - keyFrom
    if (end > this.bytes.length) this.bytes = copied(new Uint8Array(Math.max(2 * this.bytes.length, end)), this.bytes)
    if (length === this.ends.length) this.ends = copied(new Uint32Array(2 * length), this.ends)
    this.bytes.set(key.subarray(keyFrom, keyTo), at)
    this.ends[length] = end
    this.length++
  }

  trim(): void {
    this.bytes = this.bytes.slice(0, this.from(this.length))
    this.ends = this.ends.slice(0, this.length)
  }

  /** Of those in `[from, to)`, which are in order, the last one that is not behind the key; `from` − 1 when all are. */
  lastUpTo(key: Uint8Array, keyTo: number, from: number, to: number): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.bytes, this.from(middle), this.ends[middle]!, key, 0, keyTo) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  get first(): Uint8Array {
    return this.bytes.subarray(0, this.length === 0 ? 0 : this.ends[0]!)
  }

  private from(index: number): number {
    return index === 0 ? 0 : this.ends[index - 1]!
  }
}

export class SegmentIndex {
  private readonly keys = new PackedKeys()
  /** The keys of each `sampleEvery`th block. */
  private readonly sample = new PackedKeys()
  private ends = new Float64Array(32)
  blocks = 0

  /** Memory that it takes. */
  get bytes(): number {
    return this.keys.memoryBytes + this.sample.memoryBytes + this.ends.byteLength
  }

  /** A block that begins with the key in `[keyFrom, keyTo)`, behind those that are there, and ends at `end` of the file. */
  add(key: Uint8Array, keyFrom: number, keyTo: number, end: number): void {
    const { blocks } = this
    if (blocks === this.ends.length) this.ends = copied(new Float64Array(2 * blocks), this.ends)
    this.keys.add(key, keyFrom, keyTo)
    if (blocks % sampleEvery === 0) this.sample.add(key, keyFrom, keyTo)
    this.ends[blocks] = end
    this.blocks++
  }

  /** Gives back the room that it has for more. */
  trim(): void {
    this.keys.trim()
    this.sample.trim()
    this.ends = this.ends.slice(0, this.blocks)
  }

  get firstKey(): Uint8Array {
    return this.sample.first
  }

  from(block: number): number {
    return block === 0 ? 0 : this.ends[block - 1]!
  }

  to(block: number): number {
    return this.ends[block]!
  }

  /** The block that has the key if one has; −1 when all lie behind it. */
  blockOf(key: Uint8Array, keyTo: number): number {
    const sampled = this.sample.lastUpTo(key, keyTo, 0, this.sample.length)
    if (sampled < 0) return -1
    const from = sampled * sampleEvery
    // the sampled block itself is not behind the key
    return this.keys.lastUpTo(key, keyTo, from + 1, Math.min(this.blocks, from + sampleEvery))
  }
}

const copied = <A extends { readonly set: (from: A) => void }>(into: A, from: A): A => {
  into.set(from)
  return into
}
