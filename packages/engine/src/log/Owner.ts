/**
 * Names of owners: what a run calls itself when it takes shards of the log.
 *
 * Jobs, landings and feeds make one at their start. No two runs share one, so that of two the log can tell who fenced whom.
 */
import { Clock, Effect, Random } from "effect"

const nonceMax = 0x7fffffff

/** A new owner's name: from the clock and chance, both of which come through services and replay from their seed. */
export const newOwner: Effect.Effect<string> = Effect.gen(function* () {
  const nowMs = yield* Clock.currentTimeMillis
  const nonce = yield* Random.nextIntBetween(0, nonceMax)
  return `${nowMs.toString(36)}-${nonce.toString(36)}`
})
