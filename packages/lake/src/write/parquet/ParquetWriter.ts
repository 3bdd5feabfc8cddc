/**
 * Writes decoded batches as the data files of an Iceberg table: ZSTD Parquet with field ids, one file per partition.
 *
 * The landing gives it batches and asks for the files when it commits. Rows are collected by partition, as pages or, where they
 * have to be sorted, in DuckDB; a full buffer becomes a row group, compressed on another thread while the next rows are
 * collected, and joined to the partition's file. A file ends at its target size, and all end at `finish`, synced and in the storage.
 */
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { type ColumnBatch, type RecordShape, Storage } from "@frazil/core"
import { Effect, type Scope, Semaphore } from "effect"
import { DuckDb } from "../../io/DuckDb.ts"
import type { DataFile } from "../../spec/DataFile.ts"
import { fileBytesDefault } from "../../spec/FileBytesTarget.ts"
import { metricsModes, type MetricsModes } from "../../spec/MetricsMode.ts"
import type { PartitionSpec } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import { unsorted, type SortOrder } from "../../spec/SortOrder.ts"
import { checkCells } from "./CellCheck.ts"
import { planColumns, type ColumnPlan } from "./ColumnPlan.ts"
import { duckDbRows } from "./DuckDbRows.ts"
import { pageRows } from "./pages/PageRows.ts"
import { fromDuckDbError, fromFileError, ParquetError } from "./ParquetError.ts"
import { PartitionBuffers } from "./PartitionBuffers.ts"
import { PartitionFiles } from "./PartitionFiles.ts"
import { partitionSorter, type SortRows } from "./PartitionRows.ts"

export interface ParquetWriterOptions {
  /** The table's schema: columns are found by the names of the record's fields, written with its field ids. */
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  /** Identity columns only. A sorted file holds what one buffer held: raise `bufferBytesMax` for larger ones. */
  readonly sortOrder?: SortOrder
  /** Shape of the records; every batch must have been decoded by it. */
  readonly shape: RecordShape
  /** Fills the column `source_topic`. */
  readonly sourceTopic: string
  /** URI of the folder for data files, usually `<table location>/data`. */
  readonly targetDirectory: string
  /** Begins each file's name. Must differ from that of every other writer to the folder, those before a crash included. */
  readonly filePrefix: string
  /** A file ends with the row group that takes it to this size. Default 128 MiB. */
  readonly fileBytesTarget?: number
  /** Rows of a row group. Default 40,960: half as many cost 0.5 % in size, twice as many 60 MB of memory. */
  readonly rowGroupRowsMax?: number
  /** Bytes of records (as they came) in one buffer. Default 64 MiB. */
  readonly bufferBytesMax?: number
  /** Bytes of records in all buffers. Default 128 MiB. */
  readonly buffersBytesMax?: number
  /** Partitions that have rows or files in the making at once. Default 64. */
  readonly partitionsOpenMax?: number
  /** Of ZSTD, 1 to 22. Default 1: against 3, 15 % less time for files 3 % larger. */
  readonly compressionLevel?: number
  /** What manifests say of columns. Default: as a table without properties for it. */
  readonly metrics?: MetricsModes
  /**
   * Who makes the files' pages: this package from columns (`pages/`); DuckDB from cells written directly into its vectors, when a
   * self-check allows that; DuckDB from cells appended one by one, slowly. Default: `pages`; `cells` where rows are sorted.
   */
  readonly encoding?: Encoding
}

export type Encoding = "pages" | "cells" | "appended"

/**
 * **Order**: rows of a partition lie in its files in the order given, unless sorted. **Delivery**: what `finish` returned
 * is durable and belongs to the caller; everything else is removed with the scope. A writer that failed, or was interrupted
 * while it wrote, fails from then on: make another and give it the batches again.
 */
export interface ParquetWriter {
  /** Takes the valid rows of a batch read from `sourcePartition`; when it ends, the batch's memory may be reused. */
  readonly write: (batch: ColumnBatch, sourcePartition: number) => Effect.Effect<void, ParquetError>
  /** Writes all that is left; gives the files since the last `finish`, none of them empty. The writer can go on. */
  readonly finish: Effect.Effect<ReadonlyArray<DataFile>, ParquetError>
  /** What it does; `appended` in the place of `cells` when the self-check failed. */
  readonly encoding: Encoding
}

const mebibyte = 1024 * 1024
const sizeDefaults = {
  fileBytesTarget: fileBytesDefault,
  rowGroupRowsMax: 40_960,
  bufferBytesMax: 64 * mebibyte,
  buffersBytesMax: 128 * mebibyte,
  partitionsOpenMax: 64,
  compressionLevel: 1
} as const

const unsupported = (problems: ReadonlyArray<string>): ParquetError =>
  new ParquetError({
    reason: "Unsupported",
    message: `records cannot be written to this table: ${problems.join("; ")}`
  })

/** ORDER BY for the buffer's table, or what stands against it. */
const orderByOf = (order: SortOrder, plan: ColumnPlan): string | ReadonlyArray<string> => {
  const cellOf = (matches: (column: ColumnPlan["stored"][number]) => boolean) => {
    const index = plan.stored.findIndex(matches)
    return index < 0 ? undefined : `c${index}`
  }
  const problems: Array<string> = []
  const terms = order.fields.map((field) => {
    const cell = cellOf((column) => column.field.id === field.sourceId)
    if (field.transform._tag !== "identity" || cell === undefined) {
      problems.push(`sort order: only columns of the record themselves can be sorted by (field ${field.sourceId})`)
    }
    return `${cell} ${field.direction} NULLS ${field.nullOrder === "nulls-first" ? "FIRST" : "LAST"}`
  })
  if (problems.length > 0) return problems
  if (terms.length === 0) return ""
  // equal rows in the order of the log: the same rows give the same file
  const ties = [
    cellOf(({ source }) => source._tag === "SourcePartition"),
    cellOf(({ source }) => source._tag === "SourceOffset")
  ]
  return `ORDER BY ${[...terms, ...ties.filter((tie) => tie !== undefined)].join(", ")}`
}

interface Planned {
  readonly plan: ColumnPlan
  readonly sortRows: SortRows
  readonly orderBy: string
}

const planWriter = (options: ParquetWriterOptions): Effect.Effect<Planned, ParquetError> => {
  const plan = planColumns(options.schema, options.shape, options.sourceTopic)
  if (!("stored" in plan)) return Effect.fail(unsupported(plan))
  const sortRows = partitionSorter(options.spec, options.schema, plan)
  if (typeof sortRows !== "function") return Effect.fail(unsupported(sortRows))
  const orderBy = orderByOf(options.sortOrder ?? unsorted, plan)
  if (typeof orderBy !== "string") return Effect.fail(unsupported(orderBy))
  return Effect.succeed({ plan, sortRows, orderBy })
}

const interrupted = (): ParquetError =>
  new ParquetError({ reason: "Unavailable", message: "the writer was interrupted while it wrote: make another" })

// Makes folders and tables of one process's writers differ.
let writersMade = 0

const makeScratch = (path: string): Effect.Effect<string, ParquetError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        await mkdir(path, { recursive: true })
        return path
      },
      catch: fromFileError
    }),
    () => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )

const makeBuffers = Effect.fnUntraced(function* (
  options: ParquetWriterOptions,
  { plan, sortRows, orderBy }: Planned,
  files: PartitionFiles,
  encoding: Encoding
) {
  const duckDb = yield* DuckDb
  const sizes = { ...sizeDefaults, ...options }
  const tablePrefix = `writer_${++writersMade}`
  const scratchDirectory = yield* makeScratch(join(duckDb.scratchDirectory, tablePrefix))
  const copy = { rowGroupRowsMax: sizes.rowGroupRowsMax, compressionLevel: sizes.compressionLevel, orderBy }
  const holds =
    encoding === "pages"
      ? pageRows(plan, sizes.compressionLevel)
      : duckDbRows({ duckDb, plan, copy, tablePrefix, direct: encoding === "cells" })
  return new PartitionBuffers(
    holds,
    {
      bufferRowsMax: orderBy === "" ? sizes.rowGroupRowsMax : Number.POSITIVE_INFINITY,
      bufferBytesMax: sizes.bufferBytesMax,
      buffersBytesMax: Math.max(sizes.buffersBytesMax, sizes.bufferBytesMax),
      partitionsOpenMax: sizes.partitionsOpenMax,
      scratchDirectory
    },
    sortRows,
    files,
    yield* Effect.scope
  )
})

/** Our pages keep the order given, and hold what is in records: rows to be sorted, or with defaults beside, go through DuckDB. */
const encodingOf = Effect.fnUntraced(function* (
  options: ParquetWriterOptions,
  { orderBy, plan }: Planned
): Effect.fn.Return<Encoding, ParquetError, DuckDb> {
  const asked = options.encoding ?? "pages"
  if (asked === "appended" || (asked === "pages" && orderBy === "" && !plan.madeBySql)) return asked
  const laidOut = yield* Effect.mapError(checkCells(yield* DuckDb), fromDuckDbError)
  return laidOut ? "cells" : "appended"
})

const make = Effect.fnUntraced(function* (
  options: ParquetWriterOptions
): Effect.fn.Return<ParquetWriter, ParquetError, DuckDb | Storage | Scope.Scope> {
  const planned = yield* planWriter(options)
  const encoding = yield* encodingOf(options, planned)
  const files = new PartitionFiles(
    {
      ...options,
      sortOrder: options.sortOrder ?? unsorted,
      fileBytesTarget: options.fileBytesTarget ?? sizeDefaults.fileBytesTarget,
      metrics: options.metrics ?? metricsModes(new Map())
    },
    yield* Storage
  )
  yield* Effect.addFinalizer(() => files.discard)
  const buffers = yield* makeBuffers(options, planned, files, encoding)
  const turn = yield* Semaphore.make(1)
  let failure: ParquetError | undefined
  // after a failure or an interruption nobody knows which rows were taken in
  const once = <A>(work: Effect.Effect<A, ParquetError>): Effect.Effect<A, ParquetError> =>
    Effect.suspend(() => (failure === undefined ? work : Effect.fail(failure))).pipe(
      Effect.tapError((error) => Effect.sync(() => void (failure = error))),
      Effect.onError(() => Effect.sync(() => void (failure ??= interrupted()))),
      turn.withPermits(1)
    )
  return {
    write: (batch, sourcePartition) => once(buffers.put(batch, sourcePartition)),
    finish: once(Effect.map(buffers.finish(), () => files.take())),
    encoding
  }
})

/** Makes a writer; `Unsupported` names every column that record and table disagree on. */
export const ParquetWriter = { make } as const
