/**
 * Chance from a seed, for generators: the same seed gives the same numbers on every runtime.
 *
 * sfc32 (Doty-Humphrey): 128 bits of state, integer arithmetic only. Generators draw from it in plain loops, where a
 * step through Effect's Random would cost more than the record it helps to make.
 */

/** A stream of random numbers. Draws change it: two users of one stream see different numbers. */
export interface Random {
  /** 32 random bits as a number in [0, 2³²). */
  readonly bits: () => number
  /** An integer in [0, bound). `bound` is at most 2²¹, above which some results would be likelier than others. */
  readonly below: (bound: number) => number
}

const warmUpDraws = 16

/** Makes the stream of `seed`, an integer; only its low 53 bits count. */
export const makeRandom = (seed: number): Random => {
  let a = seed | 0
  let b = Math.floor(seed / 4_294_967_296) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  const bits = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // neighbouring seeds give unrelated streams only after the state was mixed
  for (let draw = 0; draw < warmUpDraws; draw++) bits()
  return { bits, below: (bound) => Math.floor((bits() * bound) / 4_294_967_296) }
}

const slotBits = 16

/**
 * Turns weights into a table of 2¹⁶ slots, each holding an index, so that `slots[bits() >>> 16]` draws index `i` in
 * proportion to `weights[i]`. At most 65,536 weights; one below 1/65,536 of the sum may never be drawn.
 */
export const weightedSlots = (weights: ReadonlyArray<number>): Uint16Array => {
  const slots = new Uint16Array(1 << slotBits)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let filled = 0
  let reached = 0
  weights.forEach((weight, index) => {
    reached += weight
    const end = index === weights.length - 1 ? slots.length : Math.round((reached / total) * slots.length)
    slots.fill(index, filled, end)
    filled = Math.max(filled, end)
  })
  return slots
}

/** Draws an index from the table that `weightedSlots` made. */
export const drawSlot = (slots: Uint16Array, random: Random): number => slots[random.bits() >>> (32 - slotBits)]!
