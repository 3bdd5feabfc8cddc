/**
 * Rewrites the rows of data files into new files: DuckDB reads Parquet and writes Parquet, with field ids kept.
 *
 * Compaction calls it for each group. **Guarantee**: the new files have exactly the rows that the manifests promised of the
 * old ones, in their order (or in the table's sort order), by the table's current schema; else it fails. **Bounds**: DuckDB's
 * memory, whatever the size of the files. A reference, as `DataFileWriter` is, so that the simulated world can replace it.
 */
import { mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { faultPoint, Storage } from "@frazil/core"
import { Context, Effect, type Scope } from "effect"
import { DuckDb, sqlName, sqlText, type DuckDbConnection, type DuckDbShape } from "../io/DuckDb.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import type { ScanPlan } from "../read/PlanScan.ts"
import { fileText, tableRelation } from "../read/TableRelation.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { dataFolder } from "../spec/Locations.ts"
import type { PartitionSpec } from "../spec/PartitionSpec.ts"
import { leafFields, type TableSchema } from "../spec/Schema.ts"
import type { SortOrder } from "../spec/SortOrder.ts"
import { defaultSortOrder, specById } from "../spec/TableMetadata.ts"
import { isPrimitive, type NestedField, type Type } from "../spec/Type.ts"
import { dataFileUri } from "../write/parquet/DataFileUri.ts"
import { footerMetrics, type Metrics } from "../write/parquet/Metrics.ts"
import { fromDuckDbError, fromFileError, fromStorageError, type ParquetError } from "../write/parquet/ParquetError.ts"
import { footerRowCount } from "../write/parquet/ParquetFooter.ts"
import { PartFile } from "../write/parquet/PartFile.ts"
import type { FileGroup } from "./PlanCompaction.ts"

export interface RewriteRequest {
  /** The scan that gave the group's files. */
  readonly plan: ScanPlan
  readonly group: FileGroup
  /** False: the new files are made, measured and thrown away. */
  readonly publish: boolean
}

/** What a reader decodes at once; larger groups of rows compress and prune no better. */
const rowGroupRowsMax = 122_880
/** DuckDB's vectors: smaller groups it does not make. */
const rowGroupRowsMin = 2_048
/** A group of rows is in memory as a whole while it is written, its widest column more than once. */
const rowGroupMemoryShare = 1 / 8
const compressionLevel = 3

const fieldIds = (fields: ReadonlyArray<readonly [name: string, field: Pick<NestedField, "id" | "type">]>): string =>
  fields.map(([name, field]) => `${sqlName(name)}: ${fieldIdOf(field)}`).join(", ")

const childrenOf = (type: Type): ReadonlyArray<readonly [string, Pick<NestedField, "id" | "type">]> => {
  switch (type._tag) {
    case "struct":
      return type.fields.map((field) => [field.name, field])
    case "list":
      return [["element", { id: type.elementId, type: type.element }]]
    case "map":
      return [
        ["key", { id: type.keyId, type: type.key }],
        ["value", { id: type.valueId, type: type.value }]
      ]
    default:
      return []
  }
}

const fieldIdOf = ({ id, type }: Pick<NestedField, "id" | "type">): string =>
  isPrimitive(type) ? String(id) : `{__duckdb_field_id: ${id}, ${fieldIds(childrenOf(type))}}`

/** ORDER BY of the table's sort order; empty where rows keep their order. */
const orderBy = (order: SortOrder, schema: TableSchema): string => {
  const terms = order.fields.map((field) => {
    const column = schema.fields.find(({ id }) => id === field.sourceId)
    if (column === undefined || field.transform._tag !== "identity") return undefined
    return `${sqlName(column.name)} ${field.direction} NULLS ${field.nullOrder === "nulls-first" ? "FIRST" : "LAST"}`
  })
  return terms.length === 0 || terms.includes(undefined) ? "" : `ORDER BY ${terms.join(", ")}`
}

const unwritable = (plan: ScanPlan): LakeError | undefined => {
  const field = leafFields(plan.schema).find(({ type }) => type._tag === "fixed")
  return field === undefined
    ? undefined
    : new LakeError({
        reason: "Unsupported",
        message: `table ${plan.metadata.location}: column ${field.path.join(".")} is of fixed length, which is not written here; compact it with another engine`
      })
}

/** NaN is told by counts only: bounds that a NaN may be in are left out. */
const withoutDoubt = (metrics: Metrics, files: ReadonlyArray<DataFile>, schema: TableSchema): Metrics => {
  const doubtful = leafFields(schema)
    .filter(({ type }) => type._tag === "float" || type._tag === "double")
    .filter(({ id }) => files.some((file) => file.nanValueCounts.get(id) !== 0n))
  const without = <A>(map: ReadonlyMap<number, A>): ReadonlyMap<number, A> => {
    const out = new Map(map)
    for (const { id } of doubtful) out.delete(id)
    return out
  }
  return {
    ...metrics,
    nanValueCounts: without(metrics.nanValueCounts),
    lowerBounds: without(metrics.lowerBounds),
    upperBounds: without(metrics.upperBounds)
  }
}

const scratchFolder = (duckDb: DuckDbShape): Effect.Effect<string, ParquetError, Scope.Scope> =>
  Effect.flatMap(randomUuid, (name) => {
    const path = join(duckDb.scratchDirectory, `rewrite-${name}`)
    return Effect.acquireRelease(
      Effect.tryPromise({ try: () => mkdir(path, { recursive: true }), catch: fromFileError }).pipe(Effect.as(path)),
      () => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
  })

/** Where each piece of a group begins and ends, in rows. */
export const rangesOf = (
  rows: number,
  pieces: number
): ReadonlyArray<{ readonly from: number; readonly rows: number }> => {
  const starts = Array.from({ length: pieces + 1 }, (_, i) => Math.floor((rows * i) / pieces))
  return starts.slice(0, -1).map((from, i) => ({ from, rows: (starts[i + 1] ?? rows) - from }))
}

/** The SELECT of the group's rows. */
const rowsOf = ({ group, plan }: RewriteRequest) => {
  const wanted = new Set(group.files)
  const entries = plan.entries.filter(({ dataFile }) => wanted.has(dataFile))
  const order = new Map(group.files.map((file, i) => [file, i]))
  entries.sort((a, b) => (order.get(a.dataFile) ?? 0) - (order.get(b.dataFile) ?? 0))
  return tableRelation({ ...plan, entries })
}

const measured = Effect.fnUntraced(function* (path: string) {
  const footer = yield* Effect.uninterruptible(
    Effect.tryPromise({ try: async () => (await PartFile.start(path)).finish(), catch: fromFileError })
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
  readonly order: SortOrder
  readonly partition: DataFile["partition"]
  readonly rowGroupRows: number
}

/** Rows that fit in a group's bytes, by what the files say of themselves: alerts with their sources are wide. */
const rowsInGroup = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  { files }: FileGroup,
  memoryBytesMax: number
) {
  const paths = files.map(({ filePath }) => fileText(filePath)).join(", ")
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
  const { connection, order, partition, request, select, spec } = work
  const { group, plan, publish } = request
  const { metadata, schema } = plan
  const sort = orderBy(order, schema)
  const ids = fieldIds(schema.fields.map((field) => [field.name, field]))
  yield* faultPoint("before-lake-file")
  // the last piece takes all that is left: rows too many are noticed
  const rowsWanted = range.last ? "" : `LIMIT ${range.rows}`
  const copy = `COPY (SELECT * FROM (${select}) ${sort} ${rowsWanted} OFFSET ${range.from}) TO ${sqlText(path)} (
    FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, COMPRESSION_LEVEL ${compressionLevel},
    ROW_GROUP_SIZE ${work.rowGroupRows}, USE_TMP_FILE false, FIELD_IDS {${ids}})`
  yield* Effect.mapError(connection.run(copy, "rewriting data files"), fromDuckDbError)
  yield* faultPoint("mid-lake-file")
  const { bytes, footer } = yield* measured(path)
  const metrics = yield* Effect.try({
    try: () => footerMetrics(footer, schema),
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
    ...withoutDoubt(metrics, group.files, schema),
    sortOrderId: sort === "" ? null : order.orderId
  }
})

const rewriteGroup = Effect.fnUntraced(function* (
  request: RewriteRequest
): Effect.fn.Return<ReadonlyArray<DataFile>, LakeError | ParquetError, DuckDb | Storage | Scope.Scope> {
  const { group, plan } = request
  const { metadata } = plan
  const [first] = group.files
  const refused = unwritable(plan)
  if (refused !== undefined) return yield* refused
  if (first === undefined) return []
  const declared = yield* Effect.try({
    try: () => ({ spec: specById(metadata, first.specId), order: defaultSortOrder(metadata) }),
    catch: fromFormat("table metadata", metadata.location)
  })
  const duckDb = yield* DuckDb
  const connection = yield* Effect.mapError(duckDb.connect, fromDuckDbError)
  const work: Piecework = {
    ...declared,
    request,
    select: yield* Effect.fromResult(rowsOf(request)),
    connection,
    partition: first.partition,
    rowGroupRows: yield* rowsInGroup(connection, group, duckDb.memoryBytesMax)
  }
  const folder = yield* scratchFolder(duckDb)
  const rows = group.files.reduce((sum, file) => sum + Number(file.recordCount), 0)
  return yield* Effect.forEach(rangesOf(rows, group.pieces), (range, i) =>
    writePiece(work, join(folder, `piece-${i}.parquet`), { ...range, last: i === group.pieces - 1 })
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
