/**
 * A circuit breaker as a value: closed, open, half-open; told what became of calls, asked whether one may be made.
 *
 * The asker holds one for each lookup. Its state is small plain data, since it is part of every epoch (protocol, rule 11),
 * and asking it costs no effect: that is why it is not Effect's, which keeps its circuits in a store of its own.
 */
import type { AskPolicy } from "./LookupPolicy.ts"

export type BreakerState = "closed" | "open" | "half-open"

/** What a restart needs. */
export interface BreakerRecord {
  readonly state: BreakerState
  readonly failures: number
  /** Open until then, epoch milliseconds. */
  readonly untilMs: number
}

export interface Breaker {
  readonly state: () => BreakerState
  /** Whether a call may be made now; opens half when its time has come. */
  readonly allows: (nowMs: number) => boolean
  /** A call begins; what it is given back belongs to its end. */
  readonly began: () => number
  /** A call ended. `ignored`: it tells nothing of the other side. */
  readonly ended: (call: number, outcome: "success" | "failure" | "ignored", nowMs: number) => void
  /** When an open one lets a probe through; infinite when it is not open. */
  readonly reopensAtMs: () => number
  /** Times that it opened. */
  readonly opened: () => number
  readonly record: () => BreakerRecord
  readonly restore: (record: BreakerRecord, nowMs: number) => void
}

export const makeBreaker = (policy: AskPolicy["breaker"]): Breaker => {
  const {
    failures: failuresMax,
    openForMs,
    probesMax
  } = policy ?? {
    failures: Number.POSITIVE_INFINITY,
    openForMs: 0,
    probesMax: 1
  }
  let state: BreakerState = "closed"
  let failures = 0
  let untilMs = 0
  let probes = 0
  let opened = 0
  // calls that began before the state changed tell nothing of the present one
  let era = 0
  const turn = (next: BreakerState) => {
    state = next
    era++
    failures = 0
    probes = 0
  }
  const open = (nowMs: number) => {
    turn("open")
    untilMs = nowMs + openForMs
    opened++
  }
  return {
    state: () => state,
    allows: (nowMs) => {
      if (state === "open" && nowMs >= untilMs) turn("half-open")
      return state === "closed" || (state === "half-open" && probes < probesMax)
    },
    began: () => {
      if (state === "half-open") probes++
      return era
    },
    ended: (call, outcome, nowMs) => {
      if (call !== era) return
      if (state === "half-open") {
        if (outcome === "success") turn("closed")
        else if (outcome === "failure") open(nowMs)
        else probes--
      } else if (outcome === "success") failures = 0
      else if (outcome === "failure" && ++failures >= failuresMax) open(nowMs)
    },
    reopensAtMs: () => (state === "open" ? untilMs : Number.POSITIVE_INFINITY),
    opened: () => opened,
    record: () => ({ state, failures, untilMs }),
    restore: (record, nowMs) => {
      // its probes died with the process
      turn(record.state)
      failures = record.failures
      // another machine's clock may be ahead
      untilMs = Math.min(record.untilMs, nowMs + openForMs)
    }
  }
}
