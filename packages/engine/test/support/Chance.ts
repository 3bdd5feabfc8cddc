/** Seeded chance for tests that choose their cases: a failure is its seed. */
export interface Chance {
  /** From 0 up to `bound`, exclusive. */
  readonly below: (bound: number) => number
  readonly pick: <A>(options: ReadonlyArray<A>) => A
  /** True once in `of` times. */
  readonly once: (of: number) => boolean
}

export const makeChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return { below, pick: (options) => options[below(options.length)]!, once: (of) => below(of) === 0 }
}
