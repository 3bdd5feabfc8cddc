/**
 * A token bucket on a monotonic clock: paces a generator at a rate that may change while it runs.
 *
 * RunGenerator takes from it; RateFile and RateApi, or an app, set its rate. **Guarantees**: between two
 * changes of the rate, and as long as the taker keeps up, exactly ⌊rate × seconds⌋ tokens are granted: nothing drifts,
 * however uneven the calls are. **Bounds**: a taker that stays away finds at most one second's worth; what did not fit
 * is counted.
 */
import { Clock, Effect, Schema } from "effect"

/** Events per second. R2.3 asks for up to 1,000; load tests go further. */
export const rateDefault = 10
export const rateMax = 100_000

/** The rate was not taken: it is not a number from 0 to `rateMax`. Keep the old one and tell whoever asked. */
export class RateRefused extends Schema.TaggedError<RateRefused>()("RateRefused", { message: Schema.String }) {}

export interface TokenBucket {
  /** Tokens per second now. */
  readonly rate: Effect.Effect<number>
  /** Takes effect at once; 0 pauses. Tokens granted before stay. */
  readonly setRate: (perSecond: number) => Effect.Effect<void, RateRefused>
  /** Waits for the first whole token, then takes all there are, at most `max` (1 or more). */
  readonly take: (max: number) => Effect.Effect<number>
  /** Tokens lost so far because nobody took them in time. */
  readonly forfeited: Effect.Effect<number>
}

/** Checks a rate that somebody typed. */
const checkRate = (perSecond: number): Effect.Effect<number, RateRefused> =>
  Number.isFinite(perSecond) && perSecond >= 0 && perSecond <= rateMax
    ? Effect.succeed(perSecond)
    : Effect.fail(new RateRefused({ message: `the rate must be a number of events per second from 0 to ${rateMax}` }))

/** At high rates tokens are taken in groups: a timer for each would cost more than the event. */
const pauseMsMin = 20
/** A sleeping taker looks again after this time, so that a raised rate shows soon. */
const pauseMsMax = 250
const nanosPerSecond = 1e9
const nanosPerMs = 1e6

/** Makes a bucket, empty: the first token comes after 1/rate seconds. */
export const makeTokenBucket = Effect.fnUntraced(function* (
  ratePerSecond: number
): Effect.fn.Return<TokenBucket, RateRefused> {
  let rate = yield* checkRate(ratePerSecond)
  let anchor = yield* Clock.monotonicTimeNanos
  // tokens at the anchor, with fraction; what accrued since is computed from the time, never summed up
  let level = 0
  let taken = 0
  let forfeited = 0

  const anchorAt = (now: bigint, tokens: number): void => {
    anchor = now
    level = tokens
    taken = 0
  }
  const accrued = (now: bigint): number => {
    const tokens = level + (Number(now - anchor) * rate) / nanosPerSecond - taken
    // tokens from before a lower rate stay, so the level counts too
    const capacity = Math.max(1, rate, level)
    if (tokens <= capacity) return tokens
    forfeited += tokens - capacity
    anchorAt(now, capacity)
    return capacity
  }
  const pauseMs = (now: bigint): number => {
    if (rate === 0) return pauseMsMax
    const missing = taken + 1 - level
    const waitMs = Math.ceil(((missing * nanosPerSecond) / rate - Number(now - anchor)) / nanosPerMs)
    return Math.min(pauseMsMax, Math.max(pauseMsMin, waitMs))
  }
  return {
    rate: Effect.sync(() => rate),
    setRate: (perSecond) =>
      Effect.flatMap(checkRate(perSecond), (checked) =>
        Effect.map(Clock.monotonicTimeNanos, (now) => {
          anchorAt(now, accrued(now))
          rate = checked
        })
      ),
    take: Effect.fnUntraced(function* (max) {
      while (true) {
        const now = yield* Clock.monotonicTimeNanos
        const tokens = Math.floor(accrued(now))
        if (tokens >= 1) {
          const granted = Math.min(tokens, max)
          taken += granted
          return granted
        }
        yield* Effect.sleep(pauseMs(now))
      }
    }),
    forfeited: Effect.map(Clock.monotonicTimeNanos, (now) => {
      accrued(now)
      return Math.floor(forfeited)
    })
  }
})
