/**
 * Says of a key that a segment never had it, without reading: one cache line a key, six bits in it.
 *
 * **Bounds**: so many bits a key as it is made with. Of keys that are not there, fewer than 1 in 50 are read for nothing with 10
 * bits, fewer than 1 in 300 with 16.
 */
import type { KeyHash } from "./KeyBytes.ts"

const wordsPerLine = 16
const probes = 6

export class BloomFilter {
  private readonly words: Uint32Array
  private readonly lines: number

  constructor(keysMax: number, bitsPerKey: number) {
    this.lines = Math.max(1, Math.ceil((keysMax * bitsPerKey) / (wordsPerLine * 32)))
    this.words = new Uint32Array(this.lines * wordsPerLine)
  }

  get bytes(): number {
    return this.words.byteLength
  }

  add({ bits, line }: KeyHash): void {
    const base = Math.floor((line * this.lines) / 0x1_0000_0000) * wordsPerLine
    const step = (bits >>> 17) | (bits << 15) | 1
    let at = bits
    for (let probe = 0; probe < probes; probe++) {
      const bit = at >>> 23
      this.words[base + (bit >>> 5)]! |= 1 << (bit & 31)
      at = (at + step) | 0
    }
  }

  mayHave({ bits, line }: KeyHash): boolean {
    const base = Math.floor((line * this.lines) / 0x1_0000_0000) * wordsPerLine
    const step = (bits >>> 17) | (bits << 15) | 1
    let at = bits
    for (let probe = 0; probe < probes; probe++) {
      const bit = at >>> 23
      if ((this.words[base + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false
      at = (at + step) | 0
    }
    return true
  }
}
