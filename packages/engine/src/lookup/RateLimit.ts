/**
 * How many calls a second may begin: what the policy declares, and what the other side was found to take.
 *
 * A token bucket as a value; the asker holds one. An other side that refuses calls with a time to come back (429 with
 * Retry-After) limits calls a second: then as many are made as it answered in the last second, and from there a little
 * more for every second that goes well, faster when many do.
 */
import type { AskPolicy } from "./LookupPolicy.ts"

/** What a restart needs. */
export interface RateRecord {
  /** Null where any number may begin. */
  readonly tokens: number | null
  readonly atMs: number | null
  /** Calls a second that were found; null before there was a refusal. */
  readonly found: number | null
}

export interface RateLimit {
  /** When the next call may begin; not after `nowMs` when it may now. */
  readonly nextAtMs: (nowMs: number) => number
  /** A call begins. */
  readonly take: (nowMs: number) => void
  readonly answered: (nowMs: number) => void
  /** A call was refused with a time to come back. */
  readonly refused: (nowMs: number) => void
  readonly record: () => RateRecord
  readonly restore: (record: RateRecord, nowMs: number) => void
}

const slotMs = 100
const slots = 10
/** Refusals of one moment tell one thing. */
const refusalsApartMs = 500
const afterRefusal = 0.98
const growthLeast = 0.005
const growthMost = 0.2
/** Seconds that go well before it grows faster. */
const patienceSeconds = 10
/** A found rate lets through in one moment what comes together in so long. */
const burstSeconds = 0.02

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Answers of the last second. */
const makeMeter = () => {
  const counts = new Float64Array(slots)
  let slot = Number.NaN
  let firstSlot = Number.NaN
  const move = (nowMs: number) => {
    const now = Math.floor(nowMs / slotMs)
    if (Number.isNaN(slot)) firstSlot = now
    const from = Number.isNaN(slot) ? now : Math.max(slot + 1, now - slots + 1)
    for (let each = from; each <= now; each++) counts[each % slots] = 0
    slot = Math.max(now, Number.isNaN(slot) ? now : slot)
  }
  return {
    add: (nowMs: number) => {
      move(nowMs)
      counts[slot % slots]!++
    },
    /** Undefined until there were answers for a second. */
    perSecond: (nowMs: number): number | undefined => {
      move(nowMs)
      if (slot - firstSlot < slots) return undefined
      return counts.reduce((sum, count) => sum + count, 0)
    }
  }
}

export const makeRateLimit = (policy: AskPolicy["rate"]): RateLimit => {
  const declared = policy ?? { burst: Number.POSITIVE_INFINITY, callsPerSecond: Number.POSITIVE_INFINITY }
  const meter = makeMeter()
  let found = Number.POSITIVE_INFINITY
  let changedAtMs = 0
  let growth = growthLeast
  let wellSeconds = 0
  let used = false
  let tokens = declared.burst
  let atMs = Number.NaN
  const free = () => policy === undefined && found === Number.POSITIVE_INFINITY
  const perSecond = () => Math.min(declared.callsPerSecond, found)
  const burst = () => Math.min(declared.burst, Math.max(1, found * burstSeconds))
  const refill = (nowMs: number) => {
    if (nowMs > atMs) tokens = Math.min(burst(), tokens + ((nowMs - atMs) * perSecond()) / 1000)
    atMs = nowMs
  }
  return {
    nextAtMs: (nowMs) => {
      if (free()) return nowMs
      refill(nowMs)
      // a thousandth less than one is one: sums of fractions
      if (tokens > 0.999) return nowMs
      used = true
      return nowMs + Math.max(1, ((1 - tokens) * 1000) / perSecond())
    },
    take: (nowMs) => {
      if (free()) return
      refill(nowMs)
      tokens--
    },
    answered: (nowMs) => {
      meter.add(nowMs)
      if (found === Number.POSITIVE_INFINITY || nowMs - changedAtMs < 1000) return
      if (used) {
        found *= 1 + growth
        if (++wellSeconds >= patienceSeconds) growth = Math.min(growthMost, growth * 2)
      }
      changedAtMs = nowMs
      used = false
    },
    refused: (nowMs) => {
      const measured = meter.perSecond(nowMs)
      if (measured === undefined || nowMs - changedAtMs < refusalsApartMs) return
      refill(nowMs)
      found = Math.max(1, Math.min(found, measured) * afterRefusal)
      tokens = Math.min(tokens, burst())
      changedAtMs = nowMs
      growth = growthLeast
      wellSeconds = 0
    },
    record: () => ({ tokens: finite(tokens), atMs: finite(atMs), found: finite(found) }),
    restore: (record, nowMs) => {
      found = record.found ?? Number.POSITIVE_INFINITY
      tokens = Math.min(burst(), record.tokens ?? declared.burst)
      atMs = Math.min(record.atMs ?? nowMs, nowMs)
      changedAtMs = nowMs
    }
  }
}
