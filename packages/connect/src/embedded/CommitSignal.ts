/**
 * Wakes those who wait for records: at once after commits of this connection and, as `CommitChannel` tells of them, of others
 * of this program in whatever thread; by looking for those of other processes.
 *
 * `LogFile` tells it of commits and which topics they appended to; `awaitAppend` waits on it. SQLite counts other
 * connections' commits in `PRAGMA data_version`, which costs microseconds to read but does not say what they were: they
 * wake everybody. One loop looks for all who wait, and only while somebody does.
 */
import { Effect, Latch, type Scope } from "effect"
import { openCommitChannel } from "./CommitChannel.ts"
import { type Database, dataVersion } from "./Database.ts"

/** Topics that something is about; undefined: any. */
export type Topics = ReadonlyArray<string> | undefined

export interface CommitSignal {
  /** This connection has committed, and appended to these topics. */
  readonly committed: (topics: Topics) => void
  /** Ends after the next commit of anybody that may have appended to one of the topics, or after `timeoutMs`. */
  readonly awaitCommit: (timeoutMs: number, topics?: Topics) => Effect.Effect<void>
}

interface Waiter {
  readonly topics: Topics
  readonly wake: () => void
}

const concerns = ({ topics }: Waiter, committed: Topics): boolean =>
  topics === undefined || committed === undefined || topics.some((topic) => committed.includes(topic))

export const makeCommitSignal = Effect.fnUntraced(function* (
  db: Database,
  pollMs: number
): Effect.fn.Return<CommitSignal, never, Scope.Scope> {
  const waiting = new Set<Waiter>()
  const somebodyWaits = yield* Latch.make(false)
  const wake = (topics: Topics) => {
    for (const waiter of [...waiting]) if (concerns(waiter, topics)) waiter.wake()
  }
  // a file that cannot be read any more wakes the waiters, whose next read then says why
  const version = (): number => {
    try {
      return dataVersion(db)
    } catch {
      return -1
    }
  }
  let before = version()
  const look = Effect.gen(function* () {
    yield* somebodyWaits.await
    const now = version()
    if (now !== before || now < 0) wake(undefined)
    before = now
    if (waiting.size === 0) somebodyWaits.closeUnsafe()
    else yield* Effect.sleep(pollMs)
  })
  yield* Effect.forkScoped(Effect.forever(look))
  const { tell } = yield* openCommitChannel(db.file, wake)
  const nextCommit = (topics: Topics) =>
    Effect.callback<void>((resume) => {
      const waiter: Waiter = {
        topics,
        wake: () => {
          waiting.delete(waiter)
          resume(Effect.void)
        }
      }
      waiting.add(waiter)
      somebodyWaits.openUnsafe()
      return Effect.sync(() => waiting.delete(waiter))
    })
  return {
    committed: (topics) => {
      wake(topics)
      // what appended to nothing is of no interest elsewhere
      if (topics === undefined || topics.length > 0) tell(topics)
    },
    awaitCommit: (timeoutMs, topics) => Effect.raceFirst(nextCommit(topics), Effect.sleep(timeoutMs))
  }
})
