/**
 * A DuckDB table that collects rows until they are written as a part of a Parquet file.
 *
 * Its rows live in a transaction that is never committed: taken back, they are gone at once, and nothing is copied into
 * the database. A buffer is used again and again by one writer; one connection each, since a transaction has one.
 */
import duckdb from "@duckdb/node-bindings"
import { Effect, type Scope } from "effect"
import { type DuckDbConnection, type DuckDbShape, sqlText } from "../../io/DuckDb.ts"
import { toDuckDbError } from "../../io/DuckDbError.ts"
import type { ColumnPlan } from "./ColumnPlan.ts"
import { fromDuckDbError, type ParquetError } from "./ParquetError.ts"
import { dictionaryValuesMax } from "./pages/TextDictionary.ts"

/** How a buffer becomes a Parquet file. */
export interface CopyOptions {
  readonly rowGroupRowsMax: number
  readonly compressionLevel: number
  /** `ORDER BY …`, or empty for the order of arrival. */
  readonly orderBy: string
}

const doing = "writing a Parquet file"
const failure = (cause: unknown): ParquetError => fromDuckDbError(toDuckDbError(doing)(cause))

export class RowBuffer {
  private readonly plan: ColumnPlan
  private readonly connection: DuckDbConnection
  private readonly table: string
  private appender: duckdb.Appender | undefined

  private constructor(plan: ColumnPlan, connection: DuckDbConnection, table: string) {
    this.plan = plan
    this.connection = connection
    this.table = table
  }

  /** A buffer of its own connection; `name` differs among the buffers of a DuckDB. */
  static readonly make = Effect.fnUntraced(function* (
    duckDb: DuckDbShape,
    plan: ColumnPlan,
    name: string
  ): Effect.fn.Return<RowBuffer, ParquetError, Scope.Scope> {
    const connection = yield* Effect.mapError(duckDb.connect, fromDuckDbError)
    const create = `CREATE TEMP TABLE ${name} (${plan.tableColumns})`
    yield* Effect.mapError(connection.run(create, doing), fromDuckDbError)
    return new RowBuffer(plan, connection, name)
  })

  /** Opens the empty buffer for rows. */
  readonly open: Effect.Effect<duckdb.Appender, ParquetError> = Effect.suspend(() =>
    this.connection.run("BEGIN TRANSACTION", doing).pipe(
      Effect.mapError(fromDuckDbError),
      Effect.andThen(
        Effect.try({
          try: () => {
            this.appender = duckdb.appender_create_ext(this.connection.handle, "temp", null, this.table)
            return this.appender
          },
          catch: failure
        })
      )
    )
  )

  /** Where rows are appended; the buffer is open. */
  get target(): duckdb.Appender {
    if (this.appender === undefined) throw new TypeError("the buffer is not open")
    return this.appender
  }

  /** Hands the last rows to DuckDB, which may spill them; about 0.4 µs a row on this thread. */
  readonly close: Effect.Effect<void, ParquetError> = Effect.try({
    try: () => {
      const { target } = this
      this.appender = undefined
      duckdb.appender_close_sync(target)
    },
    catch: failure
  })

  /** Writes the closed buffer's rows to a new local file and empties it. */
  readonly copyTo = (path: string, options: CopyOptions): Effect.Effect<void, ParquetError> => {
    const copy = `COPY (SELECT ${this.plan.selected} FROM ${this.table} ${options.orderBy}) TO ${sqlText(path)} (
      FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, COMPRESSION_LEVEL ${options.compressionLevel},
      ROW_GROUP_SIZE ${options.rowGroupRowsMax}, DICTIONARY_SIZE_LIMIT ${dictionaryValuesMax},
      USE_TMP_FILE false, FIELD_IDS ${this.plan.fieldIds})`
    return this.connection
      .run(copy, doing)
      .pipe(Effect.andThen(this.connection.run("ROLLBACK", doing)), Effect.mapError(fromDuckDbError))
  }
}
