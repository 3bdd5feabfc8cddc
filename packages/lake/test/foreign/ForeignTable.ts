/**
 * A table with a column of every type, written as the landing writes: the subject of the tests with foreign readers.
 *
 * What each row must be is worked out from the records that went in, by none of the readers.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpCalls, layerLocal } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { layerRestCatalog } from "../../src/catalog/rest/RestCatalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { ParquetWriter } from "../../src/write/parquet/ParquetWriter.ts"
import { append, setProperties } from "../../src/write/TableAction.ts"
import {
  byDay,
  Everythings,
  everythingSchema,
  expectedRow,
  makeBatches,
  randomInput,
  seeded,
  type Input
} from "../write/parquet/WriterCases.ts"

const seed = 42
const commits = 5
export const rowsPerCommit = 2_500
export const rowsTotal = commits * rowsPerCommit
export const everything = { namespace: "transactions", name: "everything" }

/** A folder, removed at the end. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-foreign-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A lake in a folder: `catalog.db` and `warehouse`. */
export const layerAt = (path: string) =>
  Layer.merge(
    layerSqliteCatalog({ file: join(path, "catalog.db"), warehouse: join(path, "warehouse") }).pipe(
      Layer.provideMerge(FileIO.layer)
    ),
    DuckDb.layer({ dataDirectory: path })
  ).pipe(Layer.provideMerge(layerLocal(path)))

/** The same over a REST catalog. */
export const layerOverRest = (path: string, url: string) =>
  Layer.merge(
    layerRestCatalog({ url, tablesUri: `file://${path}/warehouse` }).pipe(
      Layer.provideMerge(FileIO.layer),
      Layer.provide(HttpCalls.layer)
    ),
    DuckDb.layer({ dataDirectory: path })
  ).pipe(Layer.provideMerge(layerLocal(path)))

/** A row as text, null for null. */
export type Row = Readonly<Record<string, string | null>>

/** The records, by offset, and the row that each must be. */
export const makeRecords = (): { readonly inputs: ReadonlyArray<Input>; readonly rows: ReadonlyArray<Row> } => {
  const below = seeded(seed)
  const inputs = Array.from({ length: commits * rowsPerCommit }, () => randomInput(below, 4))
  return { inputs, rows: inputs.map((input, offset) => ({ ...expectedRow(input, 0, offset), added_later: null })) }
}

export const writeEverything = Effect.fnUntraced(function* (inputs: ReadonlyArray<Input>) {
  const catalog = yield* Catalog
  const { metadata } = yield* catalog.createTable({
    identifier: everything,
    schema: everythingSchema,
    partitionSpec: byDay
  })
  const writer = yield* ParquetWriter.make({
    schema: everythingSchema,
    spec: byDay,
    shape: Everythings.shape,
    sourceTopic: "topic's name",
    targetDirectory: dataFolder(metadata),
    filePrefix: "it"
  })
  const batchOf = makeBatches()
  for (let i = 0; i < commits; i++) {
    const from = i * rowsPerCommit
    yield* writer.write(batchOf(inputs.slice(from, from + rowsPerCommit), from), 0)
    const files = yield* writer.finish
    const mark = new Map([["frazil.mark.it.main.0", String(from + rowsPerCommit)]])
    // Different moments, so that time travel can tell them apart.
    yield* Effect.sleep("5 millis")
    yield* commitTable({ table: everything, actions: () => Effect.succeed([append(files, mark), setProperties(mark)]) })
  }
  // A mark moves only with a snapshot: an empty one.
  yield* commitTable({ table: everything, actions: () => Effect.succeed([append([])]) })
})

/** What a foreign reader gave: nested values as JSON. */
type Found = Readonly<Record<string, unknown>>

/** Doubles in one spelling. */
const spelled = (row: Found): Found => ({ ...row, ratio: row["ratio"] === null ? null : String(Number(row["ratio"])) })

/** Row by row, so that a failure shows one row and not thousands. */
export const assertRows = (reader: string, found: ReadonlyArray<Found>, expected: ReadonlyArray<Row>): void => {
  assert.strictEqual(found.length, expected.length, `${reader}: rows`)
  found.forEach((row, i) => assert.deepStrictEqual(spelled(row), spelled(expected[i] ?? {}), `${reader}: row ${i}`))
}
