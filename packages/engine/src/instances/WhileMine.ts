/**
 * Runs a work whenever it is this instance's: landings, sinks, whatever has one owner and commits by itself.
 *
 * Apps wrap such works in it. One that is taken away is interrupted, which is always safe: what it had not committed the next
 * owner does again. One that was fenced starts over only if it is still this instance's (protocol, rule 8).
 */
import { Clock, Effect, Option, Result } from "effect"
import type { LogError } from "../log/LogError.ts"
import { Instances } from "./Instances.ts"

/** Fenced so often in a row without having run for a while: somebody outside the group does the same work. */
const fencedInRowMax = 10
const ranLongMs = 60_000

const isFenced = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "reason" in error && error.reason === "Fenced"

/** Ends when `body` ends by itself; fails as it does. */
export const whileMine = Effect.fnUntraced(function* <A, E, R>(
  work: string,
  body: Effect.Effect<A, E, R>
): Effect.fn.Return<A, E | LogError, R> {
  const instances = yield* Instances
  if (!instances.shared) return yield* body
  yield* instances.offer([work])
  let fencedInRow = 0
  while (true) {
    const { generation, has } = instances.share()
    if (!has(work)) {
      fencedInRow = 0
      yield* instances.changed(generation)
      continue
    }
    const startedAtMs = yield* Clock.currentTimeMillis
    const taken = Effect.as(takenAway(work, generation), Option.none<A>())
    const outcome = yield* Effect.result(Effect.raceFirst(Effect.asSome(body), taken))
    if (Result.isSuccess(outcome)) {
      if (Option.isSome(outcome.success)) return outcome.success.value
      continue
    }
    if (!isFenced(outcome.failure)) return yield* Effect.fail(outcome.failure)
    const ranLong = (yield* Clock.currentTimeMillis) - startedAtMs > ranLongMs
    fencedInRow = ranLong ? 1 : fencedInRow + 1
    if (fencedInRow > fencedInRowMax) return yield* Effect.fail(outcome.failure)
    yield* instances.confirmed
  }
})

const takenAway = Effect.fnUntraced(function* (work: string, generation: number) {
  const instances = yield* Instances
  for (let known = generation; instances.share().has(work); known = instances.share().generation) {
    yield* instances.changed(known)
  }
})
