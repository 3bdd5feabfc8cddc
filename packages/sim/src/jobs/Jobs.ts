/** The jobs that `bun run sim` knows by name, each with its input and its tables. */
import { flows } from "@frazil/flows"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import type { Random } from "../generate/Random.ts"
import { makeTransactions } from "../generate/Transactions.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"
import { accountLandings, accounts, payment, Payments } from "./Accounts.ts"

export type SimulatedJob = (options: Omit<SimOptions, "input" | "landings">) => SimReport

const decoder = new TextDecoder()
const startMs = 1_768_392_000_000
const recordsMin = 40
const recordsSpread = 200

const rawTransactions = (random: Random): ReadonlyArray<string> => {
  const generator = makeTransactions({ seed: random.below(1_000_000), invalidShare: 0.1 })
  return Array.from({ length: recordsMin + random.below(recordsSpread) }, (_, index) => {
    const made = generator.next(startMs + index * 60_000)
    return decoder.decode(made.bytes.subarray(0, made.length))
  })
}

const payments = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, payment(random))

export const simulatedJobs: Readonly<Record<string, SimulatedJob>> = {
  transactions: (options) =>
    run(flows.transactions[0], {
      ...options,
      input: [input(RawTransactions, rawTransactions)],
      landings: tables
    }),
  accounts: (options) =>
    run(accounts, {
      ...options,
      input: [input(Payments, payments)],
      landings: accountLandings
    })
}
