/**
 * A result of DuckDB in chunks, computed as they are asked for; and how anything runs on a connection so that it can be
 * interrupted.
 *
 * **Guarantee**: a result that breaks off is an error. DuckDB's Node library tells it as the end, so the query has a
 * transaction of its own: one that failed takes no further statement.
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from "@duckdb/node-api"
import { Effect } from "effect"
import { type DuckDbError, toDuckDbError } from "./DuckDbError.ts"

/** A result in the making: nothing else may run on its connection until it has ended. */
export interface DuckDbChunks {
  /** Made different where the query has a name twice. */
  readonly names: ReadonlyArray<string>
  readonly types: ReadonlyArray<DuckDBType>
  /** Undefined at the end. */
  readonly next: Effect.Effect<DuckDBDataChunk | undefined, DuckDbError>
}

/** An interrupt cancels what runs, and waits until DuckDB let go of it. */
export const running = <A>(
  connection: DuckDBConnection,
  start: () => Promise<A>,
  doing: string
): Effect.Effect<A, DuckDbError> =>
  Effect.callback((resume) => {
    const promise = start()
    promise.then(
      (value) => resume(Effect.succeed(value)),
      (cause: unknown) => resume(Effect.fail(toDuckDbError(doing)(cause)))
    )
    return Effect.promise(() => {
      connection.interrupt()
      return promise.then(
        () => undefined,
        () => undefined
      )
    })
  })

/** Starts the query; its transaction ends with the result, or with the connection. */
export const chunksOf = Effect.fnUntraced(function* (
  connection: DuckDBConnection,
  sql: string,
  doing: string
): Effect.fn.Return<DuckDbChunks, DuckDbError> {
  const run = <A>(start: () => Promise<A>) => running(connection, start, doing)
  yield* run(() => connection.run("BEGIN TRANSACTION READ ONLY"))
  const failed = Effect.gen(function* () {
    yield* run(() => connection.run("ROLLBACK"))
    // why it failed is told by a run whose result is not streamed
    yield* run(() => connection.run(sql))
    return yield* toDuckDbError(doing)(new Error("its result broke off: read it again"))
  })
  const ended = Effect.matchEffect(
    run(() => connection.run("SELECT 1")),
    { onFailure: () => failed, onSuccess: () => run(() => connection.run("COMMIT")) }
  )
  const result = yield* run(() => connection.stream(sql))
  return {
    names: result.deduplicatedColumnNames(),
    types: result.columnTypes(),
    next: Effect.flatMap(
      run(() => result.fetchChunk()),
      (chunk) => (chunk === null || chunk.rowCount === 0 ? Effect.as(ended, undefined) : Effect.succeed(chunk))
    )
  }
})
