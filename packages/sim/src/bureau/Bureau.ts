/**
 * What the mock bureau answers to each call, and after how long: its limits, its moods, its scores. No I/O, no clock.
 *
 * `BureauServer` calls it. **Guarantees**: the same seed, calls and times give the same answers.
 */
import { Result, Schema } from "effect"
import { makeRandom } from "../generate/Random.ts"
import type { Behaviour } from "./Behaviour.ts"
import { scoreOf } from "./Score.ts"

export interface BureauAnswer {
  readonly status: number
  readonly contentType: "application/json" | "text/html"
  readonly body: string
  readonly retryAfterSeconds?: number
}

/** What becomes of a call. */
export type Verdict =
  | { readonly _tag: "Answer"; readonly delayMs: number; readonly answer: BureauAnswer }
  /** Never answered. */
  | { readonly _tag: "Hang" }

export interface BureauCounts {
  /** Calls that came. */
  readonly calls: number
  readonly scored: number
  /** Refused for coming too often. */
  readonly limited: number
  /** Refused for being too many at a time. */
  readonly busy: number
  readonly failed: number
  readonly hung: number
  readonly inFlight: number
  /** The most calls at a time so far, refused ones not counted. */
  readonly inFlightMax: number
}

export interface Bureau {
  readonly behaviour: () => Behaviour
  readonly behave: (behaviour: Behaviour) => void
  /** A call with this body at this time. Whoever was not refused is in flight until `leave`. */
  readonly call: (body: string, nowMs: number) => Verdict
  /** A call in flight was answered, or its caller went away. */
  readonly leave: () => void
  readonly counts: () => BureauCounts
}

const Request = Schema.fromJsonString(Schema.Struct({ ssn: Schema.String.check(Schema.isPattern(/^[0-9]{9}$/)) }))
const readRequest = Schema.decodeUnknownResult(Request)

/** Seconds, as Retry-After counts them. */
const retryAfterSeconds = 1
const hugeBytes = 10 * 1024 * 1024

const json = (status: number, body: unknown): BureauAnswer => ({
  status,
  contentType: "application/json",
  body: JSON.stringify(body)
})

const answerOf = (behaviour: Behaviour, ssn: string, score: number): BureauAnswer => {
  switch (behaviour.answer) {
    case "score":
      return { status: 200, contentType: "application/json", body: `{"ssn":"${ssn}","score":${score}}` }
    case "html":
      return { status: 200, contentType: "text/html", body: "<html><body>Under maintenance</body></html>" }
    case "text":
      return json(200, { ssn, score: String(score) })
    case "huge":
      return json(200, { ssn, score, padding: "x".repeat(hugeBytes) })
    case "garbled":
      return { status: 200, contentType: "application/json", body: `{"ssn":"${ssn}","sco` }
    case "refused":
      return json(403, { error: "this applicant may not be asked about" })
  }
}

/** Tokens of a rate limit: at most a second's worth. */
const makeLimit = () => {
  let level: number | undefined
  let lastMs = 0
  return (perSecond: number | null, nowMs: number): boolean => {
    if (perSecond === null) {
      level = undefined
      return true
    }
    level = Math.min(perSecond, (level ?? perSecond) + ((nowMs - lastMs) * perSecond) / 1_000)
    lastMs = nowMs
    if (level < 1) return false
    level -= 1
    return true
  }
}

export const makeBureau = (seed: number, initial: Behaviour): Bureau => {
  const random = makeRandom(seed)
  const share = () => random.bits() / 4_294_967_296
  const withinLimit = makeLimit()
  let behaviour = initial
  const counts = { calls: 0, scored: 0, limited: 0, busy: 0, failed: 0, hung: 0, inFlight: 0, inFlightMax: 0 }
  const refuse = (answer: BureauAnswer): Verdict => {
    // whoever is refused does not stay: the server's `leave` finds it counted
    counts.inFlight++
    return { _tag: "Answer", delayMs: 0, answer }
  }
  return {
    behaviour: () => behaviour,
    behave: (next) => {
      behaviour = next
    },
    call: (body, nowMs) => {
      counts.calls++
      const request = readRequest(body)
      if (Result.isFailure(request)) return refuse(json(400, { error: `send {"ssn": "…"} with nine digits` }))
      if (!withinLimit(behaviour.limitPerSecond, nowMs)) {
        counts.limited++
        return refuse({ ...json(429, { error: "too many calls" }), retryAfterSeconds })
      }
      if (behaviour.concurrency !== null && counts.inFlight >= behaviour.concurrency) {
        counts.busy++
        return refuse(json(503, { error: "too many calls at a time" }))
      }
      counts.inFlight++
      counts.inFlightMax = Math.max(counts.inFlightMax, counts.inFlight)
      const delayMs = behaviour.delayMsMin + share() * (behaviour.delayMsMax - behaviour.delayMsMin)
      const mood = share()
      if (mood < behaviour.hangRate) {
        counts.hung++
        return { _tag: "Hang" }
      }
      if (mood < behaviour.hangRate + behaviour.failRate) {
        counts.failed++
        return { _tag: "Answer", delayMs, answer: json(500, { error: "the bureau failed" }) }
      }
      counts.scored++
      const { ssn } = request.success
      return { _tag: "Answer", delayMs, answer: answerOf(behaviour, ssn, scoreOf(seed, ssn)) }
    },
    leave: () => void counts.inFlight--,
    counts: () => ({ ...counts })
  }
}
