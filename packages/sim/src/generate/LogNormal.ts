/**
 * Log-normal amounts by table: each merchant category has the quantiles of its amounts in cents, drawn by position.
 *
 * Built once per generator from additions, multiplications and divisions only. Math.exp and Math.log may differ in the
 * last digit between runtimes, and one differing cent would break "same seed, same bytes".
 */
import type { Random } from "./Random.ts"

const quantileBits = 12
const quantiles = 1 << quantileBits
const positionBits = 32 - quantileBits
/** Draws stop at this many standard deviations: beyond lies one amount in 16,000. */
const deviationsMax = 4
const gridStepsPerDeviation = 512
const taylorTerms = 18
const ln2 = 0.6931471805599453

/** eˣ from basic arithmetic: x = k·ln 2 + r, Taylor's series for r, then doublings or halvings. */
const exponential = (x: number): number => {
  const doublings = Math.round(x / ln2)
  const rest = x - doublings * ln2
  let sum = 1
  let term = 1
  for (let n = 1; n <= taylorTerms; n++) {
    term = (term * rest) / n
    sum += term
  }
  const factor = doublings < 0 ? 0.5 : 2
  for (let step = Math.abs(doublings); step > 0; step--) sum *= factor
  return sum
}

/** z-values of the standard normal at i/4096, by walking its density in small steps. */
const normalQuantiles = (): Float64Array => {
  const steps = 2 * deviationsMax * gridStepsPerDeviation
  const density = (step: number) => {
    const z = step / gridStepsPerDeviation - deviationsMax
    return exponential((-z * z) / 2)
  }
  let total = 0
  for (let step = 0; step < steps; step++) total += (density(step) + density(step + 1)) / 2
  const table = new Float64Array(quantiles + 1).fill(deviationsMax)
  table[0] = -deviationsMax
  let reached = 0
  let next = 1
  for (let step = 0; step < steps; step++) {
    const area = (density(step) + density(step + 1)) / 2
    while (next < quantiles && reached + area >= (total * next) / quantiles) {
      const within = ((total * next) / quantiles - reached) / area
      table[next++] = (step + within) / gridStepsPerDeviation - deviationsMax
    }
    reached += area
  }
  return table
}

/** Draws amounts in whole cents, at least 1. */
export type AmountTable = Float64Array

/** A maker of tables for one median (in units, not cents) and one sigma of the logarithm. */
export const makeAmountTables = (): ((median: number, sigma: number) => AmountTable) => {
  const normal = normalQuantiles()
  return (median, sigma) => normal.map((z) => median * 100 * exponential(sigma * z))
}

/** One amount in cents, between neighbouring quantiles. */
export const drawCents = (table: AmountTable, random: Random): number => {
  const bits = random.bits()
  const index = bits >>> positionBits
  const low = table[index]!
  const within = (bits & ((1 << positionBits) - 1)) / (1 << positionBits)
  return Math.max(1, Math.round(low + (table[index + 1]! - low) * within))
}
