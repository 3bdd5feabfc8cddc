/**
 * A catalog in one SQLite file, in the schema that PyIceberg's SqlCatalog and Java's JdbcCatalog share (version 1, with
 * `iceberg_type`): all three may have it open at once.
 *
 * The swap is one conditional UPDATE, which SQLite makes durable before it returns.
 */
import { faultPoint, normaliseUri } from "@frazil/core"
import { Clock, Effect, Layer, Schema } from "effect"
import { FileIO, type FileIOShape } from "../io/FileIO.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { LakeError } from "../LakeError.ts"
import { metadataFileName, metadataFolder } from "../spec/Locations.ts"
import { applyUpdates, newTableMetadata, newTableProblems } from "../spec/MetadataUpdate.ts"
import { unpartitioned } from "../spec/PartitionSpec.ts"
import { unmetRequirement } from "../spec/Requirement.ts"
import { unsorted } from "../spec/SortOrder.ts"
import {
  Catalog,
  identifierText,
  type CatalogShape,
  type CreateTable,
  type Table,
  type TableCommit,
  type TableIdentifier
} from "./Catalog.ts"
import { isDuplicate, openSqlite, type SqliteDatabase } from "./SqliteDatabase.ts"

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
const NamespaceRow = Schema.Struct({ namespace: Schema.String })
const ColumnRow = Schema.Struct({ name: Schema.String })

const identifierPart = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/

const identifierProblems = (identifier: TableIdentifier): ReadonlyArray<string> => {
  const parts = [...identifier.namespace.split("."), identifier.name]
  return parts.every((part) => identifierPart.test(part))
    ? []
    : [`table name ${identifierText(identifier)}: letters, digits, _ and - only, with a namespace before the dot`]
}

const invalid = (message: string): LakeError => new LakeError({ reason: "Invalid", message })

class SqliteCatalog {
  private readonly options: SqliteCatalogOptions
  private readonly database: SqliteDatabase
  private readonly fileIO: FileIOShape
  private readonly name: string

  constructor(options: SqliteCatalogOptions, database: SqliteDatabase, fileIO: FileIOShape) {
    this.options = options
    this.database = database
    this.fileIO = fileIO
    this.name = options.name ?? nameDefault
  }

  private rows<S extends Schema.Codec<unknown, unknown>>(schema: S, sql: string, ...values: ReadonlyArray<string>) {
    const decode = Schema.decodeUnknownEffect(Schema.Array(schema))
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
      const columns = yield* this.rows(ColumnRow, "SELECT name FROM pragma_table_info('iceberg_tables')")
      if (columns.length === 0) yield* this.database.run(tablesTable)
      else if (!columns.some((column) => column.name === "iceberg_type")) {
        yield* this.database.run("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)")
      }
      yield* this.database.run(namespacesTable)
    })
  )

  readonly listNamespaces = Effect.suspend(() =>
    this.rows(
      NamespaceRow,
      `SELECT table_namespace AS namespace FROM iceberg_tables WHERE catalog_name = ?
       UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ? ORDER BY 1`,
      this.name,
      this.name
    ).pipe(Effect.map((rows) => rows.map((row) => row.namespace)))
  )

  listTables(namespace?: string): Effect.Effect<ReadonlyArray<TableIdentifier>, LakeError> {
    const where = namespace === undefined ? "" : " AND table_namespace = ?"
    const values = namespace === undefined ? [] : [namespace]
    return this.rows(
      TableRow,
      `SELECT * FROM iceberg_tables WHERE catalog_name = ? AND ${isTable}${where} ORDER BY table_namespace, table_name`,
      this.name,
      ...values
    ).pipe(Effect.map((rows) => rows.map((row) => ({ namespace: row.table_namespace, name: row.table_name }))))
  }

  private key(identifier: TableIdentifier): readonly [string, string, string] {
    return [this.name, identifier.namespace, identifier.name]
  }

  private missing(identifier: TableIdentifier): LakeError {
    return new LakeError({
      reason: "TableMissing",
      message: `table ${identifierText(identifier)} is not in catalog ${this.options.file}`
    })
  }

  private location(identifier: TableIdentifier): Effect.Effect<string, LakeError> {
    return this.rows(TableRow, `SELECT * FROM iceberg_tables WHERE ${thisTable}`, ...this.key(identifier)).pipe(
      Effect.flatMap(([row]) =>
        row === undefined ? Effect.fail(this.missing(identifier)) : Effect.succeed(row.metadata_location)
      )
    )
  }

  loadTable(identifier: TableIdentifier): Effect.Effect<Table, LakeError> {
    return Effect.gen({ self: this }, function* () {
      const metadataLocation = yield* this.location(identifier)
      const metadata = yield* this.fileIO.readTableMetadata(metadataLocation)
      return { identifier, metadataLocation, metadata }
    })
  }

  createTable(declared: CreateTable): Effect.Effect<Table, LakeError> {
    return Effect.gen({ self: this }, function* () {
      const { identifier } = declared
      const table = {
        schema: declared.schema,
        partitionSpec: declared.partitionSpec ?? unpartitioned,
        sortOrder: declared.sortOrder ?? unsorted,
        properties: new Map([["write.parquet.compression-codec", "zstd"], ...(declared.properties ?? [])])
      }
      const problems = [...identifierProblems(identifier), ...newTableProblems(table)]
      if (problems.length > 0) {
        return yield* invalid(`table ${identifierText(identifier)} cannot be made: ${problems.join("; ")}`)
      }
      const folder = `${identifier.namespace.replaceAll(".", "/")}/${identifier.name}`
      const metadata = newTableMetadata({
        ...table,
        tableUuid: yield* randomUuid,
        location: normaliseUri(declared.location ?? `${this.options.warehouse.replace(/\/+$/, "")}/${folder}`),
        createdMs: yield* Clock.currentTimeMillis
      })
      const metadataLocation = `${metadataFolder(metadata)}/${metadataFileName(undefined, yield* randomUuid)}`
      yield* this.fileIO.writeTableMetadata(metadataLocation, metadata)
      const created = { identifier, metadataLocation, metadata }
      yield* this.insertRow(created)
      return created
    })
  }

  /** **The commit point** of a creation. */
  private insertRow(table: Table): Effect.Effect<void, LakeError> {
    const { identifier, metadataLocation } = table
    const exists = new LakeError({
      reason: "TableExists",
      message: `table ${identifierText(identifier)} is in catalog ${this.options.file} already`
    })
    return Effect.gen({ self: this }, function* () {
      yield* this.database.run(
        "INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')",
        this.name,
        identifier.namespace
      )
      yield* this.database.run(insertTable, ...this.key(identifier), metadataLocation).pipe(
        Effect.catch((error) => {
          if (isDuplicate(error)) return Effect.fail(exists)
          if (error.reason !== "OutcomeUnknown") return Effect.fail(error)
          // Looked up instead of assumed: the entry is ours, another's, or not there.
          return this.location(identifier).pipe(
            Effect.flatMap((found) => (found === metadataLocation ? Effect.void : Effect.fail(exists))),
            Effect.catchTag("LakeError", (again) => Effect.fail(again.reason === "TableMissing" ? error : again))
          )
        })
      )
    })
  }

  dropTable(identifier: TableIdentifier): Effect.Effect<void, LakeError> {
    return this.database
      .run(`DELETE FROM iceberg_tables WHERE ${thisTable}`, ...this.key(identifier))
      .pipe(Effect.flatMap((changed) => (changed === 0 ? Effect.fail(this.missing(identifier)) : Effect.void)))
  }

  commit({ base, requirements, updates }: TableCommit): Effect.Effect<Table, LakeError> {
    const { identifier } = base
    return Effect.gen({ self: this }, function* () {
      const unmet = unmetRequirement(base.metadata, requirements)
      if (unmet !== undefined) {
        return yield* new LakeError({
          reason: "RequirementFailed",
          message: `table ${identifierText(identifier)}: ${unmet}`
        })
      }
      const now = yield* Clock.currentTimeMillis
      const metadata = applyUpdates(base.metadata, base.metadataLocation, updates, now)
      const fileName = metadataFileName(base.metadataLocation, yield* randomUuid)
      const metadataLocation = `${metadataFolder(metadata)}/${fileName}`
      yield* this.fileIO.writeTableMetadata(metadataLocation, metadata)
      yield* faultPoint("before-swap")
      const swapped = yield* this.database.run(
        swapTable,
        metadataLocation,
        base.metadataLocation,
        ...this.key(identifier),
        base.metadataLocation
      )
      if (swapped === 1) return { identifier, metadataLocation, metadata }
      yield* this.location(identifier)
      return yield* new LakeError({
        reason: "CommitConflict",
        message: `table ${identifierText(identifier)}: another commit was first`
      })
    })
  }
}

const make = Effect.fnUntraced(function* (options: SqliteCatalogOptions) {
  const fileIO = yield* FileIO
  const catalog = new SqliteCatalog(options, yield* openSqlite(options.file), fileIO)
  yield* catalog.prepare
  const shape: CatalogShape = {
    listNamespaces: catalog.listNamespaces,
    listTables: (namespace) => catalog.listTables(namespace),
    loadTable: (identifier) => catalog.loadTable(identifier),
    createTable: (table) => catalog.createTable(table),
    dropTable: (identifier) => catalog.dropTable(identifier),
    commit: (commit) => catalog.commit(commit)
  }
  return Catalog.of(shape)
})

/** The catalog in a SQLite file. Fails when the file is damaged or cannot be opened. */
export const layerSqliteCatalog = (options: SqliteCatalogOptions): Layer.Layer<Catalog, LakeError, FileIO> =>
  Layer.effect(Catalog, make(options))
