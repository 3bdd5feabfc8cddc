/**
 * Puts the rows of an SQL query into a table: appended, in the place of others, or by key.
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
import { currentSchema } from "../../spec/TableMetadata.ts"
import { commitTable, type Committed } from "../CommitTable.ts"
import { fromDuckDbError, type ParquetError } from "../parquet/ParquetError.ts"
import { append, changeRows } from "../TableAction.ts"
import { decideAndCommit, isolationOf, removeRows, type DeleteOptions } from "./DeleteRows.ts"
import { writeRelation, type RelationOptions } from "./WriteRelation.ts"

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
      const condition = yield* Effect.try({
        try: () => (filter === undefined ? "true" : filterSql(filter, plan.schema)),
        catch: (cause) =>
          new LakeError({ reason: "Invalid", message: `rows cannot be replaced: ${String(cause)}`, cause })
      })
      const added = yield* writeRelation(base.metadata, select, options)
      const { deletes, kept, removed, replacedDeletes, rows } = yield* removeRows(plan, condition, "update")
      if (rows === 0 && added.length === 0) return undefined
      return changeRows({
        removed,
        added: [...kept, ...added],
        deletes,
        replacedDeletes,
        readSnapshotId: plan.snapshot?.snapshotId ?? null,
        isolation: options.isolation ?? isolationOf(base, "update"),
        ...(filter === undefined ? {} : { filter }),
        summary: options.summary ?? new Map()
      })
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, filter)
})

/** The query's rows must have one for each key, and no null in it. */
const checkKeys = Effect.fnUntraced(function* (base: Table, select: string, keys: ReadonlyArray<string>) {
  const { connect } = yield* DuckDb
  const connection = yield* Effect.mapError(connect, fromDuckDbError)
  const names = keys.map(sqlName)
  const sql = `SELECT count(*)::DOUBLE, count(*) FILTER (WHERE ${names.map((name) => `${name} IS NULL`).join(" OR ")})::DOUBLE,
    (SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${names.join(", ")} FROM (${select}))) FROM (${select})`
  const reader = yield* Effect.mapError(connection.query(sql, "looking at keys"), fromDuckDbError)
  const [rows, nulls, distinct] = reader.getRows()[0]!.map(Number)
  const wrong =
    nulls! > 0
      ? `${nulls} rows have a null in the key`
      : distinct! < rows!
        ? `${rows! - distinct!} keys come more than once`
        : undefined
  if (wrong === undefined) return
  return yield* new LakeError({
    reason: "Invalid",
    message: `table ${base.metadata.location}: rows cannot be put in by ${keys.join(", ")}: ${wrong}`
  })
})

/** The query's rows, in the place of those with the same keys: whichever the table has, and those that it has not. */
export const upsertRows = Effect.fn("upsertRows")(function* (
  identifier: TableIdentifier,
  keys: ReadonlyArray<string>,
  select: string,
  options: RowsOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Services> {
  const decide = (base: Table, plan: ScanPlan) =>
    Effect.gen(function* () {
      const columns = new Set(currentSchema(base.metadata).fields.map(({ name }) => name))
      const missing = keys.find((key) => !columns.has(key))
      if (missing !== undefined || keys.length === 0) {
        const message = `table ${base.metadata.location}: it has no column ${missing ?? "to find rows by"}`
        return yield* new LakeError({ reason: "Invalid", message })
      }
      yield* checkKeys(base, select, keys)
      const names = keys.map(sqlName).join(", ")
      const condition = `(${names}) IN (SELECT (${names}) FROM (${select}))`
      const added = yield* writeRelation(base.metadata, select, options)
      if (added.length === 0) return undefined
      const { deletes, kept, removed, replacedDeletes } = yield* removeRows(plan, condition, "update")
      return changeRows({
        removed,
        added: [...kept, ...added],
        deletes,
        replacedDeletes,
        readSnapshotId: plan.snapshot?.snapshotId ?? null,
        isolation: options.isolation ?? isolationOf(base, "update"),
        summary: options.summary ?? new Map()
      })
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, undefined)
})
