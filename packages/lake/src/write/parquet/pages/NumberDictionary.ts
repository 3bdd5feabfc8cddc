/**
 * The different numbers of a column in a row group, as two halves of 32 bits each: equal halves are equal cells.
 *
 * **Bounds**: `dictionaryValuesMax` numbers; what is one too many is refused, and the column goes on plainly.
 */
import { dictionaryValuesMax, doubled, slotsPerValue } from "./TextDictionary.ts"

const valuesAtFirst = 64

const slotOf = (low: number, high: number): number => {
  const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

export class NumberDictionary {
  count = 0
  lows = new Int32Array(valuesAtFirst)
  highs = new Int32Array(valuesAtFirst)
  /** Index + 1; 0 is free. */
  private slots = new Int32Array(valuesAtFirst * slotsPerValue)

  clear(): void {
    if (this.count > 0) this.slots.fill(0)
    this.count = 0
  }

  /** The number's index; −1 when it is new and there is no room. */
  indexOf(low: number, high: number): number {
    const { highs, lows, slots } = this
    const mask = slots.length - 1
    let slot = slotOf(low, high) & mask
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (lows[index] === low && highs[index] === high) return index
    }
    if (this.count === dictionaryValuesMax) return -1
    const index = this.count++
    lows[index] = low
    highs[index] = high
    slots[slot] = index + 1
    if (this.count === lows.length) this.grow()
    return index
  }

  private grow(): void {
    this.lows = doubled(this.lows)
    this.highs = doubled(this.highs)
    this.slots = new Int32Array(this.slots.length * 2)
    const mask = this.slots.length - 1
    for (let index = 0; index < this.count; index++) {
      let slot = slotOf(this.lows[index]!, this.highs[index]!) & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = index + 1
    }
  }
}
