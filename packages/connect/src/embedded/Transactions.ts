/**
 * Reads and writes of a log's file, in transactions; writes that come together are committed, and synced, together.
 *
 * `LogFile` builds on it. A sync holds up the thread for milliseconds, however little was written: fifty jobs, each with
 * epochs and a sync of its own, would do nothing but wait. So a write leaves its transaction open for those who are ready
 * behind it. Each is a savepoint of its own: what fails is undone by itself, and what makes SQLite give up the whole
 * transaction is done again, each alone.
 *
 * **Guarantee**: whoever writes hears of success only after the COMMIT that holds its part, and nobody reads what is not
 * committed. **Bounds**: `partsMax` writes or `bytesMax` bytes, and one write more.
 */
import { Clock, Effect, Exit, Schedule, Semaphore } from "effect"
import { LogError } from "@frazil/engine"
import type { Topics } from "./CommitSignal.ts"
import type { Database } from "./Database.ts"
import { lockedByAnother, toLogError } from "./SqliteFailure.ts"

const partsMax = 64
const bytesMax = 16 * 1_048_576

/** Crossed around the COMMIT of an epoch; a failure before it undoes the epoch, one after it does not. */
export interface CommitFaults {
  readonly before: Effect.Effect<void, LogError>
  readonly after: Effect.Effect<void, LogError>
}

const noFaults: CommitFaults = { before: Effect.void, after: Effect.void }

export interface WriteAbout {
  readonly faults?: CommitFaults
  /** The topics that it appends to, and nothing else of theirs changes. Left out: any topic may have changed. */
  readonly topics?: Topics
  /** What it will write, about. */
  readonly bytes?: number
}

export interface Transactions {
  /** Runs `body` on one committed state of the file. */
  readonly read: <A>(body: (db: Database) => A) => Effect.Effect<A, LogError>
  /**
   * Runs `body` in a transaction: all that it does is committed and synced, or nothing. It may run again after it was undone,
   * so it changes nothing but the file.
   */
  readonly write: <A>(body: (db: Database, nowMs: number) => A, about?: WriteAbout) => Effect.Effect<A, LogError>
}

export interface TransactionsOptions {
  /**
   * Another connection to the same file, which sees what is committed while a write is open. Undefined for a database in
   * memory, which has one connection and nothing to sync: there each write is alone, and readers wait for it.
   */
  readonly reader: Database | undefined
  /** How long an operation waits for another process's transaction before it fails with `Unavailable`. */
  readonly busyTimeoutMs: number
  /** Called before something is written that appends to these topics, and before it is committed. */
  readonly beginning: (topics: Topics) => void
  /** Called after something was committed that appended to these topics. */
  readonly committed: (topics: Topics) => void
}

/** What became of a transaction. `Undone`: certainly nothing of it is kept. */
type Outcome =
  | { readonly _tag: "Committed" }
  | { readonly _tag: "Undone"; readonly error: LogError }
  | { readonly _tag: "Unknown"; readonly error: LogError }

/** A transaction of several writes. */
interface Group {
  /** Writes that are in it. */
  parts: number
  bytes: number
  topics: Topics
  /** Undefined while others may join. */
  outcome: Outcome | undefined
}

/** Runs a synchronous body: what SQLite throws becomes a `LogError`, anything else a defect. */
export const attempt = <A>(file: string, body: () => A): Effect.Effect<A, LogError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      const error = toLogError(cause, file)
      return error === undefined ? Effect.die(cause) : Effect.fail(error)
    }
  })

/** Tries again while another process holds the lock, without blocking the thread in between. */
export const patiently = <A, R>(
  effect: Effect.Effect<A, LogError, R>,
  busyTimeoutMs: number
): Effect.Effect<A, LogError, R> =>
  Effect.retry(effect, {
    while: (error) => lockedByAnother(error.cause),
    schedule: Schedule.spaced("5 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: busyTimeoutMs }))
  })

const unknownOutcome = (file: string, cause: unknown): LogError =>
  new LogError({
    reason: "OutcomeUnknown",
    message: `whether the last transaction on ${file} is kept is not known (${cause instanceof Error ? cause.message : "its answer was lost"}): fence again and read back`,
    cause
  })

const rollback = (db: Database): void => {
  try {
    db.exec("rollback")
  } catch {
    // SQLite has rolled back by itself, as it does after a full disk or an I/O error
  }
}

const readIn = <A>(db: Database, body: (db: Database) => A): A => {
  db.run("begin")
  try {
    const result = body(db)
    db.run("commit")
    return result
  } catch (cause) {
    rollback(db)
    throw cause
  }
}

/**
 * COMMIT. After a lock nothing has happened. A full disk is certain as well: the frame that commits is the last to be
 * written to the WAL, and it was not. After any other failure (the disk failed while syncing, say) nobody can tell.
 */
const commit = (db: Database): Outcome => {
  try {
    db.run("commit")
    return { _tag: "Committed" }
  } catch (cause) {
    rollback(db)
    const error = toLogError(cause, db.file)
    return error !== undefined && (lockedByAnother(cause) || error.reason === "Full")
      ? { _tag: "Undone", error }
      : { _tag: "Unknown", error: unknownOutcome(db.file, cause) }
  }
}

const givenUp = (file: string): Outcome => ({
  _tag: "Undone",
  error: new LogError({
    reason: "Unavailable",
    message: `a transaction on ${file} was given up because of another write in it: try again`
  })
})

/** The transaction that is open on a connection, if any, and the writes in it. Called by one fiber at a time. */
const makeGroups = (db: Database, { beginning, committed }: TransactionsOptions) => {
  let open: Group | undefined
  const end = (group: Group, outcome: Outcome): void => {
    group.outcome = outcome
    open = undefined
  }
  /** **The commit point** of all that the log writes. */
  const commitOpen = (): void => {
    const group = open
    if (group === undefined) return
    // again: readers have looked since they were written
    beginning(group.topics)
    const outcome = commit(db)
    end(group, outcome)
    if (outcome._tag === "Committed") committed(group.topics)
  }
  const leave = (): void => {
    db.run("release part")
  }
  /** Undoes the write that began last; others stay, unless SQLite has given up all of them. */
  const undo = (group: Group): void => {
    let kept = true
    try {
      db.run("rollback to part")
      leave()
    } catch {
      kept = false
    }
    group.parts--
    if (kept && group.parts > 0) return
    rollback(db)
    end(group, givenUp(db.file))
  }
  /** Begins a write in the open transaction, or in one of its own. */
  const join = ({ bytes = 0, topics }: WriteAbout, alone: boolean): Group => {
    if (open !== undefined && (alone || open.parts >= partsMax || open.bytes + bytes > bytesMax)) commitOpen()
    // before it begins: whatever becomes of it, nobody takes the ends before it for those after it
    beginning(topics)
    if (open === undefined) {
      db.run("begin immediate")
      open = { parts: 0, bytes: 0, topics: [], outcome: undefined }
    }
    const group = open
    group.parts++
    group.bytes += bytes
    group.topics = topics === undefined || group.topics === undefined ? undefined : [...group.topics, ...topics]
    try {
      db.run("savepoint part")
    } catch (cause) {
      undo(group)
      throw cause
    }
    return group
  }
  return { commitOpen, join, leave, undo }
}

export const makeTransactions = Effect.fnUntraced(function* (
  db: Database,
  options: TransactionsOptions
): Effect.fn.Return<Transactions> {
  const { busyTimeoutMs, reader } = options
  const permits = yield* Semaphore.make(1)
  const groups = makeGroups(db, options)

  /** One write, in a transaction that may hold others; of its own, and committed by now, when `alone`. */
  const part = <A>(body: (db: Database, nowMs: number) => A, about: WriteAbout, alone: boolean) =>
    Effect.uninterruptibleMask((restore) => {
      const { before } = about.faults ?? noFaults
      const use = Effect.gen(function* () {
        // whole: a simulated clock may stand between milliseconds, and the tables are strict
        const nowMs = Math.floor(yield* Clock.currentTimeMillis)
        const result = yield* attempt(db.file, () => body(db, nowMs))
        yield* before
        yield* attempt(db.file, groups.leave)
        return result
      })
      const taken = Effect.gen(function* () {
        const group = yield* attempt(db.file, () => groups.join(about, alone))
        const exit = yield* Effect.exit(restore(use))
        if (Exit.isFailure(exit)) {
          groups.undo(group)
          return yield* Effect.failCause(exit.cause)
        }
        if (alone) groups.commitOpen()
        return { group, result: exit.value }
      })
      return Effect.gen(function* () {
        yield* restore(permits.take(1))
        const { group, result } = yield* Effect.ensuring(taken, permits.release(1))
        return { outcome: yield* settled(group), result }
      })
    })

  /** What became of it: those who are ready now may join it, then it is committed by whoever comes first. */
  const settled = Effect.fnUntraced(function* (group: Group) {
    if (group.outcome === undefined) yield* Effect.yieldNow
    if (group.outcome === undefined) {
      yield* permits.withPermits(1)(
        Effect.sync(() => {
          if (group.outcome === undefined) groups.commitOpen()
        })
      )
    }
    return group.outcome! // `commitOpen` gave it one
  })

  const write: Transactions["write"] = (body, about = {}) =>
    Effect.gen(function* () {
      let { outcome, result } = yield* part(body, about, reader === undefined)
      if (outcome._tag === "Undone") ({ outcome, result } = yield* part(body, about, true))
      if (outcome._tag !== "Committed") return yield* outcome.error
      yield* (about.faults ?? noFaults).after
      return result
    }).pipe((writing) => patiently(writing, busyTimeoutMs))

  // in memory there is one connection: what is open is committed before anybody reads
  const readAlone: Transactions["read"] = (body) =>
    permits.withPermits(1)(
      attempt(db.file, () => {
        groups.commitOpen()
        return readIn(db, body)
      })
    )

  const read: Transactions["read"] = (body) =>
    patiently(reader === undefined ? readAlone(body) : attempt(db.file, () => readIn(reader, body)), busyTimeoutMs)

  return { read, write }
})
