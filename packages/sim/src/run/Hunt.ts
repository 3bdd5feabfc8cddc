/** How many seeds notice that something is wrong: what a mutant's process runs. Its answer is one line of JSON. */
import { hunters } from "../mutants/Hunters.ts"

export interface Hunted {
  readonly seeds: number
  readonly found: number
  /** The first seed that noticed; null when none did. */
  readonly first: number | null
  readonly what: string | null
}

/** Tries seeds 1 to `seedsMax`, until `foundMax` of them noticed. */
export const hunt = (hunter: string, seedsMax: number, foundMax: number): Hunted => {
  const notice = hunters[hunter]!
  let found = 0
  let first: number | null = null
  let what: string | null = null
  let seed = 0
  while (seed < seedsMax && found < foundMax) {
    seed++
    const noticed = notice(seed)
    if (noticed === undefined) continue
    found++
    first ??= seed
    what ??= noticed
  }
  return { seeds: seed, found, first, what }
}
