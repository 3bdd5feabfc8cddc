/**
 * PostgreSQL by a pool of connections that are opened when needed.
 *
 * **Bounds**: `pool` connections (8), `timeoutMs` for a statement, set in the server too, and for getting a connection. An
 * interrupted statement's connection is closed; the server ends the statement at its own timeout at the latest.
 */
import { readFile } from "node:fs/promises"
import { Effect, Redacted, type Scope } from "effect"
import type { Pool, PoolClient } from "pg"
import type { PostgresConnection } from "../connection/Connection.ts"
import { ConnectionError } from "../connection/ConnectionError.ts"
import { readSecret } from "../connection/Secret.ts"
import { type SqlClient, SqlError, type SqlParameter } from "./SqlClient.ts"

const connectionsMaxDefault = 8
const idleTimeoutMs = 30_000
const portDefault = 5432

/** Statement or query canceled by a timeout. */
const canceled = "57014"

const sqlError = (name: string, cause: unknown): SqlError => {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  // the pool's own words for "no connection in time"; it has no code for it
  const waited = cause instanceof Error && /timeout/i.test(cause.message) && code === undefined
  return code === canceled || waited
    ? new SqlError({ reason: "TimedOut", message: `connection "${name}": the database did not answer in time` })
    : new SqlError({
        reason: "Failed",
        ...(code === undefined ? {} : { code }),
        message: `connection "${name}": the database failed (${code ?? "the connection ended"})`
      })
}

const pem = (name: string, path: string) =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () =>
      new ConnectionError({ reason: "Invalid", message: `connection "${name}": its file ${path} cannot be read` })
  })

const tlsOptions = Effect.fnUntraced(function* (name: string, { tls }: PostgresConnection) {
  if (tls === undefined) return false
  return {
    rejectUnauthorized: true,
    ...(tls.ca === undefined ? {} : { ca: yield* pem(name, tls.ca) }),
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
    ...(tls.certificate === undefined ? {} : { cert: yield* pem(name, tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: Redacted.value(yield* readSecret(name, tls.key)) })
  }
})

/** Texts as the server writes them: nothing is parsed on the way. */
const asText = { getTypeParser: () => (text: string) => text }

type Rows = ReadonlyArray<ReadonlyArray<string | null>>

const run = (name: string, pool: Pool, text: string, parameters: ReadonlyArray<SqlParameter>) =>
  Effect.callback<Rows, SqlError>((resume) => {
    let given: PoolClient | undefined
    let over = false
    const end = (client: PoolClient, broken: boolean, outcome: Effect.Effect<Rows, SqlError>) => {
      if (over) return
      over = true
      client.release(broken)
      resume(outcome)
    }
    pool.connect().then(
      (client) => {
        if (over) return client.release()
        given = client
        client.query<Array<string | null>>({ text, values: [...parameters], rowMode: "array", types: asText }).then(
          ({ rows }) => end(client, false, Effect.succeed(rows)),
          (cause: unknown) => {
            // what the server refused left the connection as it was; anything else did not
            const refused = cause instanceof Error && "severity" in cause && cause.severity === "ERROR"
            end(client, !refused, Effect.fail(sqlError(name, cause)))
          }
        )
        return undefined
      },
      (cause: unknown) => {
        if (!over) resume(Effect.fail(sqlError(name, cause)))
      }
    )
    return Effect.sync(() => {
      over = true
      given?.release(true)
    })
  })

// loaded when a pool is opened: most runs have none
const driver = Effect.promise(() => import("pg"))

/** Opens no connection yet. `timeoutMs` bounds a statement, and the wait for a connection. */
export const openPostgres = Effect.fnUntraced(function* (
  name: string,
  connection: PostgresConnection,
  timeoutMs: number
): Effect.fn.Return<SqlClient, ConnectionError, Scope.Scope> {
  const url = new URL(connection.url)
  const password =
    connection.password === undefined ? undefined : Redacted.value(yield* readSecret(name, connection.password))
  const ssl = yield* tlsOptions(name, connection)
  const { default: pg } = yield* driver
  const pool = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new pg.Pool({
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port === "" ? portDefault : Number(url.port),
          database: decodeURIComponent(url.pathname.slice(1)) || "postgres",
          ...(url.username === "" ? {} : { user: decodeURIComponent(url.username) }),
          ...(password === undefined ? {} : { password }),
          ssl,
          application_name: "frazil",
          max: connection.pool ?? connectionsMaxDefault,
          idleTimeoutMillis: idleTimeoutMs,
          connectionTimeoutMillis: timeoutMs,
          statement_timeout: timeoutMs,
          keepAlive: true
        })
    ),
    // not waited for: a server that hangs must not hold the end
    (open) => Effect.sync(() => void open.end().catch(() => undefined))
  )
  // an idle connection that breaks is taken out by the pool; the next statement opens another
  pool.on("error", () => undefined)
  // so does one that is lent: its statement fails, and nobody else listens to it
  pool.on("connect", (client) => client.on("error", () => undefined))
  return { dialect: "postgres", query: (text, parameters = []) => run(name, pool, text, parameters) }
})
