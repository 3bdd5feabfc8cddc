/**
 * Divides the rows of an SQL query by a table's partition spec, into Parquet files of their own in a scratch folder.
 *
 * `writeRelation` calls it. Many partitions are written some at a time, from rows that were put in order once, so that neither
 * open files nor memory grow with their number. **Bounds**: DuckDB's memory and room to spill, and `partitionsOpenMax`.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { sqlName, sqlText, type DuckDbConnection } from "../../io/DuckDb.ts"
import { raiseSql } from "../../io/DuckDbError.ts"
import { randomUuid } from "../../io/RandomIds.ts"
import { LakeError } from "../../LakeError.ts"
import type { PartitionValue } from "../../spec/DataFile.ts"
import type { BoundPartitionField, PartitionSpec } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { TableMetadata } from "../../spec/TableMetadata.ts"
import { fieldIdsSql } from "../parquet/FieldIds.ts"
import { compressionSql } from "../parquet/FixedColumns.ts"
import { fromDuckDbError, fromFileError, type ParquetError } from "../parquet/ParquetError.ts"
import { partitionFromText, partitionKeySql, partitionTextSql } from "./PartitionText.ts"
import type { SortedBy } from "./SortSql.ts"

export interface RelationOptions {
  /** A file ends near this size. Default: the table's `write.target-file-size-bytes`, or 128 MiB. */
  readonly fileBytesTarget?: number
  /** Partitions that are written at once: so many files are open, and two more where the rows lie in order. Default 64. */
  readonly partitionsOpenMax?: number
}

const partitionsOpenDefault = 64
/** A third of what DuckDB takes by itself: a quarter less memory, and no more CPU. As in files of landings. */
const rowGroupRowsMax = 40_960
const compressionLevel = 3
/** Of the file of all rows: small, so that a part of the partitions is read without the others. */
const sortedGroupRowsMax = 16_384

const invalid = (metadata: TableMetadata, what: string, cause?: unknown): LakeError =>
  new LakeError({
    reason: "Invalid",
    message: `table ${metadata.location}: ${what}`,
    ...(cause === undefined ? {} : { cause })
  })

const unsupported = (metadata: TableMetadata, what: string, cause?: unknown): LakeError =>
  new LakeError({
    reason: "Unsupported",
    message: `table ${metadata.location}: ${what}; write it with another engine`,
    ...(cause === undefined ? {} : { cause })
  })

/** What a failed statement says of the rows; values stay unsaid. */
export const rowsWrong =
  (metadata: TableMetadata) =>
  (error: ParquetError): LakeError | ParquetError => {
    if (error.reason !== "Corrupt") return error
    return invalid(
      metadata,
      `rows do not fit the table (${error.message}): look at types, required columns and ranges`,
      error
    )
  }

/** A partition, and where its rows are. */
export interface Partition {
  readonly values: ReadonlyArray<PartitionValue>
  /** The folder of the files that its rows are in. */
  readonly folder: string
}

export interface Writing {
  readonly connection: DuckDbConnection
  readonly metadata: TableMetadata
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  readonly folder: string
  readonly options: RelationOptions
  /** The order of a file's rows; undefined where they keep theirs. */
  readonly sorted: SortedBy | undefined
}

export const copyOptions = ({ schema }: Writing): string =>
  `FORMAT parquet, PARQUET_VERSION v1, ${compressionSql(schema, compressionLevel)}, ROW_GROUP_SIZE ${rowGroupRowsMax}, FIELD_IDS {${fieldIdsSql(schema)}}`

export const runCopy = (writing: Writing, sql: string) =>
  writing.connection
    .run(sql, "writing rows")
    .pipe(Effect.mapError(fromDuckDbError), Effect.mapError(rowsWrong(writing.metadata)))

interface Divided {
  /** The table of partitions: `part`, and each partition value. */
  readonly table: string
  readonly partitions: ReadonlyArray<Partition>
  /** The rows, with `part`. */
  readonly rows: string
}

/** Which partitions there are. The query is run for it, and again for its rows, which must be the same. */
const findPartitions = Effect.fnUntraced(function* (
  writing: Writing,
  bound: ReadonlyArray<BoundPartitionField>,
  rows: string,
  target: string
) {
  const { connection, schema } = writing
  const types = bound.map(({ type }) => type!) // the table's spec was checked against its schema
  const keys = yield* Effect.try({
    try: () => bound.map((field, i) => `${partitionKeySql(field, schema)} AS "frazil p${i}"`),
    catch: (cause) => unsupported(writing.metadata, `its rows cannot be divided (${String(cause)})`, cause)
  })
  const names = bound.map((_, i) => `"frazil p${i}"`)
  const table = `parts_${(yield* randomUuid).replaceAll("-", "")}`
  yield* runCopy(
    writing,
    `CREATE TEMP TABLE ${table} AS SELECT row_number() OVER ()::INTEGER - 1 AS part, * FROM (SELECT DISTINCT ${names.join(", ")} FROM (SELECT ${keys.join(", ")} FROM (${rows})))`
  )
  yield* Effect.addFinalizer(() => Effect.ignore(connection.run(`DROP TABLE ${table}`, "dividing rows")))
  const texts = names.map((name, i) => partitionTextSql(types[i]!, name))
  const found = yield* Effect.mapError(
    connection.query(`SELECT part, ${texts.join(", ")} FROM ${table} ORDER BY part`, "dividing rows"),
    fromDuckDbError
  )
  const partitions = found.getRows().map(([part, ...values]): Partition => ({
    values: values.map((value, i) => partitionFromText(types[i]!, value === null ? null : String(value))),
    folder: join(target, `frazil%20part=${String(part)}`)
  }))
  const on = names.map((name) => `k.${name} IS NOT DISTINCT FROM r.${name}`).join(" AND ")
  const columns = schema.fields.map(({ name }) => `r.${sqlName(name)}`).join(", ")
  // a row of no partition that was there before must not be left out in silence
  const part = `CASE WHEN k.part IS NULL THEN ${raiseSql("the query gives other rows each time")} ELSE k.part END`
  const divided = `SELECT ${columns}, ${part} AS ${partColumn} FROM (SELECT *, ${keys.join(", ")} FROM (${rows})) AS r LEFT JOIN ${table} AS k ON ${on}`
  return { table, partitions, rows: divided } satisfies Divided
})

const partColumn = `"frazil part"`

/** All rows in order of their partitions, in one file: DuckDB sorts beyond its memory. Read again part by part. */
const inOrder = Effect.fnUntraced(function* (
  writing: Writing,
  bound: ReadonlyArray<BoundPartitionField>,
  rows: string
) {
  const path = join(writing.folder, "divided.parquet")
  const by = writing.sorted === undefined ? "" : `, ${writing.sorted.terms}`
  // DuckDB's dictionaries make one of −0.0 and 0.0, which are two partitions
  const floating = bound.some(({ type }) => type?._tag === "float" || type?._tag === "double")
  const more = floating ? ", DICTIONARY_SIZE_LIMIT 0" : ""
  yield* runCopy(
    writing,
    `COPY (SELECT * FROM (${rows}) ORDER BY ${partColumn}${by}) TO ${sqlText(path)} (FORMAT parquet, ROW_GROUP_SIZE ${sortedGroupRowsMax}${more})`
  )
  return `SELECT * FROM read_parquet(${sqlText(path)}, hive_partitioning = false)`
})

/** Rows in their order, as the one file of a new folder: whatever DuckDB's threads, only a COPY to one file keeps it. */
export const copyInOrder = Effect.fnUntraced(function* (writing: Writing, rows: string, folder: string) {
  yield* Effect.tryPromise({ try: () => mkdir(folder, { recursive: true }), catch: fromFileError })
  const file = sqlText(join(folder, "rows.parquet"))
  yield* runCopy(writing, `COPY (${rows}) TO ${file} (${copyOptions(writing)}, USE_TMP_FILE false)`)
})

interface Together {
  /** The rows, with `part`. */
  readonly from: string
  /** Below it, a folder for each partition. */
  readonly target: string
  readonly count: number
  readonly openMax: number
}

/** Some partitions at a time, their rows in any order. */
const writeTogether = Effect.fnUntraced(function* (writing: Writing, { count, from, openMax, target }: Together) {
  yield* Effect.mapError(
    writing.connection.run(`SET partitioned_write_max_open_files = ${openMax}`, "dividing rows"),
    fromDuckDbError
  )
  for (let first = 0; first < count; first += openMax) {
    const some = count > openMax ? `WHERE ${partColumn} BETWEEN ${first} AND ${first + openMax - 1}` : ""
    yield* runCopy(
      writing,
      `COPY (SELECT * FROM (${from}) ${some}) TO ${sqlText(target)} (${copyOptions(writing)}, PARTITION_BY (${partColumn}), OVERWRITE_OR_IGNORE)`
    )
  }
})

/** Writes the rows of each partition into a folder of its own. */
export const writePartitioned = Effect.fnUntraced(function* (
  writing: Writing,
  bound: ReadonlyArray<BoundPartitionField>,
  rows: string
) {
  const { folder, options, sorted } = writing
  const target = join(folder, "parts")
  const openMax = options.partitionsOpenMax ?? partitionsOpenDefault
  const { partitions, rows: divided } = yield* findPartitions(writing, bound, rows, target)
  const count = partitions.length
  if (sorted === undefined) {
    const from = count > openMax ? yield* inOrder(writing, bound, divided) : divided
    yield* writeTogether(writing, { count, from, openMax, target })
    return partitions
  }
  const from = yield* inOrder(writing, bound, divided)
  for (const [part, { folder: at }] of partitions.entries()) {
    const own = `SELECT * EXCLUDE (${partColumn}) FROM (${from}) WHERE ${partColumn} = ${part}`
    yield* copyInOrder(writing, own, at)
  }
  return partitions
})
