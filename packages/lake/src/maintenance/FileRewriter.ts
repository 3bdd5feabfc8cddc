/**
 * Rewrites the rows of data files into new files: DuckDB reads Parquet and writes Parquet, with field ids kept.
 *
 * Compaction calls it for each group. **Guarantee**: the new files have exactly the rows that the manifests promised of the
 * old ones and that no delete file means, in their order (or in the table's sort order, or Z-order), by the table's current schema; else it fails. **Bounds**: DuckDB's
 * memory, whatever the size of the files. A reference, as `DataFileWriter` is, so that the simulated world can replace it.
 */
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { faultPoint, Storage } from "@frazil/core"
import { Context, Effect, Result, type Scope } from "effect"
import { DuckDb, sqlText, type DuckDbConnection } from "../io/DuckDb.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { scratchFolder } from "../io/ScratchFolder.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import type { ScanPlan } from "../read/PlanScan.ts"
import { withLocalFiles } from "../read/LocalFiles.ts"
import { fileText } from "../read/RelationFiles.ts"
import { lineageRelation, tableRelation } from "../read/TableRelation.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { dataFolder } from "../spec/Locations.ts"
import { metricsModes } from "../spec/MetricsMode.ts"
import { type PartitionSpec, unknownField } from "../spec/PartitionSpec.ts"
import { lastUpdatedField, rowIdField } from "../spec/RowLineage.ts"
import type { TableSchema } from "../spec/Schema.ts"
import { defaultSortOrder, specById } from "../spec/TableMetadata.ts"
import { transformToText } from "../spec/Transform.ts"
import { sortedBy } from "../write/change/SortSql.ts"
import { dataFileUri } from "../write/parquet/DataFileUri.ts"
import { fieldIdsSql } from "../write/parquet/FieldIds.ts"
import { compressionSql, fixColumns } from "../write/parquet/FixedColumns.ts"
import { footerMetrics, withoutFloatBounds } from "../write/parquet/Metrics.ts"
import { fromDuckDbError, fromFileError, fromStorageError, type ParquetError } from "../write/parquet/ParquetError.ts"
import { footerRowCount } from "../write/parquet/ParquetFooter.ts"
import { PartFile } from "../write/parquet/PartFile.ts"
import type { FileGroup } from "./PlanCompaction.ts"
import { zOrderBy, zOrderOf } from "./ZOrder.ts"

export interface RewriteRequest {
  /** The scan that gave the group's files. */
  readonly plan: ScanPlan
  readonly group: FileGroup
  /** False: the new files are made, measured and thrown away. */
  readonly publish: boolean
  /** An SQL condition: rows for which it is true do not go into the new files. */
  readonly without?: string
}

/** What a reader decodes at once; larger groups of rows compress and prune no better. */
const rowGroupRowsMax = 122_880
/** DuckDB's vectors: smaller groups it does not make. */
const rowGroupRowsMin = 2_048
/** A group of rows is in memory as a whole while it is written, its widest column more than once. */
const rowGroupMemoryShare = 1 / 8
/** Of ZSTD: files are as small as at 3, DuckDB's own, for four fifths of a rewrite's CPU. */
const compressionLevel = 2

/** Where each piece of a group begins and ends, in rows. */
export const rangesOf = (
  rows: number,
  pieces: number
): ReadonlyArray<{ readonly from: number; readonly rows: number }> => {
  const starts = Array.from({ length: pieces + 1 }, (_, i) => Math.floor((rows * i) / pieces))
  return starts.slice(0, -1).map((from, i) => ({ from, rows: (starts[i + 1] ?? rows) - from }))
}

/** Rows keep their ids and the commit that changed them last, where the table tells them apart. */
const hasLineage = ({ metadata }: ScanPlan): boolean => metadata.formatVersion >= 3

/** The SELECT of the group's rows. */
const rowsOf = ({ group, plan, without }: RewriteRequest) => {
  const wanted = new Set(group.files)
  const entries = plan.entries.filter(({ dataFile }) => wanted.has(dataFile))
  const order = new Map(group.files.map((file, i) => [file, i]))
  entries.sort((a, b) => (order.get(a.dataFile) ?? 0) - (order.get(b.dataFile) ?? 0))
  const relation = hasLineage(plan) ? lineageRelation : tableRelation
  return Result.map(relation({ ...plan, entries }), (rows) =>
    without === undefined ? rows : `SELECT * FROM (${rows}) WHERE (${without}) IS NOT TRUE`
  )
}

const measured = Effect.fnUntraced(function* (path: string, schema: TableSchema) {
  const footer = yield* Effect.uninterruptible(
    Effect.tryPromise({
      try: async () => {
        await fixColumns(path, schema)
        return (await PartFile.start(path)).finish()
      },
      catch: fromFileError
    })
  )
  const { size } = yield* Effect.tryPromise({ try: () => stat(path), catch: fromFileError })
  return { footer, bytes: size }
})

const expectRows = (plan: ScanPlan, expected: number, found: number): Effect.Effect<void, LakeError> =>
  expected === found
    ? Effect.void
    : Effect.fail(
        new LakeError({
          reason: "Corrupt",
          message: `table ${plan.metadata.location}: files to be rewritten hold ${found} rows where their manifests promise ${expected}; nothing was replaced`
        })
      )

/** What all pieces of a group share. */
interface Piecework {
  readonly request: RewriteRequest
  readonly connection: DuckDbConnection
  /** The SELECT of the group's rows. */
  readonly select: string
  readonly spec: PartitionSpec
  /** How rows are ordered: ORDER BY, or empty where they keep their order. */
  readonly sort: string
  /** The sort order's id, when it is one of the table's. */
  readonly sortOrderId: number | null
  readonly partition: DataFile["partition"]
  readonly rowGroupRows: number
}

/** Rows that fit in a group's bytes, by what the files say of themselves: alerts with their sources are wide. */
const rowsInGroup = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  { group, plan }: RewriteRequest,
  memoryBytesMax: number
) {
  const paths = group.files.map(({ filePath }) => fileText(filePath, plan.copies)).join(", ")
  const sql = `SELECT (sum(total_uncompressed_size) / sum(num_values / columns))::DOUBLE FROM (
    SELECT *, count(*) OVER (PARTITION BY file_name, row_group_id) AS columns FROM parquet_metadata([${paths}]))`
  const reader = yield* Effect.mapError(connection.query(sql, "looking at data files"), fromDuckDbError)
  const bytesOfRow = Number(reader.getRows()[0]?.[0] ?? 0)
  if (!(bytesOfRow > 0)) return rowGroupRowsMax
  return Math.max(
    rowGroupRowsMin,
    Math.min(rowGroupRowsMax, Math.floor((memoryBytesMax * rowGroupMemoryShare) / bytesOfRow))
  )
})

const writePiece = Effect.fnUntraced(function* (
  work: Piecework,
  path: string,
  range: { readonly from: number; readonly rows: number; readonly last: boolean }
): Effect.fn.Return<DataFile, LakeError | ParquetError, Storage> {
  const storage = yield* Storage
  const { connection, partition, request, select, sort, sortOrderId, spec } = work
  const { group, plan, publish } = request
  const { metadata, schema } = plan
  const written = hasLineage(plan) ? { ...schema, fields: [...schema.fields, rowIdField, lastUpdatedField] } : schema
  const ids = fieldIdsSql(written)
  yield* faultPoint("before-lake-file")
  // the last piece takes all that is left: rows too many are noticed
  const rowsWanted = range.last ? "" : `LIMIT ${range.rows}`
  const copy = `COPY (SELECT * FROM (${select}) ${sort} ${rowsWanted} OFFSET ${range.from}) TO ${sqlText(path)} (
    FORMAT parquet, PARQUET_VERSION v1, ${compressionSql(written, compressionLevel)},
    ROW_GROUP_SIZE ${work.rowGroupRows}, USE_TMP_FILE false, FIELD_IDS {${ids}})`
  yield* Effect.mapError(connection.run(copy, "rewriting data files"), fromDuckDbError)
  yield* faultPoint("mid-lake-file")
  const { bytes, footer } = yield* measured(path, written)
  const metrics = yield* Effect.try({
    try: () => footerMetrics(footer, written, metricsModes(metadata.properties)),
    catch: fromFormat("rewritten file of", metadata.location)
  })
  yield* expectRows(plan, range.rows, footerRowCount(footer))
  const uri = dataFileUri(dataFolder(metadata), spec, partition, `compact-${yield* randomUuid}`)
  const stored = publish
    ? yield* Effect.mapError(storage.writeNewFromFile(uri, path), fromStorageError)
    : { uri, sizeBytes: bytes }
  yield* faultPoint("after-lake-file")
  return {
    filePath: stored.uri,
    fileFormat: "PARQUET",
    specId: spec.specId,
    partition,
    recordCount: BigInt(range.rows),
    fileSizeInBytes: BigInt(stored.sizeBytes),
    ...withoutFloatBounds(metrics, schema, (id) => group.files.some((file) => file.nanValueCounts.get(id) !== 0n)),
    sortOrderId
  }
})

/** What the manifests promise, without rows that delete files mean: those are counted. */
const liveRows = Effect.fnUntraced(function* ({
  connection,
  request,
  select
}: Pick<Piecework, "connection" | "request" | "select">) {
  const { group, plan } = request
  const promised = group.files.reduce((sum, file) => sum + Number(file.recordCount), 0)
  const touched = plan.entries.some((entry) => plan.deletes.has(entry) && group.files.includes(entry.dataFile))
  if (!touched && request.without === undefined) return promised
  const count = (from: string) =>
    connection.query(`SELECT count(*)::DOUBLE FROM ${from}`, "counting rows to be rewritten").pipe(
      Effect.map((reader) => Number(reader.getRows()[0]?.[0])),
      Effect.mapError(fromDuckDbError)
    )
  const paths = group.files.map(({ filePath }) => fileText(filePath, plan.copies)).join(", ")
  yield* expectRows(plan, promised, yield* count(`read_parquet([${paths}], hive_partitioning = false)`))
  return yield* count(`(${select})`)
})

/** How the group's rows are to be ordered. */
const orderOf = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  { metadata, schema }: ScanPlan,
  select: string,
  rows: number
) {
  const columns = yield* Effect.fromResult(zOrderOf(metadata, schema))
  if (columns.length > 0) {
    const sort = yield* Effect.mapError(zOrderBy(connection, select, columns, rows), fromDuckDbError)
    return { sort, sortOrderId: null }
  }
  const order = yield* Effect.try({
    try: () => defaultSortOrder(metadata),
    catch: fromFormat("table metadata", metadata.location)
  })
  const sorted = sortedBy(order, schema)
  return { sort: sorted?.orderBy ?? "", sortOrderId: sorted?.orderId ?? null }
})

/** Several pieces of sorted rows: sorted once, into a file that pieces are cut from. */
const sortedOnce = Effect.fnUntraced(function* (
  work: Piecework,
  path: string
): Effect.fn.Return<Piecework, ParquetError> {
  const { connection, request, select, sort } = work
  if (sort === "" || request.group.pieces === 1) return work
  const copy = `COPY (SELECT * FROM (${select}) ${sort}) TO ${sqlText(path)} (
    FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${work.rowGroupRows}, USE_TMP_FILE false)`
  yield* Effect.mapError(connection.run(copy, "sorting rows to be rewritten"), fromDuckDbError)
  return { ...work, select: `SELECT * FROM read_parquet(${sqlText(path)}, hive_partitioning = false)`, sort: "" }
})

/** The request, with local copies of its group's files where they lie elsewhere. */
const withCopies = Effect.fnUntraced(function* (request: RewriteRequest) {
  const { group, plan } = request
  const wanted = new Set(group.files)
  const entries = plan.entries.filter(({ dataFile }) => wanted.has(dataFile))
  const { copies } = yield* withLocalFiles(yield* Storage, { ...plan, entries })
  return copies === undefined ? request : { ...request, plan: { ...plan, copies } }
})

const rewriteGroup = Effect.fnUntraced(function* (
  asked: RewriteRequest
): Effect.fn.Return<ReadonlyArray<DataFile>, LakeError | ParquetError, DuckDb | Storage | Scope.Scope> {
  const { group, plan } = asked
  const { metadata } = plan
  const [first] = group.files
  if (first === undefined) return []
  const spec = yield* Effect.try({
    try: () => specById(metadata, first.specId),
    catch: fromFormat("table metadata", metadata.location)
  })
  const foreign = unknownField(spec)
  if (foreign !== undefined) {
    const message = `table ${metadata.location}: its files are divided by ${transformToText(foreign.transform)} (partition field ${foreign.name}), which is not known here; rewrite them with another engine`
    return yield* new LakeError({ reason: "Unsupported", message })
  }
  const request = yield* withCopies(asked)
  const duckDb = yield* DuckDb
  const connection = yield* Effect.mapError(duckDb.connect, fromDuckDbError)
  const select = yield* Effect.fromResult(rowsOf(request))
  const folder = yield* scratchFolder(duckDb, "rewrite")
  const rows = yield* liveRows({ connection, request, select })
  if (rows === 0) return []
  const unsorted: Piecework = {
    ...(yield* orderOf(connection, plan, select, rows)),
    spec,
    request,
    select,
    connection,
    partition: first.partition,
    rowGroupRows: yield* rowsInGroup(connection, request, duckDb.memoryBytesMax)
  }
  const work = yield* sortedOnce(unsorted, join(folder, "sorted.parquet"))
  const ranges = rangesOf(rows, Math.min(rows, group.pieces))
  return yield* Effect.forEach(ranges, (range, i) =>
    writePiece(work, join(folder, `piece-${i}.parquet`), { ...range, last: i === ranges.length - 1 })
  )
})

const rewrite = (
  request: RewriteRequest
): Effect.Effect<ReadonlyArray<DataFile>, LakeError | ParquetError, DuckDb | Storage> =>
  Effect.scoped(rewriteGroup(request))

export const FileRewriter = Context.Reference<{
  readonly rewrite: (
    request: RewriteRequest
  ) => Effect.Effect<ReadonlyArray<DataFile>, LakeError | ParquetError, DuckDb | Storage>
}>("@frazil/lake/FileRewriter", { defaultValue: () => ({ rewrite }) })
