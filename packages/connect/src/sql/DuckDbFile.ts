/**
 * A DuckDB file: what the embedded default has for PostgreSQL.
 *
 * Statements run on DuckDB's own threads, one after the other on one connection. An interrupted one is cancelled. One
 * process may write a file, or several may read it.
 */
import type { DuckDBConnection } from "@duckdb/node-api"
import { Effect, type Scope, Semaphore } from "effect"
import type { DuckDbConnection } from "../connection/Connection.ts"
import { type SqlClient, SqlError, type SqlParameter } from "./SqlClient.ts"

const memoryMax = "256MB"

const sqlError = (name: string) => () =>
  new SqlError({
    reason: "Failed",
    message: `connection "${name}": its DuckDB file failed, or is in use by another process`
  })

// loaded when a file is opened: its library takes memory in every thread, and most need none
const duckDb = () => import("@duckdb/node-api")

const run = async (connection: DuckDBConnection, text: string, parameters: ReadonlyArray<SqlParameter>) => {
  const { LIST, listValue, VARCHAR } = await duckDb()
  const statement = await connection.prepare(text)
  try {
    parameters.forEach((value, index) => {
      if (value === null) statement.bindNull(index + 1)
      else if (typeof value === "string") statement.bindVarchar(index + 1, value)
      else statement.bindList(index + 1, listValue([...value]), LIST(VARCHAR))
    })
    const reader = await statement.runAndReadAll()
    return reader.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell))))
  } finally {
    statement.destroySync()
  }
}

const interruptEveryMs = 10

/**
 * Interrupted, it waits until the statement has ended: to close a connection that DuckDB's threads still work on would end
 * this process. An interruption is told again, because one that comes before the statement has begun is lost.
 */
const cancellable = (
  connection: DuckDBConnection,
  text: string,
  parameters: ReadonlyArray<SqlParameter>,
  catchError: () => SqlError
): Effect.Effect<ReadonlyArray<ReadonlyArray<string | null>>, SqlError> =>
  Effect.callback((resume) => {
    const running = run(connection, text, parameters)
    const ended = running.then(
      (rows) => resume(Effect.succeed(rows)),
      () => resume(Effect.fail(catchError()))
    )
    const interrupting = Effect.andThen(
      Effect.sync(() => connection.interrupt()),
      Effect.sleep(interruptEveryMs)
    )
    return Effect.raceFirst(
      Effect.promise(() => ended),
      Effect.forever(interrupting)
    )
  })

/** Opens the file, or makes it unless it is only read. */
export const openDuckDbFile = Effect.fnUntraced(function* (
  name: string,
  { file }: DuckDbConnection,
  mode: "read" | "write"
): Effect.fn.Return<SqlClient, SqlError, Scope.Scope> {
  const catchError = sqlError(name)
  const options = { access_mode: mode === "read" ? "READ_ONLY" : "READ_WRITE", threads: "1", memory_limit: memoryMax }
  const instance = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: async () => (await duckDb()).DuckDBInstance.create(file, options), catch: catchError }),
    (opened) => Effect.sync(() => opened.closeSync())
  )
  const alone = yield* Semaphore.make(1)
  let closed = false
  const connection = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: () => instance.connect(), catch: catchError }),
    (opened) =>
      alone.withPermits(1)(
        Effect.sync(() => {
          closed = true
          opened.closeSync()
        })
      )
  )
  return {
    dialect: "duckdb",
    query: (text, parameters = []) =>
      alone.withPermits(1)(
        Effect.suspend(() =>
          closed ? Effect.fail(catchError()) : cancellable(connection, text, parameters, catchError)
        )
      )
  }
})
