/**
 * How many calls at once the other side takes, found by trying: it does not tell.
 *
 * The asker tells it of every call that ended. It grows while all that it allows is used: by one for each answer until
 * the other side is first overloaded, later by one a round (as many calls as the limit), and faster again when several
 * rounds went well. A refused call sets it to what is in flight without it, which is what the other side just took. It
 * does not grow while answers take twice as long as they did: then they queue over there.
 */
import type { AskPolicy } from "./LookupPolicy.ts"

/** What a restart needs. */
export interface ConcurrencyRecord {
  readonly limit: number
  readonly growing: boolean
}

export interface ConcurrencyLimit {
  /** Calls that may be in flight. */
  readonly limit: () => number
  /** More could have been asked, had the limit allowed it. */
  readonly held: () => void
  readonly answered: (latencyMs: number) => void
  /** The other side refused a call; `inFlight` are the others. */
  readonly refused: (inFlight: number) => void
  /** A call that began then took too long. */
  readonly timedOut: (startedAtMs: number, nowMs: number) => void
  readonly record: () => ConcurrencyRecord
  readonly restore: (record: ConcurrencyRecord) => void
}

/** Rounds without growth after a refusal. */
const pauseRounds = 8
/** Answers that take so many times as long as the quickest round's mean wait in a queue. */
const queueing = 2
/** What the quickest round's mean forgets a round, so that a slower other side becomes the measure in time. */
const forgetting = 0.001
/** What a timeout leaves of the limit. */
const afterTimeout = 0.7

export const makeConcurrencyLimit = ({ initial, max, min }: AskPolicy["concurrency"]): ConcurrencyLimit => {
  let limit = initial
  let growing = true
  let used = false
  // of the present round
  let answers = 0
  let latencySumMs = 0
  let roundsLeft = 0
  let step = 1
  let quickestMs = Number.POSITIVE_INFINITY
  let queued = false
  let shrunkAtMs = Number.NEGATIVE_INFINITY
  const clamp = (value: number) => Math.max(min, Math.min(max, value))
  const endRound = () => {
    const meanMs = latencySumMs / answers
    quickestMs = Math.min(quickestMs + (meanMs - quickestMs) * forgetting, meanMs)
    if (Number.isNaN(quickestMs)) quickestMs = meanMs
    queued = meanMs > queueing * quickestMs
    if (!growing && used && !queued) {
      if (roundsLeft > 0) roundsLeft--
      else {
        limit = clamp(limit + step)
        step = Math.min(step * 2, limit)
      }
    }
    answers = 0
    latencySumMs = 0
    used = false
  }
  const shrink = (to: number) => {
    limit = clamp(Math.floor(to))
    growing = false
    roundsLeft = pauseRounds
    step = 1
  }
  return {
    limit: () => limit,
    held: () => {
      used = true
    },
    answered: (latencyMs) => {
      answers++
      latencySumMs += latencyMs
      if (growing && used && !queued) limit = clamp(limit + 1)
      if (answers >= limit) endRound()
    },
    refused: (inFlight) => shrink(Math.min(limit - 1, inFlight)),
    timedOut: (startedAtMs, nowMs) => {
      // calls of one round tell one thing
      if (startedAtMs <= shrunkAtMs) return
      shrunkAtMs = nowMs
      shrink(limit * afterTimeout)
    },
    record: () => ({ limit, growing }),
    restore: (record) => {
      limit = clamp(record.limit)
      growing = record.growing
    }
  }
}
