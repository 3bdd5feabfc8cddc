/**
 * Wakes those who wait for a commit: at once for this process's own, by looking at the ends of topics for those of others.
 */
import type { LogError } from "@frazil/engine"
import { Effect } from "effect"

export interface AppendSignal {
  /** Something of this process became visible. */
  readonly committed: () => void
  readonly awaitAppend: (timeoutMs: number) => Effect.Effect<void>
}

/** A wait ends by then: what was committed while the ends were asked for the first time is not missed for longer. */
const waitMsMax = 1_000

/** `ends`: something that differs whenever others have committed. */
export const makeAppendSignal = (ends: Effect.Effect<string, LogError>, pollMs: number): AppendSignal => {
  const waiting = new Set<() => void>()
  const ownCommit = Effect.callback<void>((resume) => {
    const wake = () => {
      waiting.delete(wake)
      resume(Effect.void)
    }
    waiting.add(wake)
    return Effect.sync(() => waiting.delete(wake))
  })
  const foreignCommit = Effect.fnUntraced(function* (timeoutMs: number) {
    // not worth asking: who waits as briefly looks by itself
    if (timeoutMs <= pollMs) return yield* Effect.sleep(timeoutMs)
    const before = yield* ends
    for (let left = Math.min(waitMsMax, timeoutMs); left > 0; left -= pollMs) {
      yield* Effect.sleep(Math.min(pollMs, left))
      if ((yield* ends) !== before) return
    }
  })
  return {
    committed: () => {
      for (const wake of [...waiting]) wake()
    },
    // a log that cannot be asked wakes the waiter, whose next read then says why
    awaitAppend: (timeoutMs) => Effect.ignore(Effect.raceFirst(ownCommit, foreignCommit(timeoutMs)))
  }
}
