import { transactions } from "./transactions.ts"

/** Flows by the name that `--jobs` takes; each holds one or more jobs. */
export const flows = { transactions: [transactions] } as const
