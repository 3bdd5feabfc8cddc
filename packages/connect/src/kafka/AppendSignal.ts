/**
 * Wakes those who wait for a commit: at once for this process's own, by looking at the ends of topics for those of others.
 *
 * One loop looks for all who wait, and only while somebody does.
 */
import type { LogError } from "@frazil/engine"
import { Effect, Latch, type Scope } from "effect"

export interface AppendSignal {
  /** Something of this process became visible. */
  readonly committed: () => void
  readonly awaitAppend: (timeoutMs: number) => Effect.Effect<void>
}

/** `ends`: something that differs whenever others have committed. */
export const makeAppendSignal = Effect.fnUntraced(function* (
  ends: Effect.Effect<string, LogError>,
  pollMs: number
): Effect.fn.Return<AppendSignal, never, Scope.Scope> {
  const waiting = new Set<() => void>()
  const somebodyWaits = yield* Latch.make(false)
  const wakeAll = () => {
    for (const wake of [...waiting]) wake()
  }
  const next = Effect.callback<void>((resume) => {
    const wake = () => {
      waiting.delete(wake)
      resume(Effect.void)
    }
    waiting.add(wake)
    somebodyWaits.openUnsafe()
    return Effect.sync(() => waiting.delete(wake))
  })
  let before: string | undefined
  const look = Effect.gen(function* () {
    yield* somebodyWaits.await
    // a log that cannot be asked wakes those who wait, whose next read then says why
    const now = yield* Effect.orElseSucceed(ends, () => undefined)
    if (now === undefined || now !== before) wakeAll()
    before = now
    if (waiting.size === 0) somebodyWaits.closeUnsafe()
    yield* Effect.sleep(pollMs)
  })
  yield* Effect.forkScoped(Effect.forever(look))
  return {
    committed: wakeAll,
    awaitAppend: (timeoutMs) => Effect.raceFirst(next, Effect.sleep(timeoutMs))
  }
})
