/**
 * What a soak is fed: transactions from a seed that arrive at a fixed rate, in January, the same however often they are made.
 *
 * `SoakFeed` sends them, `SoakRecount` makes them again for the oracle.
 */
import { makeTransactions } from "../generate/Transactions.ts"

export interface SoakInput {
  readonly seed: number
  readonly rate: number
  readonly records: number
}

/** From one in the morning UTC on, so that every hour of night comes up somewhere. */
export const arrivalsFromMs = Date.UTC(2026, 0, 14, 1)
export const shares = { fraudShare: 0.03, invalidShare: 0.002 } as const

const newline = Uint8Array.of(10)

/** The records as a file would have them, `linesMax` lines at a time. */
export function* soakLines({ rate, records, seed }: SoakInput, linesMax: number): Generator<Uint8Array> {
  const generator = makeTransactions({ seed, ...shares })
  for (let from = 0; from < records; from += linesMax) {
    const parts: Array<Uint8Array> = []
    for (let index = from; index < Math.min(records, from + linesMax); index++) {
      const { bytes, length } = generator.next(arrivalsFromMs + Math.floor((index * 1_000) / rate))
      parts.push(bytes.slice(0, length), newline)
    }
    yield Buffer.concat(parts)
  }
}
