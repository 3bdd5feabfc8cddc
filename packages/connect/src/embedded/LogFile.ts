/**
 * A log's SQLite file, open.
 *
 * `EmbeddedLog` builds on it. One connection writes and one reads for the process, in `Transactions`. Several processes may
 * have the file open.
 *
 * **Durability**: WAL with `synchronous=FULL` (and `fullfsync`, for macOS): a commit is on the disk before it is
 * acknowledged. With NORMAL a power cut takes back the last commits, while the lake's marks, synced elsewhere, would
 * stand beyond the log's end.
 */
import { Effect, Random, type Scope } from "effect"
import { dirname } from "node:path"
import type { LogError } from "@frazil/engine"
import { makeCommitSignal, type Topics } from "./CommitSignal.ts"
import { type Database, openDatabase } from "./Database.ts"
import { makeFolder } from "./Folder.ts"
import { blank, checkVersion, createTables, verifyTables } from "./LogSchema.ts"
import { makePartitionEnds, type PartitionEnds } from "./PartitionEnds.ts"
import { attempt, makeTransactions, patiently, type Transactions } from "./Transactions.ts"

/** 16 KB: a blob takes few pages, each written by three calls to the system, and a small epoch still rewrites little. */
const pageBytes = 16_384
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

export interface LogFile extends Transactions {
  readonly file: string
  readonly logId: string
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

const inMemory = ":memory:"

const open = ({ file, fileBytesMax }: LogFileOptions): Effect.Effect<Database, LogError, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(file, () => {
      if (file !== inMemory) makeFolder(dirname(file))
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
  const opened = patiently(open(options), busyTimeoutMs)
  const db = yield* opened
  const reader = file === inMemory ? undefined : yield* opened
  const signal = yield* makeCommitSignal(db, options.pollMs)
  const ends = makePartitionEnds(db)
  const { read, write } = yield* makeTransactions(db, {
    busyTimeoutMs,
    reader,
    beginning: ends.forget,
    committed: signal.committed
  })

  if (yield* read(blank)) {
    const id = (yield* Effect.all([randomHex, randomHex, randomHex])).join("")
    yield* write((_, nowMs) => createTables(db, id, nowMs))
  }
  const logId = yield* read(verifyTables)
  return { file, logId, read, write, ends, awaitCommit: signal.awaitCommit }
})
