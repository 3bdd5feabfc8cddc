/**
 * Makes a failing run smaller: fewer faults, then fewer records, as long as it still fails.
 *
 * What is left is a list of faults, which replays by itself. Runs of a smaller scenario go their own way; each is judged
 * anew, and any violation counts.
 */
import type { Fault } from "./Fault.ts"
import type { SimReport } from "./Sim.ts"

const runsMax = 120

export interface Shrunk {
  readonly faults: ReadonlyArray<Fault>
  readonly recordsMax: number
  readonly violations: ReadonlyArray<string>
}

/** Repeats a scenario with exactly these faults, and at most so many records of each input. */
export type Repeat = (faults: ReadonlyArray<Fault>, recordsMax: number) => SimReport

/** Undefined when the failing run does not fail again by its list of faults alone. */
export const shrink = (failing: SimReport, repeat: Repeat): Shrunk | undefined => {
  let runs = 0
  let best: Shrunk | undefined
  const failsWith = (faults: ReadonlyArray<Fault>, recordsMax: number): boolean => {
    if (runs++ >= runsMax) return false
    const { violations } = repeat(faults, recordsMax)
    if (violations.length > 0) best = { faults, recordsMax, violations }
    return violations.length > 0
  }
  if (!failsWith(failing.injected, failing.records)) return undefined
  // whole halves first, then one by one
  for (let size = Math.ceil(failing.injected.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best!.faults.length;) {
      const without = best!.faults.filter((_, index) => index < from || index >= from + size)
      if (!failsWith(without, best!.recordsMax)) from += size
    }
  }
  for (let recordsMax = best!.recordsMax >> 1; recordsMax > 0; recordsMax >>= 1) {
    if (!failsWith(best!.faults, recordsMax)) break
  }
  return best
}

/** `12:kept,55:crash-before`, with the amount where it matters: `80:late:1000`. */
export const faultsToText = (faults: ReadonlyArray<Fault>): string =>
  faults.map(({ amountMs, at, kind }) => `${at}:${kind}:${amountMs}`).join(",")
