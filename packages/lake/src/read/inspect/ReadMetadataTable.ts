/**
 * A metadata table as a DuckDB relation: its rows written to a local file of JSON lines, and SQL that reads them typed.
 *
 * The query service and `readMetadataTable` call it. **Bounds**: manifests are read `readsMax` at a time and written as they
 * come; the file has at most `metadataBytesMax`. Damage in any manifest is an error that names it, never fewer rows.
 */
import { type FileHandle, open, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Result, type Scope, Stream } from "effect"
import { identifierText, type Table } from "../../catalog/Catalog.ts"
import { specOf } from "../../catalog/SpecOf.ts"
import { DuckDb, sqlText } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FileIO } from "../../io/FileIO.ts"
import { randomUuid } from "../../io/RandomIds.ts"
import { fromFormat, LakeError } from "../../LakeError.ts"
import { type JsonObject, printJson } from "../../spec/Json.ts"
import { isLive, type ManifestFile } from "../../spec/Manifest.ts"
import type { Snapshot } from "../../spec/Snapshot.ts"
import { type AsOf, resolveAsOf } from "../AsOf.ts"
import { fileText } from "../RelationFiles.ts"
import { type JsonRow, rowsOf } from "../ReadTable.ts"
import { type FileColumns, fileColumns } from "./FileColumns.ts"
import { columnsOf, hasMoment, type MetadataTable } from "./MetadataTable.ts"
import { entryRow, fileRow, manifestRow, PartitionRows } from "./SnapshotRows.ts"
import { historyRows, metadataLogRows, refRows, snapshotRows } from "./TableRows.ts"

const readsMax = 8
const metadataBytesMax = 4 * 1024 * 1024 * 1024
/** DuckDB takes twice the longest row as its buffer, for each thread: no more than it has to. */
const rowBytesLeast = 256 * 1024

export interface MetadataTableOptions {
  /** For tables of one snapshot; Invalid for the others. */
  readonly asOf?: AsOf
  /** Fields of which nothing but counts may be told, by id: no bounds, sizes, partition values or paths that hold them. */
  readonly hiddenFieldIds?: ReadonlySet<number>
}

export interface MetadataRelation {
  /** SELECT of all columns, to be used as `(…) AS name`. */
  readonly relation: string
  /** The local file that it reads, there as long as the scope is open. */
  readonly file: string
  /** The snapshot that it tells of; undefined for tables that have none, and for those that tell of the whole table. */
  readonly snapshot: Snapshot | undefined
}

type Rows = Stream.Stream<ReadonlyArray<JsonObject>, LakeError, FileIO>

/** Whether a manifest can have rows of this table. */
const wants = (name: MetadataTable, { content }: ManifestFile): boolean =>
  name === "data_files" ? content === "data" : name === "delete_files" ? content === "deletes" : true

const rowsOfManifest = (table: Table, name: MetadataTable, columns: FileColumns, manifest: ManifestFile) =>
  Effect.gen(function* () {
    const { partition: bound } = yield* specOf(table, manifest.partitionSpecId)
    const entries = name === "manifests" ? [] : yield* (yield* FileIO).readEntries(manifest, bound)
    return yield* Effect.try({
      try: () => {
        if (name === "manifests") return [manifestRow(columns, manifest, bound)]
        if (name === "entries") return entries.map((entry) => entryRow(columns, entry, bound))
        return entries.filter(isLive).map((entry) => fileRow(columns, entry, bound))
      },
      catch: fromFormat("manifest", manifest.manifestPath)
    })
  })

const partitionRows = (table: Table, columns: FileColumns, manifests: ReadonlyArray<ManifestFile>): Rows => {
  const partitions = new PartitionRows(columns)
  const counted = Stream.fromIterable(manifests).pipe(
    Stream.mapEffect(
      (manifest) =>
        Effect.gen(function* () {
          const { partition: bound } = yield* specOf(table, manifest.partitionSpecId)
          return { bound, entries: yield* (yield* FileIO).readEntries(manifest, bound) }
        }),
      { concurrency: readsMax }
    ),
    Stream.runForEach(({ bound, entries }) =>
      Effect.sync(() => {
        for (const entry of entries) if (isLive(entry)) partitions.add(entry, bound)
      })
    )
  )
  return Stream.fromEffect(Effect.map(counted, () => partitions.rows()))
}

const rowsAt = (table: Table, name: MetadataTable, columns: FileColumns, snapshot: Snapshot | undefined): Rows => {
  if (snapshot === undefined) return Stream.empty
  return Stream.unwrap(
    FileIO.use((fileIO) =>
      Effect.map(fileIO.readManifestList(snapshot.manifestList), (listed) => {
        const manifests = listed.filter((manifest) => wants(name, manifest))
        return name === "partitions"
          ? partitionRows(table, columns, manifests)
          : Stream.fromIterable(manifests).pipe(
              Stream.mapEffect((manifest) => rowsOfManifest(table, name, columns, manifest), { concurrency: readsMax })
            )
      })
    )
  )
}

const allRows = (table: Table, name: MetadataTable, columns: FileColumns, snapshot: Snapshot | undefined): Rows => {
  switch (name) {
    case "snapshots":
      return Stream.succeed(snapshotRows(table, columns.pathsHidden))
    case "history":
      return Stream.succeed(historyRows(table))
    case "refs":
      return Stream.succeed(refRows(table))
    case "metadata_log_entries":
      return Stream.succeed(metadataLogRows(table))
    default:
      return rowsAt(table, name, columns, snapshot)
  }
}

const fromFile =
  (path: string) =>
  (cause: unknown): LakeError => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error"
    const full = code === "ENOSPC" || code === "EDQUOT"
    const message = `rows of a metadata table cannot be written to ${path} (${code})${full ? ": make room and ask again" : ""}`
    return new LakeError({ reason: full ? "Full" : "Unavailable", message, cause })
  }

/** Gives the length of the longest row in bytes. */
const writeRows = Effect.fnUntraced(function* (rows: Rows, path: string, what: string) {
  const close = (file: FileHandle) => Effect.promise(() => file.close())
  let bytes = 0
  let longest = 0
  const write = (file: FileHandle) => (batch: ReadonlyArray<JsonObject>) =>
    Effect.suspend((): Effect.Effect<void, LakeError> => {
      const lines = batch.map((row) => Buffer.from(`${printJson(row)}\n`))
      for (const { length } of lines) {
        longest = Math.max(longest, length)
        bytes += length
      }
      const append = () => file.appendFile(Buffer.concat(lines))
      if (bytes <= metadataBytesMax) return Effect.tryPromise({ try: append, catch: fromFile(path) })
      const message = `${what} is larger than ${metadataBytesMax} bytes: read the table's manifests with another engine`
      return Effect.fail(new LakeError({ reason: "Unsupported", message }))
    })
  yield* Effect.acquireUseRelease(
    Effect.tryPromise({ try: () => open(path, "wx"), catch: fromFile(path) }),
    (file) => Stream.runForEach(rows, write(file)),
    close
  )
  return longest
})

const momentOf = (table: Table, name: MetadataTable, asOf: AsOf | undefined) => {
  if (hasMoment(name)) {
    const moment = resolveAsOf(table.metadata, asOf ?? { _tag: "Current" })
    return Result.map(moment, ({ snapshot }) => snapshot)
  }
  if (asOf === undefined || asOf._tag === "Current") return Result.succeed(undefined)
  const message = `${identifierText(table.identifier)}$${name} tells of the table as it is now: leave out the moment`
  return Result.fail(new LakeError({ reason: "Invalid", message }))
}

/** Writes the rows to a new file in `folder`, which must be there, and gives SQL over it. The file goes with the scope. */
export const metadataRelation = Effect.fn("metadataRelation")(function* (
  table: Table,
  name: MetadataTable,
  folder: string,
  options: MetadataTableOptions = {}
): Effect.fn.Return<MetadataRelation, LakeError, FileIO | Scope.Scope> {
  const snapshot = yield* Effect.fromResult(momentOf(table, name, options.asOf))
  const columns = yield* Effect.try({
    try: () => fileColumns(table.metadata, options.hiddenFieldIds ?? new Set()),
    catch: fromFormat("table metadata", table.metadataLocation)
  })
  const file = join(folder, `${name}-${yield* randomUuid}.ndjson`)
  yield* Effect.addFinalizer(() => Effect.promise(() => rm(file, { force: true })))
  const longest = yield* writeRows(
    allRows(table, name, columns, snapshot),
    file,
    `${identifierText(table.identifier)}$${name}`
  )
  const typed = columnsOf(name, columns).map(([column, type]) => `${sqlText(column)}: ${sqlText(type)}`)
  const size = Math.max(rowBytesLeast, longest)
  const relation = `SELECT * FROM read_json(${fileText(file, undefined)}, format = 'newline_delimited', compression = 'uncompressed', maximum_object_size = ${size}, hive_partitioning = false, columns = {${typed.join(", ")}})`
  return { relation, file, snapshot }
})

/** Rows of a metadata table, which `query` calls `t`; all of them when it is left out. The whole result is in memory. */
export const readMetadataTable = Effect.fn("readMetadataTable")(function* (
  table: Table,
  name: MetadataTable,
  { query, ...options }: MetadataTableOptions & { readonly query?: string } = {}
): Effect.fn.Return<ReadonlyArray<JsonRow>, LakeError | DuckDbError, FileIO | DuckDb> {
  const { scratchDirectory } = yield* DuckDb
  const read = Effect.flatMap(metadataRelation(table, name, scratchDirectory, options), ({ relation }) =>
    rowsOf(relation, query)
  )
  return yield* Effect.scoped(read)
})
