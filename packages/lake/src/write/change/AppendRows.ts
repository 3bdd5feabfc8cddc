/**
 * Puts the rows of an SQL query into a table: appended, in the place of others (by filter, by partition), or by key.
 *
 * **Guarantees**: all rows in one snapshot or none; what others committed meanwhile is never lost. A row that does not fit
 * fails with Invalid, and the table is as it was.
 */
import type { Storage } from "@frazil/core"
import { Effect } from "effect"
import { Catalog, type Table, type TableIdentifier } from "../../catalog/Catalog.ts"
import { DuckDb, sqlName } from "../../io/DuckDb.ts"
import type { FileIO } from "../../io/FileIO.ts"
import { LakeError } from "../../LakeError.ts"
import type { Filter } from "../../read/Filter.ts"
import { filterSql } from "../../read/FilterSql.ts"
import type { ScanPlan } from "../../read/PlanScan.ts"
import type { DataFile } from "../../spec/DataFile.ts"
import { bindPartitionSpec, partitionKey } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import { currentSchema, defaultSpec, type TableMetadata } from "../../spec/TableMetadata.ts"
import { commitTable, type Committed } from "../CommitTable.ts"
import { fromDuckDbError, type ParquetError } from "../parquet/ParquetError.ts"
import { append, type ChangeRows, changeRows } from "../TableAction.ts"
import { decideAndCommit, removeRows, type DeleteOptions, type Removal } from "./DeleteRows.ts"
import { rowsWrong } from "./DivideRows.ts"
import { partitionKeySql } from "./PartitionText.ts"
import { isolationOf, type RowOperation } from "./RowOperation.ts"
import { relationRows, writeRelation, type RelationOptions } from "./WriteRelation.ts"

export interface RowsOptions extends DeleteOptions, RelationOptions {}

type Services = Catalog | FileIO | DuckDb | Storage

/** Appends; undefined when the query has no rows. `select` is trusted SQL text that names every column of the table. */
export const appendRows = Effect.fn("appendRows")(function* (
  identifier: TableIdentifier,
  select: string,
  options: RowsOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Services> {
  const base = yield* (yield* Catalog).loadTable(identifier)
  const files = yield* Effect.scoped(writeRelation(base.metadata, select, options))
  if (files.length === 0) return undefined
  return yield* commitTable({
    table: identifier,
    ...(options.branch === undefined ? {} : { branch: options.branch }),
    requirements: [{ _tag: "AssertTableUuid", tableUuid: base.metadata.tableUuid }],
    actions: () => Effect.succeed([append(files, options.summary)])
  })
})

/** The action: rows that go of a plan, and files that come. */
const changeOf = (
  base: Table,
  plan: ScanPlan,
  added: ReadonlyArray<DataFile>,
  { deletes, kept, removed, replacedDeletes }: Removal,
  operation: RowOperation,
  options: RowsOptions,
  about: Pick<ChangeRows, "filter" | "partitions"> = {}
): ChangeRows =>
  changeRows({
    removed,
    added: [...kept, ...added],
    deletes,
    replacedDeletes,
    readSnapshotId: plan.snapshot?.snapshotId ?? null,
    isolation: options.isolation ?? isolationOf(base.metadata.properties, operation),
    ...about,
    summary: options.summary ?? new Map()
  })

/** The query's rows as SQL text, typed. */
const typedRowsOf = Effect.fnUntraced(function* (metadata: TableMetadata, select: string) {
  const { connect } = yield* DuckDb
  const connection = yield* Effect.mapError(connect, fromDuckDbError)
  return yield* relationRows(connection, metadata, currentSchema(metadata), select)
})

/**
 * The query's rows in the place of those that the filter means; of all when it is undefined. Rows of the query need not match
 * the filter.
 */
export const overwriteRows = Effect.fn("overwriteRows")(function* (
  identifier: TableIdentifier,
  filter: Filter | undefined,
  select: string,
  options: RowsOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Services> {
  const decide = (base: Table, plan: ScanPlan) =>
    Effect.gen(function* () {
      const condition = filter === undefined ? "true" : filterSql(filter, plan.schema)
      const added = yield* writeRelation(base.metadata, select, options)
      const removal = yield* removeRows(plan, condition, "update")
      if (removal.rows === 0 && added.length === 0) return undefined
      return changeOf(base, plan, added, removal, "update", options, filter === undefined ? {} : { filter })
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, filter)
})

/** The partitions of the rows, which are typed, by the spec in force: a table of them, one a row, with a column a field. */
const partitionsOf = (metadata: TableMetadata, rows: string) =>
  Effect.try({
    try: () => {
      const schema = currentSchema(metadata)
      const bound = bindPartitionSpec(defaultSpec(metadata), schema).filter(
        ({ transform }) => transform._tag !== "void"
      )
      // names that no column has, since both stand in one condition
      const keys = bound.map((field, i) => ({
        name: sqlName(`frazil key ${i}`),
        sql: partitionKeySql(field, schema)
      }))
      const columns = keys.map(({ name, sql }) => `${sql} AS ${name}`).join(", ")
      return { keys, sql: keys.length === 0 ? rows : `SELECT DISTINCT ${columns} FROM (${rows})` }
    },
    catch: (cause) =>
      new LakeError({
        reason: "Unsupported",
        message: `table ${metadata.location}: its partitions cannot be told apart here (${String(cause)})`,
        cause
      })
  })

/**
 * The query's rows in the place of the partitions that they are of, by the spec in force: Spark's dynamic overwrite. Rows that
 * an earlier spec put elsewhere go with their partition too; of a table without partitions, all rows go. A query without rows
 * changes nothing.
 */
export const overwritePartitions = Effect.fn("overwritePartitions")(function* (
  identifier: TableIdentifier,
  select: string,
  options: RowsOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Services> {
  const decide = (base: Table, plan: ScanPlan) =>
    Effect.gen(function* () {
      const { metadata } = base
      const rows = yield* typedRowsOf(metadata, select)
      const { keys, sql } = yield* partitionsOf(metadata, rows)
      // as structs, whose nulls are equal. Not EXISTS: DuckDB would look once for columns that are equal, as both zeros are
      const packed = (of: (key: (typeof keys)[number]) => string) =>
        `struct_pack(${keys.map((key, i) => `k${i} := ${of(key)}`).join(", ")})`
      const condition =
        keys.length === 0
          ? "true"
          : `${packed((key) => key.sql)} IN (SELECT ${packed(({ name }) => name)} FROM (${sql}))`
      const added = yield* writeRelation(metadata, select, options)
      if (added.length === 0) return undefined
      const removal = yield* removeRows(plan, condition, "update")
      const partitions = new Set(added.map(({ partition, specId }) => partitionKey(specId, partition)))
      return changeOf(base, plan, added, removal, "update", options, {
        partitions: { specId: metadata.defaultSpecId, keys: partitions }
      })
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, undefined)
})

/** The rows must have one for each key, and no null in it. */
const checkKeys = Effect.fnUntraced(function* (metadata: TableMetadata, rows: string, keys: ReadonlyArray<string>) {
  const { connect } = yield* DuckDb
  const connection = yield* Effect.mapError(connect, fromDuckDbError)
  const names = keys.map(sqlName)
  const sql = `SELECT count(*)::DOUBLE, count(*) FILTER (WHERE ${names.map((name) => `${name} IS NULL`).join(" OR ")})::DOUBLE,
    (SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${names.join(", ")} FROM (${rows}))) FROM (${rows})`
  const reader = yield* connection
    .query(sql, "looking at keys")
    .pipe(Effect.mapError(fromDuckDbError), Effect.mapError(rowsWrong(metadata)))
  const [count, nulls, distinct] = reader.getRows()[0]!.map(Number)
  const wrong =
    nulls! > 0
      ? `${nulls} rows have a null in the key`
      : distinct! < count!
        ? `${count! - distinct!} keys come more than once`
        : undefined
  if (wrong === undefined) return
  return yield* new LakeError({
    reason: "Invalid",
    message: `table ${metadata.location}: rows cannot be put in by ${keys.join(", ")}: ${wrong}`
  })
})

/** What is wrong with columns to find rows by; undefined when nothing is. */
const keysWrong = ({ fields }: TableSchema, keys: ReadonlyArray<string>): string | undefined => {
  if (keys.length === 0) return "it has no column to find rows by"
  for (const key of keys) {
    const type = fields.find(({ name }) => name === key)?.type
    if (type === undefined) return `it has no column ${key}`
    // as the specification has it of identifier fields
    if (type._tag === "float" || type._tag === "double") {
      return `rows cannot be put in by ${key}: floating numbers are no key, as what is equal is not the same; delete by a filter and append`
    }
  }
  return undefined
}

/** The query's rows, in the place of those with the same keys: whichever the table has, and those that it has not. */
export const upsertRows = Effect.fn("upsertRows")(function* (
  identifier: TableIdentifier,
  keys: ReadonlyArray<string>,
  select: string,
  options: RowsOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Services> {
  const decide = (base: Table, plan: ScanPlan) =>
    Effect.gen(function* () {
      const { metadata } = base
      const wrong = keysWrong(currentSchema(metadata), keys)
      if (wrong !== undefined) {
        return yield* new LakeError({ reason: "Invalid", message: `table ${metadata.location}: ${wrong}` })
      }
      // keys are compared as the table has them: two texts may be one decimal
      const rows = yield* typedRowsOf(metadata, select)
      yield* checkKeys(metadata, rows, keys)
      const names = keys.map(sqlName).join(", ")
      const condition = `(${names}) IN (SELECT (${names}) FROM (${rows}))`
      const added = yield* writeRelation(metadata, select, options)
      if (added.length === 0) return undefined
      return changeOf(base, plan, added, yield* removeRows(plan, condition, "merge"), "merge", options)
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, undefined)
})
