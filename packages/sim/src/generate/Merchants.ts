/**
 * What generated transactions are spent on: merchant categories with their share, amounts and merchants.
 *
 * Purchases and refunds draw a category by weight; withdrawals are always at a cash machine, transfers always by wire.
 */

export interface MerchantCategory {
  readonly name: string
  /** Share of purchases and refunds, per cent. */
  readonly weight: number
  /** Median amount in units of the currency, and sigma of its logarithm. */
  readonly median: number
  readonly sigma: number
}

type Row = readonly [string, number, number, number]

const rows: ReadonlyArray<Row> = [
  ["grocery", 27, 45, 0.8],
  ["restaurant", 20, 30, 0.7],
  ["fuel", 13, 50, 0.4],
  ["online_retail", 16, 70, 1],
  ["electronics", 8, 250, 1.1],
  ["travel", 7, 400, 1.2],
  ["jewelry", 2, 900, 1.3],
  ["gambling", 4, 150, 1.3],
  ["crypto", 3, 500, 1.6],
  ["wire_transfer", 0, 1200, 1.4],
  ["atm", 0, 120, 0.7]
]

/** All categories; a category is known elsewhere by its index here. */
export const merchantCategories: ReadonlyArray<MerchantCategory> = rows.map(
  ([name, weight, median, sigma]): MerchantCategory => ({ name, weight, median, sigma })
)

/** The index of a category by name; −1 for a name that is none. */
export const categoryIndex = (name: string): number =>
  merchantCategories.findIndex((category) => category.name === name)

/** Merchants of category `i` have the numbers from `i * merchantsPerCategory` on. */
export const merchantsPerCategory = 1_800

export const transactionTypes = ["purchase", "refund", "withdrawal", "transfer"] as const

/** Per cent of ordinary transactions, in the order of `transactionTypes` (R2.3). */
export const transactionTypeWeights: ReadonlyArray<number> = [85, 5, 8, 2]

export const channels = ["pos", "online", "atm", "mobile"] as const
