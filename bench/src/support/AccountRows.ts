/** Rows of W6's table, by the rule of the peers' `accounts.py`: a million accounts with their home country and risk. */

export const accountsCount = 1_000_000

/** Of a thousand, how many live where. */
const weights = [
  ["US", 800],
  ["GB", 40],
  ["DE", 30],
  ["FR", 25],
  ["JP", 20],
  ["CA", 25],
  ["MX", 20],
  ["BR", 15],
  ["IN", 15],
  ["NG", 10]
] as const
const countries = weights.flatMap(([country, weight]) => Array.from({ length: weight }, () => country))

const mask = (1n << 64n) - 1n
const step = 0x9e3779b97f4a7c15n

/** splitmix64: the high 32 bits as one of a thousand. */
const thousandth = (state: bigint): number => {
  let z = state
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  return Number((((z ^ (z >> 31n)) >> 32n) * 1000n) >> 32n)
}

/** The row of the account of that number, below `accountsCount`. */
export const accountRow = (id: number) => {
  const first = ((0xacc00000n ^ BigInt(id)) + step) & mask
  return {
    account_id: `ACC${String(id).padStart(7, "0")}`,
    home_country: countries[thousandth(first)]!,
    risk: thousandth((first + step) & mask)
  }
}
