/**
 * Wakes those who wait for a commit: at once for this process's own, by looking for those of other processes.
 *
 * `LogFile` tells it of commits; `awaitAppend` waits on it. SQLite counts other connections' commits in
 * `PRAGMA data_version`, which costs microseconds to read.
 */
import { Effect } from "effect"
import type { Database } from "./Database.ts"

export interface CommitSignal {
  /** This connection has committed. */
  readonly committed: () => void
  /** Ends after the next commit of anybody, or after `timeoutMs`. */
  readonly awaitCommit: (timeoutMs: number) => Effect.Effect<void>
}

export const makeCommitSignal = (db: Database, pollMs: number): CommitSignal => {
  const waiting = new Set<() => void>()
  // a file that cannot be read any more wakes the waiter, whose next read then says why
  const version = (): number => {
    try {
      return db.first<{ readonly data_version: number }>("pragma data_version")?.data_version ?? 0
    } catch {
      return -1
    }
  }
  const ownCommit = Effect.callback<void>((resume) => {
    const wake = () => {
      waiting.delete(wake)
      resume(Effect.void)
    }
    waiting.add(wake)
    return Effect.sync(() => waiting.delete(wake))
  })
  const foreignCommit = Effect.fnUntraced(function* (timeoutMs: number) {
    const before = version()
    for (let left = timeoutMs; left > 0; left -= pollMs) {
      yield* Effect.sleep(Math.min(pollMs, left))
      if (version() !== before) return
    }
  })
  return {
    committed: () => {
      for (const wake of [...waiting]) wake()
    },
    awaitCommit: (timeoutMs) => Effect.raceFirst(ownCommit, foreignCommit(timeoutMs))
  }
}
