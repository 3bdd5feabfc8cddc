/**
 * How the mock credit bureau behaves: as data, so that options set it at the start and tests change it while it runs.
 */
import { Schema } from "effect"

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const DelayMs = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))
const Bound = Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })))

/**
 * What a successful call answers. `score`: as the contract says. `html`: a page with status 200. `text`: the score as a
 * text. `huge`: 10 MB of JSON. `garbled`: half a JSON object. `refused`: 403.
 */
const Answer = Schema.Literals(["score", "html", "text", "huge", "garbled", "refused"])

export const BehaviourSchema = Schema.Struct({
  /** Uniform between both. */
  delayMsMin: DelayMs,
  delayMsMax: DelayMs,
  /** Calls a second; more get 429 with Retry-After. */
  limitPerSecond: Bound,
  /** Calls at a time; more get 503. */
  concurrency: Bound,
  /** Part of the calls that get 500. */
  failRate: Share,
  /** Part of the calls that get no answer until their caller gives up. */
  hangRate: Share,
  answer: Answer
})

export type Behaviour = typeof BehaviourSchema.Type

export const behaviourDefault: Behaviour = {
  delayMsMin: 200,
  delayMsMax: 1_500,
  limitPerSecond: null,
  concurrency: null,
  failRate: 0,
  hangRate: 0,
  answer: "score"
}
