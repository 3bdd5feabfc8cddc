/** Rows of some kilobytes, such as alerts with their sources, are compacted within DuckDB's memory. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal, localPath } from "@frazil/core"
import { DuckDBInstance } from "@duckdb/node-api"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"

const identifier = { namespace: "test", name: "wide" }
const files = 6
const rowsOfFile = 4_000
/** Three kilobytes a row: one group of all rows is 72 MB, and its page as much again. */
const textOf = "repeat(md5(i::VARCHAR), 94)"
const memoryBytesMax = 96 * 1024 * 1024

const layerSmall = Layer.unwrap(
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-wide-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (path) =>
      Layer.merge(
        layerSqliteCatalog({ file: join(path, "catalog.db"), warehouse: join(path, "warehouse") }).pipe(
          Layer.provideMerge(FileIO.layer)
        ),
        DuckDb.layer({ dataDirectory: path, memoryBytesMax })
      ).pipe(Layer.provideMerge(layerLocal(path)))
  )
)

const dataFile = (uri: string, path: string): DataFile => ({
  filePath: uri,
  fileFormat: "PARQUET",
  specId: 0,
  partition: [],
  recordCount: BigInt(rowsOfFile),
  fileSizeInBytes: BigInt(statSync(path).size),
  columnSizes: new Map(),
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map(),
  splitOffsets: [4n],
  sortOrderId: null
})

const writeFiles = Effect.fnUntraced(function* (folder: string) {
  const path = localPath(folder) ?? folder
  mkdirSync(path, { recursive: true })
  const instance = yield* Effect.promise(() => DuckDBInstance.create(":memory:"))
  const connection = yield* Effect.promise(() => instance.connect())
  const written: Array<DataFile> = []
  for (let file = 0; file < files; file++) {
    const to = join(path, `${file}.parquet`)
    const rows = `SELECT i::BIGINT AS id, ${textOf} AS text FROM range(${file * rowsOfFile}, ${(file + 1) * rowsOfFile}) t(i)`
    yield* Effect.promise(() =>
      connection.run(`COPY (${rows}) TO '${to}' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {id: 1, text: 2})`)
    )
    written.push(dataFile(`${folder}/${file}.parquet`, to))
  }
  connection.disconnectSync()
  instance.closeSync()
  return written
})

it.live("wide rows are compacted in less memory than they take, and stay what they were", () =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const fields = [
      { id: 1, name: "id", required: false, type: { _tag: "long" } },
      { id: 2, name: "text", required: false, type: { _tag: "string" } }
    ] as const
    const created = yield* catalog.createTable({
      identifier,
      schema: { schemaId: 0, identifierFieldIds: [], fields }
    })
    const written = yield* writeFiles(dataFolder(created.metadata))
    yield* commitTable({ table: identifier, actions: () => Effect.succeed([append(written)]) })
    const report = yield* compactTable(identifier)
    assert.deepInclude(report, { filesBefore: files, filesAfter: 1, error: undefined })
    const query = `SELECT count(*)::INTEGER AS n, sum(id)::VARCHAR AS ids, count(*) FILTER (text != ${textOf.replace("i::", "id::")})::INTEGER AS wrong FROM t`
    const { rows } = yield* readTable(yield* catalog.loadTable(identifier), { asOf: { _tag: "Current" }, query })
    const count = files * rowsOfFile
    assert.deepStrictEqual(rows, [{ n: count, ids: String((count * (count - 1)) / 2), wrong: 0 }])
  }).pipe(Effect.provide(layerSmall))
)
