/** Payments for the velocity flow, and what a plain loop makes of them: features by customer and five minutes. */
import { dataDirectory, systemLayer } from "@frazil/platform"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { readTopic } from "./LeftBehind.ts"

export interface Payment {
  readonly customer_id: string
  readonly amount: number
  readonly merchant_id: string
  readonly timestamp: string
}

const customers = 7
const windowMs = 300_000
/** Four seconds apart; each seventh up to three and a half minutes late, which revises windows that have ended. */
export const generatedPayments = Array.from({ length: 3_000 }, (_, index): Payment => {
  const late = index % 7 === 0 ? (index * 7_919) % 210_000 : (index * 7_919) % 4_000
  return {
    customer_id: `C${(index * 31 + (index >> 3)) % customers}`,
    amount: ((index * 104_729) % 1_000_000) / 100,
    merchant_id: `M${index % 11}`,
    timestamp: new Date(Date.UTC(2025, 11, 6) + index * 4_000 - late).toISOString()
  }
})

const cents = (amount: number) => BigInt(Math.round(amount * 100))
const text = (total: bigint) => `${total / 100n}.${String(total % 100n).padStart(2, "0")}`

/** By one loop over all of them, in any order: count and sum of each customer's five minutes. */
export const expectedFeatures = (payments: ReadonlyArray<Payment>): ReadonlyArray<string> => {
  const found = new Map<string, { count: number; total: bigint }>()
  for (const { amount, customer_id, timestamp } of payments) {
    const start = Math.floor(Date.parse(timestamp) / windowMs) * windowMs
    const name = `${customer_id} ${new Date(start).toISOString()} ${new Date(start + windowMs).toISOString()}`
    const before = found.get(name) ?? { count: 0, total: 0n }
    found.set(name, { count: before.count + 1, total: before.total + cents(amount) })
  }
  return [...found].map(([name, { count, total }]) => `${name} ${count} ${text(total)}`).sort()
}

interface Feature {
  readonly customer_id: string
  readonly window_start: string
  readonly window_end: string
  readonly revision: number
  readonly transaction_count_5min: number
  readonly transaction_total_5min: number | string
}

/** In the order of each partition. */
export const featuresIn = (data: string) =>
  Effect.map(
    readTopic("fraud-features"),
    (records) => records.map(({ value }) => JSON.parse(value) as Feature) // what the pipeline wrote
  ).pipe(Effect.provide(systemLayer(dataDirectory(data))))

export const nameOf = ({ customer_id, window_end, window_start }: Feature) =>
  `${customer_id} ${window_start} ${window_end}`

/** The last revision of each window. */
export const lastOf = (features: ReadonlyArray<Feature>): ReadonlyArray<string> => {
  const last = new Map<string, Feature>()
  for (const each of features) {
    const before = last.get(nameOf(each))
    if (before === undefined || before.revision < each.revision) last.set(nameOf(each), each)
  }
  return [...last]
    .map(([name, each]) => `${name} ${each.transaction_count_5min} ${Number(each.transaction_total_5min).toFixed(2)}`)
    .sort()
}

/** A store that keeps the newest record of a customer never goes back to an older window, or to an older revision. */
export const assertForward = (features: ReadonlyArray<Feature>) => {
  const newest = new Map<string, string>()
  for (const each of features) {
    const at = `${each.window_start} ${String(each.revision).padStart(6, "0")}`
    assert.isTrue((newest.get(each.customer_id) ?? "") < at, `${each.customer_id} ${at}`)
    newest.set(each.customer_id, at)
  }
}
