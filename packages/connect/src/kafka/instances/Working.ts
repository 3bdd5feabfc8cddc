/**
 * Which members of a group are at work: those that are still there when a session has gone by.
 *
 * A static member that ended or died keeps its place until its session is over, so that it has its work again when it comes back;
 * the coordinator lists it meanwhile as it lists those that are at work. Who wants the log for itself looks again until then.
 */
import { Clock, Effect } from "effect"

const lookAgainMs = 500
/** Coordinators end sessions a little later than they could. */
const marginMs = 2_000

/** Ends at once when nobody is there, and as soon as nobody is; else after the session's time with those that are. */
export const workingMembers = Effect.fnUntraced(function* <E>(
  members: Effect.Effect<ReadonlyArray<string>, E>,
  sessionTimeoutMs: number
) {
  const untilMs = (yield* Clock.currentTimeMillis) + sessionTimeoutMs + marginMs
  while (true) {
    const there = yield* members
    if (there.length === 0 || (yield* Clock.currentTimeMillis) >= untilMs) return there
    yield* Effect.sleep(lookAgainMs)
  }
})
