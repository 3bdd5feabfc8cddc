/**
 * A SQLite file shared with other processes and engines: statements with typed errors, waiting for locks without holding up
 * the JavaScript thread.
 *
 * Rollback journal, as SQLite makes files by default: every engine opens it, also read-only or from a copy of the one file.
 */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"
import { Effect, Schedule, type Scope } from "effect"
import { LakeError } from "../LakeError.ts"

export type Row = Readonly<Record<string, SQLOutputValue>>

export interface SqliteDatabase {
  readonly all: (sql: string, ...values: ReadonlyArray<SQLInputValue>) => Effect.Effect<ReadonlyArray<Row>, LakeError>
  /** Gives the number of rows changed. */
  readonly run: (sql: string, ...values: ReadonlyArray<SQLInputValue>) => Effect.Effect<number, LakeError>
}

/** How long a statement waits for another process's lock in all, and between attempts. */
const busyTimeoutMs = 15_000
const busyPauseMs = 20

const codeOf = (cause: unknown): number =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : 0

const primary = (code: number): number => code & 0xff
const isBusy = (cause: unknown): boolean => [5, 6].includes(primary(codeOf(cause)))

/** True when a row with the same key exists already. */
export const isDuplicate = (error: LakeError): boolean => primary(codeOf(error.cause)) === 19

type Meaning = readonly [LakeError["reason"], string]

const meanings: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [5, ["Unavailable", "is locked by another process; look which one holds it and try again"]],
  [6, ["Unavailable", "is locked by another process; look which one holds it and try again"]],
  [8, ["Unavailable", "cannot be written: it is read-only"]],
  [11, ["Corrupt", "is damaged; restore it from a copy"]],
  [13, ["Full", "cannot be written: the disk is full; make room and start again"]],
  [14, ["Unavailable", "cannot be opened; look whether the path is right and may be read and written"]],
  [19, ["Invalid", "has this entry already"]],
  [26, ["Corrupt", "is no SQLite database: it is damaged or another file; restore it from a copy"]]
])

const toLakeError =
  (file: string, writing: boolean) =>
  (cause: unknown): LakeError => {
    const code = primary(codeOf(cause))
    if (code === 0) throw cause
    const detail = cause instanceof Error ? ` (${cause.message})` : ""
    // An I/O error while committing: SQLite itself cannot say whether the change is on disk.
    const unknown: Meaning = ["OutcomeUnknown", "failed while it was written; look whether the change is there"]
    const meaning = code === 10 && writing ? unknown : (meanings.get(code) ?? ["Unavailable", "failed"])
    return new LakeError({ reason: meaning[0], message: `catalog ${file} ${meaning[1]}${detail}`, cause })
  }

/** Tries again while another process holds the lock; a statement that was busy did nothing. */
const waiting = Schedule.spaced(busyPauseMs).pipe(Schedule.jittered, Schedule.upTo({ duration: busyTimeoutMs }))

const make = (file: string, database: DatabaseSync): SqliteDatabase => {
  const attempt = <A>(writing: boolean, run: () => A): Effect.Effect<A, LakeError> =>
    Effect.try({ try: run, catch: toLakeError(file, writing) }).pipe(
      Effect.retry({ schedule: waiting, while: (error) => isBusy(error.cause) })
    )
  // the few statements there are, compiled once; SQLite itself sees to it when the file's schema changes
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    all: (sql, ...values) => attempt(false, () => prepared(sql).all(...values)),
    run: (sql, ...values) => attempt(true, () => Number(prepared(sql).run(...values).changes))
  }
}

/**
 * Ends commits of this connection by cutting the journal to nothing, and syncing that, in the place of removing it and syncing its
 * folder: as durable and as many syncs, but the folder does not change from commit to commit. Other engines take an empty
 * journal for none. A file in WAL mode, which is the file's and not the connection's, stays in it.
 */
const keepJournal = Effect.fnUntraced(function* ({ all }: SqliteDatabase): Effect.fn.Return<void, LakeError> {
  const [row] = yield* all("PRAGMA journal_mode")
  if (row?.["journal_mode"] === "delete") yield* all("PRAGMA journal_mode = TRUNCATE")
})

/** Opens the file, making it and its folder if need be; closed with the scope. Waits for locks, as statements do. */
export const openSqlite = (file: string): Effect.Effect<SqliteDatabase, LakeError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        mkdirSync(dirname(file), { recursive: true })
        const database = new DatabaseSync(file)
        // Waiting is done outside, where it does not hold up the thread.
        database.exec("PRAGMA busy_timeout = 0")
        return database
      },
      catch: (cause) =>
        codeOf(cause) === 0
          ? new LakeError({ reason: "Unavailable", message: `catalog ${file} cannot be opened`, cause })
          : toLakeError(file, false)(cause)
    }),
    (database) => Effect.sync(() => database.close())
  ).pipe(
    Effect.map((database) => make(file, database)),
    // Where a commit ends with the removal of its journal: without its folder synced, a power cut could bring that back.
    // The first statement to look into the file, so the first that another process's lock keeps waiting.
    Effect.tap(({ all }) => all("PRAGMA synchronous = EXTRA")),
    Effect.tap(keepJournal)
  )
