/**
 * Writes the rows of an SQL query as data files of a table: typed, required columns checked, divided by its partition spec,
 * sorted by its order.
 *
 * For rows that come from a query rather than from a topic. **Guarantee**: every row of the query is in exactly one file, or
 * it fails and nothing counts; a file that names the table's sort order is in it. **Bounds**: DuckDB's memory and
 * `partitionsOpenMax`; a file ends near its target size, with a group of rows.
 */
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { faultPoint, Storage } from "@frazil/core"
import { Effect, type Scope } from "effect"
import { DuckDb, type DuckDbConnection, sqlText } from "../../io/DuckDb.ts"
import { randomUuid } from "../../io/RandomIds.ts"
import { scratchFolder } from "../../io/ScratchFolder.ts"
import { fromFormat, LakeError } from "../../LakeError.ts"
import type { DataFile, PartitionValue } from "../../spec/DataFile.ts"
import { fileBytesTargetOf } from "../../spec/FileBytesTarget.ts"
import { dataFolder } from "../../spec/Locations.ts"
import { metricsModes } from "../../spec/MetricsMode.ts"
import { bindPartitionSpec, type PartitionSpec } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import { currentSchema, defaultSortOrder, defaultSpec, type TableMetadata } from "../../spec/TableMetadata.ts"
import { cutFile } from "../parquet/CutFile.ts"
import { dataFileUri } from "../parquet/DataFileUri.ts"
import { fixColumns } from "../parquet/FixedColumns.ts"
import { footerMetrics, withoutFloatBounds } from "../parquet/Metrics.ts"
import { fromDuckDbError, fromFileError, fromStorageError, type ParquetError } from "../parquet/ParquetError.ts"
import { footerRowCount } from "../parquet/ParquetFooter.ts"
import { PartFile } from "../parquet/PartFile.ts"
import {
  copyInOrder,
  copyOptions,
  type Partition,
  type RelationOptions,
  rowsWrong,
  runCopy,
  writePartitioned,
  type Writing
} from "./DivideRows.ts"
import { givenColumns, unknownColumns } from "./GivenColumns.ts"
import { sortedBy } from "./SortSql.ts"
import { typedRows } from "./TypedRows.ts"
export type { RelationOptions }

/** The query's rows as the table's current schema has them. The query is asked for its columns, not for rows. */
export const relationRows = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  metadata: TableMetadata,
  schema: TableSchema,
  select: string
) {
  const asked = yield* connection
    .query(`SELECT * FROM (${select}) LIMIT 0`, "looking at rows to be written")
    .pipe(Effect.mapError(fromDuckDbError), Effect.mapError(rowsWrong(metadata)))
  const given = givenColumns(asked.columnNames(), asked.columnTypes())
  const unknown = unknownColumns(schema.fields, given)
  if (unknown.length > 0) {
    const message = `table ${metadata.location}: rows do not fit the table: it has no column ${unknown.join(", ")}; leave out of the query what the table has not, or add it`
    return yield* new LakeError({ reason: "Invalid", message })
  }
  return typedRows(schema, select, given)
})

const writeUnpartitioned = Effect.fnUntraced(function* (writing: Writing, rows: string, fileBytesTarget: number) {
  const { folder, sorted } = writing
  const target = join(folder, "rows")
  if (sorted === undefined) {
    const options = `${copyOptions(writing)}, FILE_SIZE_BYTES ${fileBytesTarget}`
    yield* runCopy(writing, `COPY (${rows}) TO ${sqlText(target)} (${options})`)
  } else yield* copyInOrder(writing, `SELECT * FROM (${rows}) ${sorted.orderBy}`, target)
  return [{ values: [], folder: target }] satisfies ReadonlyArray<Partition>
})

/** The files of a folder, none much larger than the target, rows in the order that they had. */
const filesOf = (folder: string, fileBytesTarget: number) =>
  Effect.uninterruptible(
    Effect.tryPromise({
      try: async () => {
        const paths: Array<string> = []
        for (const name of (await readdir(folder)).sort()) {
          paths.push(...(await cutFile(join(folder, name), fileBytesTarget)))
        }
        return paths
      },
      catch: fromFileError
    })
  )

const publish = Effect.fnUntraced(function* (
  writing: Writing,
  path: string,
  values: ReadonlyArray<PartitionValue>,
  name: string
): Effect.fn.Return<DataFile | undefined, LakeError | ParquetError, Storage> {
  const storage = yield* Storage
  const { metadata, schema, sorted, spec } = writing
  const footer = yield* Effect.uninterruptible(
    Effect.tryPromise({
      try: async () => {
        await fixColumns(path, schema)
        return (await PartFile.start(path)).finish()
      },
      catch: fromFileError
    })
  )
  const rows = footerRowCount(footer)
  if (rows === 0) return undefined
  const metrics = yield* Effect.try({
    try: () => withoutFloatBounds(footerMetrics(footer, schema, metricsModes(metadata.properties)), schema),
    catch: fromFormat("data file of", metadata.location)
  })
  const uri = dataFileUri(dataFolder(metadata), spec, values, name)
  yield* faultPoint("mid-lake-file")
  const stored = yield* Effect.mapError(storage.writeNewFromFile(uri, path), fromStorageError)
  return {
    filePath: stored.uri,
    fileFormat: "PARQUET",
    specId: spec.specId,
    partition: values,
    recordCount: BigInt(rows),
    fileSizeInBytes: BigInt(stored.sizeBytes),
    ...metrics,
    sortOrderId: sorted?.orderId ?? null
  }
})

/** Writes files by the table's current schema, spec and order; nothing is committed. `select` is trusted SQL text. */
export const writeRelation = Effect.fnUntraced(function* (
  metadata: TableMetadata,
  select: string,
  options: RelationOptions = {}
): Effect.fn.Return<ReadonlyArray<DataFile>, LakeError | ParquetError, DuckDb | Storage | Scope.Scope> {
  const duckDb = yield* DuckDb
  const connection = yield* Effect.mapError(duckDb.connect, fromDuckDbError)
  const declared = yield* Effect.try({
    try: () => ({ schema: currentSchema(metadata), spec: defaultSpec(metadata), order: defaultSortOrder(metadata) }),
    catch: fromFormat("table metadata", metadata.location)
  })
  const { order, schema, spec } = declared
  const folder = yield* scratchFolder(duckDb, "relation")
  const writing: Writing = { connection, metadata, schema, spec, folder, options, sorted: sortedBy(order, schema) }
  const fileBytesTarget = options.fileBytesTarget ?? fileBytesTargetOf(metadata.properties)
  const rows = yield* relationRows(connection, metadata, schema, select)
  yield* faultPoint("before-lake-file")
  const bound = bindPartitionSpec(spec, schema).filter(({ transform }) => transform._tag !== "void")
  const parts =
    bound.length === 0
      ? yield* writeUnpartitioned(writing, rows, fileBytesTarget)
      : yield* writePartitioned(writing, bound, rows)
  const name = yield* randomUuid
  const files: Array<DataFile> = []
  for (const { folder: at, values } of parts) {
    for (const path of yield* filesOf(at, fileBytesTarget)) {
      const written = yield* publish(writing, path, withVoids(spec, values), `rows-${name}-${files.length}`)
      if (written !== undefined) files.push(written)
    }
  }
  yield* faultPoint("after-lake-file")
  return files
})

/** Partition values with the nulls of void fields in their places. */
const withVoids = (spec: PartitionSpec, values: ReadonlyArray<PartitionValue>): ReadonlyArray<PartitionValue> => {
  let next = 0
  return spec.fields.map(({ transform }) => (transform._tag === "void" ? null : (values[next++] ?? null)))
}
