/** A Spark that stays up for a test. */
import { join } from "node:path"
import { Effect, Schema, type Scope } from "effect"
import type { ForeignError } from "./ForeignReaders.ts"
import { lineSession, SessionError } from "./LineSession.ts"

const Answer = Schema.fromJsonString(
  Schema.Struct({ rows: Schema.optional(Schema.Array(Schema.Unknown)), error: Schema.optional(Schema.String) })
)

/** Gives a statement's rows. */
export type Spark = (sql: string) => Effect.Effect<ReadonlyArray<unknown>, SessionError>

const session = (
  catalog: string,
  settings: Readonly<Record<string, string>>
): Effect.Effect<Spark, ForeignError, Scope.Scope> =>
  Effect.map(
    lineSession("spark-iceberg.sh", [
      "py",
      join(import.meta.dirname, "spark_session.py"),
      catalog,
      JSON.stringify(settings)
    ]),
    (ask) =>
      Effect.fnUntraced(function* (sql) {
        const line = yield* ask(sql)
        const { error, rows } = yield* Schema.decodeUnknownEffect(Answer)(line).pipe(
          Effect.mapError(() => new SessionError({ message: line.slice(0, 2000) }))
        )
        return error === undefined
          ? (rows ?? [])
          : yield* new SessionError({ message: `${error.slice(0, 2000)}: ${sql}` })
      })
  )

/** On a REST catalog, which it calls `lab`. */
export const sparkOnRest = (url: string) => session("lab", { type: "rest", uri: url })

/** On the SQLite catalog of a folder, as `layerAt` has it, which it calls `frazil`. */
export const sparkAt = (path: string) =>
  session("frazil", {
    type: "jdbc",
    uri: `jdbc:sqlite:${path}/catalog.db`,
    warehouse: `file://${path}/warehouse`,
    clients: "1",
    "jdbc.busy_timeout": "15000",
    "jdbc.schema-version": "V1"
  })
