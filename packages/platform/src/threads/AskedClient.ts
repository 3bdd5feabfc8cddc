/**
 * A database that only the main thread has open, asked by a thread: statements go one way, rows of texts the other.
 *
 * For a DuckDB file: its library ends the whole process when a thread ends in the middle of a statement. PostgreSQL is each
 * thread's own. What a thread that ended had asked is answered to nobody.
 */
import { type SqlClient, SqlError } from "@frazil/connect"
import { Effect } from "effect"
import type { FromThread, ToThread } from "./Messages.ts"

type Query = Extract<FromThread, { _tag: "Query" }>
type Rows = Extract<ToThread, { _tag: "Rows" }>

/** The thread's side; as many statements wait as lookups may have in flight. */
export const makeAskedClient = (post: (message: FromThread) => void) => {
  const waiting = new Map<number, (rows: Rows) => void>()
  let asked = 0
  const client: SqlClient = {
    dialect: "duckdb",
    query: (text, parameters = []) =>
      Effect.callback((resume) => {
        const id = asked++
        waiting.set(id, ({ failed, rows }) => {
          resume(failed === undefined ? Effect.succeed(rows ?? []) : Effect.fail(new SqlError(failed)))
        })
        post({ _tag: "Query", id, text, parameters: [...parameters] })
        return Effect.sync(() => waiting.delete(id))
      })
  }
  const take = (rows: Rows): void => {
    waiting.get(rows.id)?.(rows)
    waiting.delete(rows.id)
  }
  return { client, take }
}

/** The main thread's side: the answer to a thread's statement. */
export const answerQuery = (client: SqlClient, { id, parameters, text }: Query): Effect.Effect<ToThread> =>
  client.query(text, parameters).pipe(
    Effect.map((rows): ToThread => ({ _tag: "Rows", id, rows })),
    Effect.catch(({ code, message, reason }) => {
      const failed = { reason, message, ...(code === undefined ? {} : { code }) }
      return Effect.succeed<ToThread>({ _tag: "Rows", id, failed })
    })
  )
