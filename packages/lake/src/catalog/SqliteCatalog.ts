/**
 * A catalog in one SQLite file, in the schema that PyIceberg's SqlCatalog and Java's JdbcCatalog share (version 1, with
 * `iceberg_type`): all three may have it open at once.
 *
 * It keeps the pointers; `PointerCatalog` does the rest. The swap is one conditional UPDATE, which SQLite makes durable
 * before it returns.
 */
import { Effect, Layer, Schema } from "effect"
import { FileIO } from "../io/FileIO.ts"
import { LakeError } from "../LakeError.ts"
import { Catalog, type TableIdentifier } from "./Catalog.ts"
import { makePointerCatalog } from "./PointerCatalog.ts"
import { isDuplicate, openSqlite, type SqliteDatabase } from "./SqliteDatabase.ts"
import type { TablePointers } from "./TablePointers.ts"

export interface SqliteCatalogOptions {
  /** Local path of the catalog's file; made when it is not there. */
  readonly file: string
  /** URI or absolute path of the folder that new tables lie in. */
  readonly warehouse: string
  /** All engines must use one name. `frazil` by default. */
  readonly name?: string
}

const nameDefault = "frazil"

const tablesTable = `CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
)`

const namespacesTable = `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000),
  PRIMARY KEY (catalog_name, namespace, property_key)
)`

// Rows of views are no tables; engines that know no views leave the type null.
const isTable = "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)"
const thisTable = `catalog_name = ? AND table_namespace = ? AND table_name = ? AND ${isTable}`

const insertTable = `INSERT INTO iceberg_tables
  (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
  VALUES (?, ?, ?, ?, NULL, 'TABLE')`

const swapTable = `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
  WHERE ${thisTable} AND metadata_location = ?`

const TableRow = Schema.Struct({
  table_namespace: Schema.String,
  table_name: Schema.String,
  metadata_location: Schema.String
})
// the columns by name: a statement outlives an engine that adds one
const selectTables = "SELECT table_namespace, table_name, metadata_location FROM iceberg_tables WHERE"
const NamespaceRow = Schema.Struct({ namespace: Schema.String })
const ColumnRow = Schema.Struct({ name: Schema.String })

type DecodeRows<A> = (rows: unknown) => Effect.Effect<ReadonlyArray<A>, Schema.SchemaError>

// made once: a commit begins with reading a row
const tableRows = Schema.decodeUnknownEffect(Schema.Array(TableRow))
const namespaceRows = Schema.decodeUnknownEffect(Schema.Array(NamespaceRow))
const columnRows = Schema.decodeUnknownEffect(Schema.Array(ColumnRow))

class SqlitePointers implements TablePointers {
  readonly name: string
  private readonly options: SqliteCatalogOptions
  private readonly database: SqliteDatabase
  /** The name that entries have in the file. */
  private readonly catalogName: string

  constructor(options: SqliteCatalogOptions, database: SqliteDatabase) {
    this.options = options
    this.database = database
    this.name = `catalog ${options.file}`
    this.catalogName = options.name ?? nameDefault
  }

  private rows<A>(decode: DecodeRows<A>, sql: string, ...values: ReadonlyArray<string>) {
    return this.database.all(sql, ...values).pipe(
      Effect.flatMap((rows) =>
        Effect.mapError(
          decode(rows),
          (cause) =>
            new LakeError({
              reason: "Corrupt",
              message: `catalog ${this.options.file}: an entry is not as it must be: ${cause.message}`,
              cause
            })
        )
      )
    )
  }

  /** Makes what is missing: the tables, and the column that files of version 0 lack. */
  readonly prepare = Effect.suspend(() =>
    Effect.gen({ self: this }, function* () {
      // Reading first: a file that is complete already needs no write lock.
      const columns = yield* this.rows(columnRows, "SELECT name FROM pragma_table_info('iceberg_tables')")
      if (columns.length === 0) yield* this.database.run(tablesTable)
      else if (!columns.some((column) => column.name === "iceberg_type")) {
        yield* this.database.run("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)")
      }
      yield* this.database.run(namespacesTable)
    })
  )

  readonly namespaces = Effect.suspend(() =>
    this.rows(
      namespaceRows,
      `SELECT table_namespace AS namespace FROM iceberg_tables WHERE catalog_name = ?
       UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ? ORDER BY 1`,
      this.catalogName,
      this.catalogName
    ).pipe(Effect.map((rows) => rows.map((row) => row.namespace)))
  )

  tables(namespace?: string): Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError> {
    const where = namespace === undefined ? "" : " AND table_namespace = ?"
    const values = namespace === undefined ? [] : [namespace]
    return this.rows(
      tableRows,
      `${selectTables} catalog_name = ? AND ${isTable}${where} ORDER BY table_namespace, table_name`,
      this.catalogName,
      ...values
    ).pipe(Effect.map((rows) => rows.map((row) => ({ namespace: row.table_namespace, name: row.table_name }))))
  }

  private key(table: TableIdentifier): readonly [string, string, string] {
    return [this.catalogName, table.namespace, table.name]
  }

  find(table: TableIdentifier): Effect.Effect<string | undefined, LakeError> {
    return Effect.map(
      this.rows(tableRows, `${selectTables} ${thisTable}`, ...this.key(table)),
      ([row]) => row?.metadata_location
    )
  }

  insert(table: TableIdentifier, location: string): Effect.Effect<boolean, LakeError> {
    return this.database
      .run(
        "INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')",
        this.catalogName,
        table.namespace
      )
      .pipe(
        Effect.andThen(this.database.run(insertTable, ...this.key(table), location)),
        Effect.as(true),
        Effect.catchIf(isDuplicate, () => Effect.succeed(false))
      )
  }

  swap(table: TableIdentifier, from: string, to: string): Effect.Effect<boolean, LakeError> {
    return Effect.map(this.database.run(swapTable, to, from, ...this.key(table), from), (changed) => changed === 1)
  }

  remove(table: TableIdentifier): Effect.Effect<boolean, LakeError> {
    return Effect.map(
      this.database.run(`DELETE FROM iceberg_tables WHERE ${thisTable}`, ...this.key(table)),
      (changed) => changed > 0
    )
  }
}

const make = Effect.fnUntraced(function* (options: SqliteCatalogOptions) {
  const fileIO = yield* FileIO
  const pointers = new SqlitePointers(options, yield* openSqlite(options.file))
  yield* pointers.prepare
  return Catalog.of(makePointerCatalog(pointers, fileIO, options.warehouse))
})

/** The catalog in a SQLite file. Fails when the file is damaged or cannot be opened. */
export const layerSqliteCatalog = (options: SqliteCatalogOptions): Layer.Layer<Catalog, LakeError, FileIO> =>
  Layer.effect(Catalog, make(options))
