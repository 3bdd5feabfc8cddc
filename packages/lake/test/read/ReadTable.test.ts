import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog, type Table } from "../../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb, sqlText } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { readTable, type ReadOptions } from "../../src/read/ReadTable.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { NestedField } from "../../src/spec/Type.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"

const table = { namespace: "test", name: "t" }

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-read-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const layerAt = (path: string) =>
  Layer.merge(
    layerSqliteCatalog({ file: join(path, "catalog.db"), warehouse: join(path, "warehouse") }).pipe(
      Layer.provideMerge(FileIO.layer),
      Layer.provideMerge(layerLocal(path))
    ),
    DuckDb.layer({ dataDirectory: path })
  )

const field = (id: number, name: string, type: NestedField["type"]): NestedField => ({
  id,
  name,
  required: false,
  type
})

const schemaOf = (schemaId: number, fields: ReadonlyArray<NestedField>): TableSchema => ({
  schemaId,
  fields,
  identifierFieldIds: []
})

const first = schemaOf(0, [
  field(1, "a", { _tag: "int" }),
  field(2, "b", { _tag: "string" }),
  field(3, "d", { _tag: "decimal", precision: 9, scale: 2 })
])

/** A Parquet file made by plain DuckDB, with field ids and without metrics. */
const parquet = Effect.fnUntraced(function* (path: string, select: string, fieldIds: string, rows: number) {
  const duckDb = yield* DuckDb
  yield* Effect.scoped(
    Effect.flatMap(duckDb.connect, (connection) =>
      connection.run(
        `COPY (${select}) TO ${sqlText(path)} (FORMAT parquet${fieldIds === "" ? "" : `, FIELD_IDS {${fieldIds}}`})`,
        "writing"
      )
    )
  )
  const none = new Map<number, never>()
  const file: DataFile = {
    filePath: `file://${path}`,
    fileFormat: "PARQUET",
    specId: 0,
    partition: [],
    recordCount: BigInt(rows),
    fileSizeInBytes: BigInt(statSync(path).size),
    columnSizes: none,
    valueCounts: none,
    nullValueCounts: none,
    nanValueCounts: none,
    lowerBounds: none,
    upperBounds: none,
    splitOffsets: [],
    sortOrderId: null
  }
  return file
})

const load = Catalog.use((catalog) => catalog.loadTable(table))

const read = (options: ReadOptions = {}, change: (table: Table) => Table = (same) => same) =>
  Effect.gen(function* () {
    const { rows } = yield* readTable(change(yield* load), options)
    return rows
  })

const withLake = <A, E>(run: (path: string) => Effect.Effect<A, E, Catalog | FileIO | DuckDb>) =>
  Effect.gen(function* () {
    const path = yield* folder
    return yield* Effect.provide(run(path), layerAt(path))
  })

const start = Effect.fnUntraced(function* (path: string) {
  const catalog = yield* Catalog
  yield* catalog.createTable({ identifier: table, schema: first })
  const files = [
    // A name that DuckDB would take for a pattern, which the other name matches.
    yield* parquet(join(path, "a*[1].parquet"), "SELECT 1::INT a, 'x' b, 1.25::DECIMAL(9,2) d", "a: 1, b: 2, d: 3", 1),
    yield* parquet(
      join(path, "aZZ1.parquet"),
      "SELECT 2::INT a, NULL::VARCHAR b, -9999999.99::DECIMAL(9,2) d",
      "a: 1, b: 2, d: 3",
      1
    )
  ]
  for (const file of files) {
    yield* commitTable({ table, actions: () => Effect.succeed([append([file])]) })
  }
})

const withSchemas =
  (...later: ReadonlyArray<TableSchema>) =>
  (loaded: Table): Table => ({
    ...loaded,
    metadata: {
      ...loaded.metadata,
      schemas: [...loaded.metadata.schemas, ...later],
      currentSchemaId: later.at(-1)?.schemaId ?? 0
    }
  })

describe("readTable", () => {
  it.live("reads the listed files and no others, now and earlier", () =>
    withLake((path) =>
      Effect.gen(function* () {
        yield* start(path)
        const query = "SELECT * FROM t ORDER BY a"
        assert.deepStrictEqual(yield* read({ query }), [
          { a: 1, b: "x", d: "1.25" },
          { a: 2, b: null, d: "-9999999.99" }
        ])
        const { metadata } = yield* load
        const asOf = { _tag: "SnapshotId" as const, snapshotId: metadata.snapshots[0]?.snapshotId ?? 0n }
        assert.deepStrictEqual(yield* read({ asOf }), [{ a: 1, b: "x", d: "1.25" }])
      })
    )
  )

  it.live("gives a typed, empty relation for a table without files", () =>
    withLake(() =>
      Effect.gen(function* () {
        const catalog = yield* Catalog
        yield* catalog.createTable({ identifier: table, schema: first })
        assert.deepStrictEqual(yield* read(), [])
        assert.deepStrictEqual(
          yield* read({ query: "SELECT count(*) AS n, sum(d) AS s, typeof(any_value(d)) AS ty FROM t" }),
          [{ n: "0", s: null, ty: "DECIMAL(9,2)" }]
        )
      })
    )
  )

  it.live("matches columns by id: renamed, reordered, promoted, added and dropped ones", () =>
    withLake((path) =>
      Effect.gen(function* () {
        yield* start(path)
        const evolved = schemaOf(1, [
          field(4, 'new "column"', { _tag: "uuid" }),
          field(3, "amount", { _tag: "decimal", precision: 18, scale: 2 }),
          field(1, "b", { _tag: "long" })
        ])
        const rows = yield* read({ query: "SELECT * FROM t ORDER BY b" }, withSchemas(evolved))
        assert.deepStrictEqual(rows, [
          { 'new "column"': null, amount: "1.25", b: "1" },
          { 'new "column"': null, amount: "-9999999.99", b: "2" }
        ])
        // The past keeps the names that it had.
        const { metadata } = yield* load
        const asOf = { _tag: "SnapshotId" as const, snapshotId: metadata.snapshots[0]?.snapshotId ?? 0n }
        assert.deepStrictEqual(yield* read({ asOf }, withSchemas(evolved)), [{ a: 1, b: "x", d: "1.25" }])
      })
    )
  )

  it.live("gives columns of files without field ids those of the name mapping, and refuses them without one", () =>
    withLake((path) =>
      Effect.gen(function* () {
        const catalog = yield* Catalog
        yield* catalog.createTable({ identifier: table, schema: first })
        const plain = yield* parquet(join(path, "plain.parquet"), "SELECT 7::INT old_a, 'x' b, 1 AS noise", "", 1)
        yield* commitTable({ table, actions: () => Effect.succeed([append([plain])]) })
        const mapping = `[{"field-id":1,"names":["a","old_a"]},{"field-id":2,"names":["b"]},{"names":["noise"]}]`
        const mapped = (text: string) => (loaded: Table) => ({
          ...loaded,
          metadata: { ...loaded.metadata, properties: new Map([["schema.name-mapping.default", text]]) }
        })
        assert.deepStrictEqual(yield* read({}, mapped(mapping)), [{ a: 7, b: "x", d: null }])
        const damaged = yield* Effect.flip(read({}, mapped("[{}")))
        assert.strictEqual(damaged.reason, "Corrupt")
      })
    )
  )
})
