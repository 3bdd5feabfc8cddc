/**
 * The lock that a running job holds on a data directory, so that the same job does not run there twice.
 *
 * Apps take it before a job starts; it is held until the scope ends. It is an exclusive SQLite transaction on a file of
 * its own, `<data>/locks/<job>.lock`, so that the operating system releases it when the process dies, `kill -9` included:
 * there is no stale lock to remove. It protects people from surprises; what protects the data is fencing.
 */
import { Effect, Schema, type Scope } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { LogError } from "@frazil/engine"
import { makeFolder } from "./Folder.ts"
import { lockedByAnother, toLogError } from "./SqliteFailure.ts"

/** The job runs already: stop, or use another data directory. */
class JobAlreadyRunning extends Schema.TaggedError<JobAlreadyRunning>()("JobAlreadyRunning", {
  job: Schema.String,
  dataDirectory: Schema.String,
  /** One line for a person. */
  message: Schema.String
}) {}

export interface JobLockOptions {
  readonly job: string
  readonly dataDirectory: string
}

/** Patience with a look of `jobRunning`, which holds the file for an instant. */
const lookWaitMs = 50

const lockFile = ({ job, dataDirectory }: JobLockOptions): string =>
  join(dataDirectory, "locks", `${encodeURIComponent(job)}.lock`)

/** Open locks of this process. A connection that nothing refers to is collected, and its lock released. */
const held = new Set<DatabaseSync>()

const take = (options: JobLockOptions): DatabaseSync => {
  makeFolder(join(options.dataDirectory, "locks"))
  const db = new DatabaseSync(lockFile(options))
  try {
    db.exec(`pragma busy_timeout = ${lookWaitMs}`)
    // nothing is ever written: a journal on disk would outlive a process that is killed, one for each lock's name
    db.exec("pragma journal_mode = memory")
    db.exec("begin exclusive")
    held.add(db)
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

const release = (db: DatabaseSync): void => {
  held.delete(db)
  db.close()
}

const refusal = (cause: unknown, { job, dataDirectory }: JobLockOptions): JobAlreadyRunning | LogError | undefined =>
  lockedByAnother(cause)
    ? new JobAlreadyRunning({
        job,
        dataDirectory,
        message: `job ${job} is already running on ${dataDirectory}: stop that one first, or give this one another data directory with --data`
      })
    : toLogError(cause, join(dataDirectory, "locks"))

/** Takes the lock of a job until the scope ends. Hardly waits. Fails with `LogError` when the folder cannot be written. */
export const holdJobLock = (options: JobLockOptions): Effect.Effect<void, JobAlreadyRunning | LogError, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.suspend(() => {
        try {
          return Effect.succeed(take(options))
        } catch (cause) {
          const error = refusal(cause, options)
          return error === undefined ? Effect.die(cause) : Effect.fail(error)
        }
      }),
      (db) => Effect.sync(() => release(db))
    )
  )

const look = (file: string): boolean => {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    db.exec("pragma busy_timeout = 0")
    db.exec("select count(*) from sqlite_schema")
    return false
  } catch (cause) {
    if (lockedByAnother(cause)) return true
    throw cause
  } finally {
    db.close()
  }
}

/** Whether a job holds its lock on the data directory right now. Makes no file. */
export const jobRunning = (options: JobLockOptions): Effect.Effect<boolean, LogError> =>
  Effect.suspend(() => {
    const file = lockFile(options)
    try {
      return Effect.succeed(existsSync(file) && look(file))
    } catch (cause) {
      const error = toLogError(cause, file)
      return error === undefined ? Effect.die(cause) : Effect.fail(error)
    }
  })
