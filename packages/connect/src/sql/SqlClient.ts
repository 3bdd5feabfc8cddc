/**
 * A database that speaks SQL, as lookups, sinks and commands use it: one statement with parameters, rows of texts.
 *
 * PostgreSQL by a pool (`PostgresPool`) or a DuckDB file (`DuckDbFile`). Every column is asked for as text, so that no
 * decimal and no integer passes through a double on its way.
 */
import { type Effect, Schema } from "effect"

/**
 * `TimedOut`: no answer in time. `Failed`: the database refused or cannot be reached. Messages name the connection and the
 * database's code, never its words: those quote statements and values.
 */
export class SqlError extends Schema.TaggedError<SqlError>()("SqlError", {
  reason: Schema.Literals(["TimedOut", "Failed"]),
  /** The database's own (SQLSTATE), if it gave one. */
  code: Schema.optionalKey(Schema.String),
  message: Schema.String
}) {}

export type SqlParameter = string | null | ReadonlyArray<string>

export interface SqlClient {
  readonly dialect: "postgres" | "duckdb"
  /** Parameters are `$1`, `$2` …; a list is an array of texts. Interrupted, the statement is given up. */
  readonly query: (
    text: string,
    parameters?: ReadonlyArray<SqlParameter>
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<string | null>>, SqlError>
}
