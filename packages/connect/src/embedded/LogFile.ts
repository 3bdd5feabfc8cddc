/**
 * A log's SQLite file: opening it, and reading and writing it in transactions.
 *
 * `EmbeddedLog` builds on it. One connection serves the process; a semaphore keeps readers out while an epoch's
 * transaction is open, so that nobody sees what is not committed. Several processes may have the file open.
 *
 * **Durability**: WAL with `synchronous=FULL` (and `fullfsync`, for macOS): a commit is on the disk before it is
 * acknowledged. With NORMAL a power cut takes back the last commits, while the lake's marks, synced elsewhere, would
 * stand beyond the log's end.
 */
import { Clock, Effect, Random, Schedule, type Scope, Semaphore } from "effect"
import { dirname } from "node:path"
import { LogError } from "@frazil/engine"
import { makeCommitSignal, type Topics } from "./CommitSignal.ts"
import { type Database, openDatabase } from "./Database.ts"
import { makeFolder } from "./Folder.ts"
import { blank, checkVersion, createTables, verifyTables } from "./LogSchema.ts"
import { makePartitionEnds, type PartitionEnds } from "./PartitionEnds.ts"
import { lockedByAnother, toLogError } from "./SqliteFailure.ts"

/** 8 KB: a blob takes few pages, and a small epoch still rewrites little. */
const pageBytes = 8_192
/** The WAL is copied back into the file about every so many bytes, and cut to the second figure when it grew beyond. */
const walCheckpointBytes = 16 * 1_048_576
const walBytesMax = 64 * 1_048_576
const cacheBytesMax = 8 * 1_048_576
/** SQLite's own bound. */
const pagesMax = 0xfffffffe
/** How long SQLite itself waits for a lock, with the thread blocked; the rest of the patience is slept. */
const lockWaitBlockedMs = 20

export interface LogFileOptions {
  readonly file: string
  /** How long an operation waits for another process's transaction before it fails with `Unavailable`. */
  readonly busyTimeoutMs: number
  /** The file does not grow beyond; `Full` then. */
  readonly fileBytesMax: number
  /** How often commits of other processes are looked for while someone waits. */
  readonly pollMs: number
}

/** Crossed around the COMMIT of an epoch; a failure before it rolls back, one after it does not. */
export interface CommitFaults {
  readonly before: Effect.Effect<void, LogError>
  readonly after: Effect.Effect<void, LogError>
}

export interface LogFile {
  readonly file: string
  readonly logId: string
  /** Runs `body` on one committed state of the file. */
  readonly read: <A>(body: (db: Database) => A) => Effect.Effect<A, LogError>
  /** Runs `body` in one transaction: all of it is committed and synced, or nothing. `body` may run again after a lost lock, never after it changed something. */
  readonly write: <A>(body: (db: Database, nowMs: number) => A, about?: WriteAbout) => Effect.Effect<A, LogError>
  /** Ends of partitions, known without a transaction while nobody commits to them. */
  readonly ends: PartitionEnds
  readonly awaitCommit: (timeoutMs: number, topics?: Topics) => Effect.Effect<void>
}

const pragmas = (fileBytesMax: number): string => `
pragma page_size = ${pageBytes};
pragma journal_mode = wal;
pragma synchronous = full;
pragma fullfsync = on;
pragma wal_autocheckpoint = ${walCheckpointBytes / pageBytes};
pragma journal_size_limit = ${walBytesMax};
pragma cache_size = -${cacheBytesMax / 1024};
pragma max_page_count = ${Math.min(pagesMax, Math.max(1, Math.floor(fileBytesMax / pageBytes)))};
`

const noFaults: CommitFaults = { before: Effect.void, after: Effect.void }

export interface WriteAbout {
  readonly faults?: CommitFaults
  /** The topics that it appends to, and nothing else of theirs changes. Left out: any topic may have changed. */
  readonly topics?: Topics
}

/** Runs a synchronous body: what SQLite throws becomes a `LogError`, anything else a defect. */
const attempt = <A>(file: string, body: () => A): Effect.Effect<A, LogError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      const error = toLogError(cause, file)
      return error === undefined ? Effect.die(cause) : Effect.fail(error)
    }
  })

/** Tries again while another process holds the lock, without blocking the thread in between. */
const patiently = <A, R>(effect: Effect.Effect<A, LogError, R>, busyTimeoutMs: number): Effect.Effect<A, LogError, R> =>
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

interface Transaction {
  open: boolean
}

const rollback = (db: Database, transaction: Transaction): void => {
  if (!transaction.open) return
  transaction.open = false
  try {
    db.exec("rollback")
  } catch {
    // SQLite has rolled back by itself, as it does after a full disk or an I/O error
  }
}

const readIn = <A>(db: Database, body: (db: Database) => A): A => {
  const transaction: Transaction = { open: true }
  db.run("begin")
  try {
    const result = body(db)
    db.run("commit")
    transaction.open = false
    return result
  } finally {
    rollback(db, transaction)
  }
}

/**
 * COMMIT. After a lock nothing has happened. A full disk is certain as well: the frame that commits is the last to be
 * written to the WAL, and it was not. After any other failure (the disk failed while syncing, say) nobody can tell.
 */
const commit = (db: Database, transaction: Transaction, committed: () => void): Effect.Effect<void, LogError> =>
  Effect.suspend(() => {
    try {
      db.run("commit")
    } catch (cause) {
      const error = toLogError(cause, db.file)
      const certain = error !== undefined && (lockedByAnother(cause) || error.reason === "Full")
      return Effect.fail(certain ? error : unknownOutcome(db.file, cause))
    }
    transaction.open = false
    committed()
    return Effect.void
  })

const writeIn = <A>(
  db: Database,
  body: (db: Database, nowMs: number) => A,
  faults: CommitFaults,
  committed: () => void
): Effect.Effect<A, LogError> =>
  Effect.acquireUseRelease(
    attempt(db.file, (): Transaction => {
      db.run("begin immediate")
      return { open: true }
    }),
    Effect.fnUntraced(function* (transaction) {
      // whole: a simulated clock may stand between milliseconds, and the tables are strict
      const nowMs = Math.floor(yield* Clock.currentTimeMillis)
      const result = yield* attempt(db.file, () => body(db, nowMs))
      yield* faults.before
      yield* commit(db, transaction, committed)
      yield* faults.after
      return result
    }),
    (transaction) => Effect.sync(() => rollback(db, transaction))
  )

const open = ({ file, fileBytesMax }: LogFileOptions): Effect.Effect<Database, LogError, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(file, () => {
      if (file !== ":memory:") makeFolder(dirname(file))
      const db = openDatabase(file)
      try {
        // before the pragmas, which turn any database's journal into a WAL
        db.exec(`pragma busy_timeout = ${lockWaitBlockedMs}`)
        if (!blank(db)) checkVersion(db)
        db.exec(pragmas(fileBytesMax))
        return db
      } catch (cause) {
        db.close()
        throw cause
      }
    }),
    (db) => Effect.sync(() => db.close())
  )

const randomHex = Effect.map(Random.nextInt, (int) => (int >>> 0).toString(16).padStart(8, "0"))

/** Opens the file, making it when it is missing. Closed with the scope. */
export const openLogFile = Effect.fnUntraced(function* (
  options: LogFileOptions
): Effect.fn.Return<LogFile, LogError, Scope.Scope> {
  const { file, busyTimeoutMs } = options
  const db = yield* patiently(open(options), busyTimeoutMs)
  const permits = yield* Semaphore.make(1)
  const signal = yield* makeCommitSignal(db, options.pollMs)
  const ends = makePartitionEnds(db)
  const read: LogFile["read"] = (body) =>
    patiently(permits.withPermits(1)(attempt(file, () => readIn(db, body))), busyTimeoutMs)
  const write: LogFile["write"] = (body, { faults = noFaults, topics } = {}) => {
    const writing = writeIn(db, body, faults, () => signal.committed(topics))
    // before it begins: whatever becomes of it, nobody takes the ends before it for those after it
    const forgetting = Effect.sync(() => ends.forget(topics))
    return patiently(permits.withPermits(1)(Effect.andThen(forgetting, writing)), busyTimeoutMs)
  }

  if (yield* read(blank)) {
    const id = (yield* Effect.all([randomHex, randomHex, randomHex])).join("")
    yield* write((_, nowMs) => createTables(db, id, nowMs))
  }
  const logId = yield* read(verifyTables)
  return { file, logId, read, write, ends, awaitCommit: signal.awaitCommit }
})
