// An other side in virtual time, and an asker that is never short of questions: for what the asker finds out about it.
// Plain events, no effects: an hour of it takes moments.
import { Asker, type CallEnd } from "../../src/lookup/Asker.ts"
import type { InFlight } from "../../src/lookup/InFlight.ts"
import type { LookupFailure } from "../../src/lookup/Lookup.ts"
import { askPolicy, type LookupPolicy } from "../../src/lookup/LookupPolicy.ts"
import { type Chance, makeChance } from "./Chance.ts"

const busy = (retryAfterMs?: number): LookupFailure => ({ _tag: "Busy", message: "busy", retryAfterMs })

/** What the other side does with a call that arrives. */
export interface OtherSide {
  readonly call: (
    nowMs: number,
    at: (timeMs: number, act: () => void) => void,
    end: (failure?: LookupFailure) => void
  ) => void
  /** What it could have done until now, had it never been short of calls: calls answered. */
  readonly couldMs: (fromMs: number, toMs: number) => number
}

const latencyOf = (chance: Chance) => 150 + chance.below(100)
const meanMs = 199.5

/** Takes so many calls at once (by time) and refuses the others, quickly. */
export const refusing = (allowance: (nowMs: number) => number, seed: number): OtherSide => {
  const chance = makeChance(seed)
  let inside = 0
  return {
    call: (nowMs, at, end) => {
      if (inside >= allowance(nowMs)) return at(nowMs + 2 + chance.below(5), () => end(busy()))
      inside++
      at(nowMs + latencyOf(chance), () => {
        inside--
        end()
      })
    },
    couldMs: (fromMs, toMs) => {
      let sum = 0
      for (let atMs = fromMs; atMs < toMs; atMs += 100) sum += (allowance(atMs) * 100) / meanMs
      return sum
    }
  }
}

/** Works on so many calls at once and lets the others wait. */
export const queueing = (workers: number, seed: number): OtherSide => {
  const chance = makeChance(seed)
  const free = Array.from({ length: workers }, () => 0)
  return {
    call: (nowMs, at, end) => {
      const first = free.indexOf(Math.min(...free))
      free[first] = Math.max(nowMs, free[first]!) + latencyOf(chance)
      at(free[first], () => end())
    },
    couldMs: (fromMs, toMs) => ((toMs - fromMs) * workers) / meanMs
  }
}

/** Takes so many calls a second, and asks those beyond to come back in a second. */
export const limited = (callsPerSecond: number, burst: number, seed: number): OtherSide => {
  const chance = makeChance(seed)
  let tokens = burst
  let atMs = 0
  return {
    call: (nowMs, at, end) => {
      tokens = Math.min(burst, tokens + ((nowMs - atMs) * callsPerSecond) / 1000)
      atMs = nowMs
      if (tokens < 1) return at(nowMs + 2 + chance.below(5), () => end(busy(1000)))
      tokens--
      at(nowMs + latencyOf(chance), () => end())
    },
    couldMs: (fromMs, toMs) => ((toMs - fromMs) * callsPerSecond) / 1000
  }
}

export interface Found {
  /** Share of what the other side could have answered, in the time that was measured. */
  readonly used: number
  /** Calls for each answer. */
  readonly callsPerAnswer: number
  readonly limit: number
}

/** Asks for `untilMs` without a pause; measured from `fromMs` on. */
export const askFor = (policy: LookupPolicy, side: OtherSide, fromMs: number, untilMs: number): Found => {
  const events: Array<{ readonly atMs: number; readonly order: number; readonly act: () => void }> = []
  let nowMs = 0
  let order = 0
  let wakeAtMs = Number.POSITIVE_INFINITY
  const at = (atMs: number, act: () => void) => {
    const event = { atMs, order: order++, act }
    let index = events.length
    while (index > 0 && events[index - 1]!.atMs <= atMs) index--
    events.splice(index, 0, event) // the next one is last
  }
  const chance = makeChance(99)
  const planned = askPolicy(policy)
  let answered = 0
  let calls = 0
  const asker: Asker = new Asker({
    name: "virtual",
    policy: planned,
    declaration: {
      answer: undefined as never, // for declarations only
      failures: { Busy: "overloaded", Late: "transient" },
      timeout: (message) => ({ _tag: "Late", message }),
      unavailable: (message) => ({ _tag: "Late", message })
    },
    nowMs: () => nowMs,
    chance: () => chance.below(1_000_000) / 1_000_000,
    start: (_, ended: (end: CallEnd) => void) => {
      if (nowMs >= fromMs) calls++
      side.call(nowMs, at, (failure) =>
        ended(failure === undefined ? { _tag: "Answer", answer: {} } : { _tag: "Failed", failure })
      )
      return () => {}
    },
    notify: () => {},
    wakeAt: (timeMs) => {
      if (timeMs >= wakeAtMs) return
      wakeAtMs = timeMs
      at(Math.max(nowMs, timeMs), () => {
        wakeAtMs = Number.POSITIVE_INFINITY
        asker.wake()
      })
    }
  })
  let id = 0
  const settled = (entry: InFlight): boolean => {
    if (entry.outcome?._tag === "Answered" && nowMs >= fromMs) answered++
    left.push(entry)
    return true
  }
  const left: Array<InFlight> = []
  const fill = () => {
    for (let out = left.pop(); out !== undefined; out = left.pop()) asker.left()
    while (asker.room() > 0) asker.take(entryOf(id++, nowMs, settled))
    asker.pump()
  }
  fill()
  while (nowMs < untilMs) {
    const next = events.pop()
    if (next === undefined) break
    nowMs = next.atMs
    next.act()
    fill()
  }
  return {
    used: answered / side.couldMs(fromMs, untilMs),
    callsPerAnswer: calls / Math.max(1, answered),
    limit: asker.status().concurrency
  }
}

const entryOf = (id: number, enteredAtMs: number, settled: (entry: InFlight) => boolean): InFlight => ({
  id,
  offset: id,
  port: 0,
  bytes: new Uint8Array(),
  read: {},
  wide: false,
  eventTime: Number.NaN,
  watermark: Number.NEGATIVE_INFINITY,
  record: {},
  key: id,
  enteredAtMs,
  settled,
  outcome: undefined
})
