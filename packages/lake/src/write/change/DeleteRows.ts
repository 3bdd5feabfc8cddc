/**
 * Deletes rows by a filter: files without the rows in the place of those that hold some, or delete files beside them
 * (position deletes, deletion vectors in tables of format version 3).
 *
 * **Guarantees**: exactly the rows that the filter means are gone, in one snapshot, decided on one snapshot; what others
 * committed meanwhile is never lost: the decision is made anew on it. Which way is taken says the table's property
 * `write.delete.mode`, `copy-on-write` unless it is `merge-on-read`.
 */
import { Storage } from "@frazil/core"
import { Effect, type Scope } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../../catalog/Catalog.ts"
import { DuckDb, type DuckDbConnection } from "../../io/DuckDb.ts"
import type { FileIO } from "../../io/FileIO.ts"
import { scratchFolder } from "../../io/ScratchFolder.ts"
import { LakeError } from "../../LakeError.ts"
import { FileRewriter } from "../../maintenance/FileRewriter.ts"
import { checkFiles } from "../../read/CheckFiles.ts"
import type { Filter } from "../../read/Filter.ts"
import { filterSql } from "../../read/FilterSql.ts"
import { withLocalFiles } from "../../read/LocalFiles.ts"
import { planScan, type ScanPlan } from "../../read/PlanScan.ts"
import { fileColumn, positionsRelation, rowColumn } from "../../read/TableRelation.ts"
import type { DataFile, DeleteFile } from "../../spec/DataFile.ts"
import type { ManifestEntry } from "../../spec/Manifest.ts"
import { mainBranch } from "../../spec/Snapshot.ts"
import { commitTable, type Committed } from "../CommitTable.ts"
import { fromDuckDbError, type ParquetError } from "../parquet/ParquetError.ts"
import { changeRows, type ChangeRows } from "../TableAction.ts"
import { writeDeletionVectors } from "./DeletionVectors.ts"
import { writePositionDeletes } from "./PositionDeletes.ts"
import { isolationOf, mergesOnRead, type RowOperation } from "./RowOperation.ts"

export interface DeleteOptions {
  readonly branch?: string
  /** What the table's property says for such a change (`write.delete.isolation-level`, `update`, `merge`), unless given. */
  readonly isolation?: ChangeRows["isolation"]
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary?: ReadonlyMap<string, string>
}

/** How often a decision is made anew on what others committed meanwhile. */
const decisionsMax = 5

/** What rows of a scan are to go, and in which way. */
export interface Removal {
  readonly removed: ReadonlyArray<DataFile>
  /** In the place of `removed`: what stays of them. */
  readonly kept: ReadonlyArray<DataFile>
  readonly deletes: ReadonlyArray<DeleteFile>
  /** Delete files that those stand in the place of. */
  readonly replacedDeletes: ReadonlyArray<DeleteFile>
  readonly rows: number
}

interface Matched {
  readonly entry: ManifestEntry
  /** Rows that are to go, and those that readers see now. */
  readonly gone: number
  readonly live: number
}

/** Which files hold rows that the condition means, and how many. */
const matchedFiles = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  plan: ScanPlan,
  condition: string
): Effect.fn.Return<ReadonlyArray<Matched>, LakeError | ParquetError> {
  if (plan.entries.length === 0) return []
  const relation = yield* Effect.fromResult(positionsRelation(plan))
  const gone = `count(*) FILTER (WHERE (${condition}) IS TRUE)`
  const sql = `SELECT ${fileColumn}::INTEGER, ${gone}::DOUBLE, count(*)::DOUBLE
    FROM (${relation}) GROUP BY ${fileColumn} HAVING ${gone} > 0 ORDER BY ${fileColumn}`
  const reader = yield* Effect.mapError(connection.query(sql, "looking for rows to delete"), fromDuckDbError)
  return reader.getRows().map(([file, gone, live]) => ({
    entry: plan.entries[Number(file)]!,
    gone: Number(gone),
    live: Number(live)
  }))
})

/** Decides what happens to the files of a scan for the rows that an SQL condition means; writes what is needed. */
export const removeRows = Effect.fnUntraced(function* (
  planned: ScanPlan,
  condition: string,
  operation: RowOperation
): Effect.fn.Return<Removal, LakeError | ParquetError, DuckDb | Storage | Scope.Scope> {
  const plan = yield* withLocalFiles(yield* Storage, planned)
  const duckDb = yield* DuckDb
  const connection = yield* Effect.mapError(duckDb.connect, fromDuckDbError)
  const matched = yield* matchedFiles(connection, plan, condition)
  const whole = matched.filter(({ gone, live }) => gone === live)
  const partly = matched.filter(({ gone, live }) => gone < live)
  const rows = matched.reduce((sum, { gone }) => sum + gone, 0)
  const removed = whole.map(({ entry }) => entry.dataFile)
  const merging = mergesOnRead(plan.metadata.properties, operation)
  if (merging && plan.metadata.formatVersion >= 3) {
    const entries = partly.map(({ entry }) => entry)
    const { deletes, replaced } = yield* writeDeletionVectors(connection, plan, entries, condition)
    return { removed, kept: [], deletes, replacedDeletes: replaced, rows }
  }
  if (merging) {
    const folder = yield* scratchFolder(duckDb, "deletes")
    const deletes = yield* Effect.forEach(partly, ({ entry }) =>
      Effect.flatMap(Effect.fromResult(positionsRelation({ ...plan, entries: [entry] })), (relation) => {
        const positions = `SELECT ${rowColumn} AS pos FROM (${relation}) WHERE (${condition}) IS TRUE`
        return writePositionDeletes(connection, folder, { plan, entry, positions })
      })
    )
    return { removed, kept: [], deletes, replacedDeletes: [], rows }
  }
  const rewriter = yield* FileRewriter
  const kept = yield* Effect.forEach(partly, ({ entry }) =>
    rewriter.rewrite({ plan, group: { files: [entry.dataFile], pieces: 1 }, publish: true, without: condition })
  )
  const rewritten = partly.map(({ entry }) => entry.dataFile)
  return { removed: [...removed, ...rewritten], kept: kept.flat(), deletes: [], replacedDeletes: [], rows }
})

/** Decides on the table as it is, and anew when others changed what it was decided by. */
export const decideAndCommit = <E, R>(
  identifier: TableIdentifier,
  branch: string | undefined,
  decide: (base: Table, plan: ScanPlan) => Effect.Effect<ChangeRows | undefined, E, R>,
  filter: Filter | undefined
): Effect.Effect<Committed | undefined, E | LakeError, R | Catalog | FileIO> => {
  let tableUuid: string | undefined
  return Effect.gen(function* () {
    const catalog = yield* Catalog
    const base = yield* catalog.loadTable(identifier)
    tableUuid ??= base.metadata.tableUuid
    if (tableUuid !== base.metadata.tableUuid) {
      // what was asked was about the rows of another
      const message = `table ${identifierText(identifier)}: another table was put in its place meanwhile, and nothing was changed: look whether it is meant for that one`
      return yield* new LakeError({ reason: "TableReplaced", message })
    }
    const known = branch !== undefined && base.metadata.refs.has(branch)
    const plan = yield* planScan(base, {
      ...(known ? { asOf: { _tag: "Ref", name: branch } } : {}),
      ...(filter === undefined ? {} : { filter })
    })
    yield* checkFiles(plan)
    const change = yield* decide(base, plan)
    if (change === undefined) return undefined
    return yield* commitTable({
      table: identifier,
      branch: branch ?? mainBranch,
      requirements: [{ _tag: "AssertTableUuid", tableUuid: base.metadata.tableUuid }],
      actions: () => Effect.succeed([change])
    })
  }).pipe(
    Effect.retry({
      times: decisionsMax - 1,
      while: (error) => error instanceof LakeError && error.reason === "RequirementFailed"
    })
  )
}

/**
 * Deletes the rows that the filter means; undefined when there are none, and nothing is committed then. Rows where a
 * comparison is with null stay. Fails with Invalid for a column that the table has not.
 */
export const deleteRows = Effect.fn("deleteRows")(function* (
  identifier: TableIdentifier,
  filter: Filter,
  options: DeleteOptions = {}
): Effect.fn.Return<Committed | undefined, LakeError | ParquetError, Catalog | FileIO | DuckDb | Storage> {
  const decide = (base: Table, plan: ScanPlan) =>
    Effect.gen(function* () {
      const condition = filterSql(filter, plan.schema)
      const { deletes, kept, removed, replacedDeletes, rows } = yield* removeRows(plan, condition, "delete")
      if (rows === 0) return undefined
      return changeRows({
        removed,
        added: kept,
        deletes,
        replacedDeletes,
        readSnapshotId: plan.snapshot?.snapshotId ?? null,
        isolation: options.isolation ?? isolationOf(base.metadata.properties, "delete"),
        filter,
        summary: options.summary ?? new Map()
      })
    }).pipe(Effect.scoped)
  return yield* decideAndCommit(identifier, options.branch, decide, filter)
})
