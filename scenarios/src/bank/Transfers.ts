/** Transfers between accounts of a bank: made from their number alone, out of order, and what they must come to. */

export interface Transfer {
  readonly id: number
  readonly from: number
  readonly to: number
  readonly cents: number
  /** Epoch milliseconds. */
  readonly at: number
}

export const accounts = 1_000
/** How far behind the newest a transfer may come. */
export const disorderMs = 30_000
export const windowMs = 60_000
const startMs = Date.UTC(2026, 0, 14)
const everyMs = 6

/** A number's bits, mixed (murmur3's finaliser). */
const mix = (value: number): number => {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

export const transferOf = (id: number): Transfer => {
  const bits = mix(id + 1)
  const from = bits % accounts
  const to = (from + 1 + (mix(bits) % (accounts - 1))) % accounts
  const late = mix(bits ^ 0x5bd1e995) % disorderMs
  return { id, from, to, cents: 1 + (mix(bits + 7) % 100_000), at: startMs + id * everyMs + disorderMs - late }
}

export const accountName = (account: number): string => `A${String(account).padStart(4, "0")}`

/** The balance of each account after `count` transfers. */
export const balancesAfter = (count: number): Float64Array => {
  const balances = new Float64Array(accounts)
  for (let id = 0; id < count; id++) {
    const { cents, from, to } = transferOf(id)
    balances[from]! -= cents
    balances[to]! += cents
  }
  return balances
}

/** How many windows transfers fall into. */
export const windowsOf = (count: number): number => {
  const windows = new Set<number>()
  for (let id = 0; id < count; id++) windows.add(Math.floor(transferOf(id).at / windowMs))
  return windows.size
}
