/** A token bucket as a value: how many calls a second may begin. The asker holds one where the policy declares a rate. */
import type { AskPolicy } from "./LookupPolicy.ts"

/** What a restart needs. */
export interface RateRecord {
  readonly tokens: number
  readonly atMs: number
}

export interface RateLimit {
  /** When the next call may begin; not after `nowMs` when it may now. */
  readonly nextAtMs: (nowMs: number) => number
  /** A call begins. */
  readonly take: (nowMs: number) => void
  readonly record: () => RateRecord
  readonly restore: (record: RateRecord, nowMs: number) => void
}

export const makeRateLimit = (policy: AskPolicy["rate"]): RateLimit => {
  const { burst, callsPerSecond } = policy ?? { burst: 1, callsPerSecond: Number.POSITIVE_INFINITY }
  let tokens = burst
  let atMs = Number.NaN
  const refill = (nowMs: number) => {
    if (nowMs > atMs) tokens = Math.min(burst, tokens + ((nowMs - atMs) * callsPerSecond) / 1000)
    atMs = nowMs
  }
  return {
    nextAtMs: (nowMs) => {
      if (policy === undefined) return nowMs
      refill(nowMs)
      // a thousandth less than one is one: sums of fractions
      return tokens > 0.999 ? nowMs : nowMs + Math.max(1, ((1 - tokens) * 1000) / callsPerSecond)
    },
    take: (nowMs) => {
      if (policy === undefined) return
      refill(nowMs)
      tokens--
    },
    record: () => ({ tokens, atMs }),
    restore: (record, nowMs) => {
      tokens = Math.min(burst, record.tokens)
      atMs = Math.min(record.atMs, nowMs)
    }
  }
}
