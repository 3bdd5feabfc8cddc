/**
 * Sort orders of tables, after appends and after compaction: rows as they lie in files, read by DuckDB alone, are held against
 * comparisons written out here.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { localPath } from "@frazil/core"
import { DuckDBInstance } from "@duckdb/node-api"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { partitionSpec } from "../../src/spec/PartitionSpec.ts"
import { fieldByName, type TableSchema } from "../../src/spec/Schema.ts"
import type { SortField, SortOrder } from "../../src/spec/SortOrder.ts"
import { applyTransform, transformFromText } from "../../src/spec/Transform.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { sortedBy } from "../../src/write/change/SortSql.ts"
import { layerLake } from "./MaintenanceFixture.ts"

const table = { namespace: "test", name: "orders" }

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "int" } },
    { id: 2, name: "part", required: true, type: { _tag: "int" } },
    { id: 3, name: "name", required: false, type: { _tag: "string" } },
    { id: 4, name: "amount", required: false, type: { _tag: "double" } },
    { id: 5, name: "at", required: false, type: { _tag: "timestamptz" } },
    {
      id: 6,
      name: "code",
      required: false,
      type: { _tag: "struct", fields: [{ id: 7, name: "level", required: false, type: { _tag: "int" } }] }
    },
    {
      id: 8,
      name: "tags",
      required: false,
      type: { _tag: "list", elementId: 9, elementRequired: false, element: { _tag: "string" } }
    }
  ]
}

interface Row {
  readonly id: number
  readonly part: number
  readonly name: string | null
  readonly amount: number | null
  /** Microseconds. */
  readonly at: bigint | null
  readonly level: number | null
}

/** No column follows another; text beyond UTF-16's order, zeros of both signs, NaN, nulls. */
const select = (from: number, to: number, parts: number): string => `SELECT i AS id, hash(i, 9) % ${parts} AS part,
  CASE WHEN i % 11 = 0 THEN NULL ELSE 'n' || chr([65, 233, 57344, 128512][(1 + hash(i, 5) % 4)::INTEGER]) || (hash(i, 1) % 100)::VARCHAR END AS name,
  CASE i % 20 WHEN 0 THEN NULL WHEN 1 THEN 'NaN'::DOUBLE WHEN 2 THEN '-0.0'::DOUBLE WHEN 3 THEN 0 WHEN 4 THEN 'Infinity'::DOUBLE
    ELSE ((hash(i, 2) % 1000)::DOUBLE - 500) / 8 END AS amount,
  CASE WHEN i % 13 = 0 THEN NULL ELSE make_timestamp(((hash(i, 3) % 40000)::BIGINT - 20000) * 3600000001) AT TIME ZONE 'UTC' END AS "at",
  CASE WHEN i % 17 = 0 THEN NULL ELSE struct_pack(level := CASE WHEN i % 7 = 0 THEN NULL ELSE (hash(i, 4) % 10)::INTEGER END) END AS code,
  [hash(i)::VARCHAR] AS tags FROM range(${from}, ${to}) AS r(i)`

const field = (
  column: string,
  transform: string,
  direction: SortField["direction"],
  nullOrder: SortField["nullOrder"]
): SortField => ({
  sourceId: fieldByName(schema, column)?.id ?? 0,
  transform: transformFromText(transform, "test"),
  direction,
  nullOrder
})

type Key = string | number | bigint | null

const compareNumbers = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** As the specification sorts, but for the sign of zero: text by its bytes, NaN last. */
const compareKeys = (a: NonNullable<Key>, b: NonNullable<Key>): number => {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === "number" && typeof b === "number") return compareNumbers(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** One field of an order, as a function of rows. */
const by =
  (key: (row: Row) => Key, direction: "asc" | "desc", nulls: "nulls-first" | "nulls-last") =>
  (x: Row, y: Row): number => {
    const [a, b] = [key(x), key(y)]
    if (a === null || b === null) return a === b ? 0 : (a === null) === (nulls === "nulls-first") ? -1 : 1
    return direction === "asc" ? compareKeys(a, b) : compareKeys(b, a)
  }

type Compare = (x: Row, y: Row) => number

const all =
  (...compares: ReadonlyArray<Compare>): Compare =>
  (x, y) =>
    compares.map((compare) => compare(x, y)).find((order) => order !== 0) ?? 0

/** The order of most tests, and what it means. */
const byAmountAndName: SortOrder = {
  orderId: 1,
  fields: [field("amount", "identity", "desc", "nulls-first"), field("name", "identity", "asc", "nulls-last")]
}
const compareAmountAndName = all(
  by(({ amount }) => amount, "desc", "nulls-first"),
  by(({ name }) => name, "asc", "nulls-last")
)

const create = (sortOrder: SortOrder, byPart: boolean) =>
  Catalog.use((catalog) =>
    catalog.createTable({
      identifier: table,
      schema,
      sortOrder,
      partitionSpec: partitionSpec(schema, byPart ? [{ column: "part", transform: { _tag: "identity" } }] : [])
    })
  )

const load = Catalog.use((catalog) => catalog.loadTable(table))

/** The table's files and their rows as they lie in them. */
const filesOf = Effect.gen(function* () {
  const { entries } = yield* planScan(yield* load)
  return yield* Effect.promise(async () => {
    const instance = await DuckDBInstance.create(":memory:")
    const connection = await instance.connect()
    const files = []
    for (const { dataFile } of entries) {
      const reader = await connection.runAndReadAll(
        `SELECT id, part, name, amount, epoch_us("at") AS "at", code.level AS level FROM read_parquet('${localPath(dataFile.filePath)}', hive_partitioning = false) ORDER BY file_row_number`
      )
      files.push({ dataFile, rows: reader.getRowObjects() as unknown as ReadonlyArray<Row> }) // as the query selects
    }
    connection.closeSync()
    instance.closeSync()
    return files
  })
})

type Files = Effect.Success<typeof filesOf>

const assertOrder = (rows: ReadonlyArray<Row>, compare: Compare) => {
  const wrong = rows.findIndex((row, i) => i > 0 && compare(rows[i - 1]!, row) > 0)
  assert.strictEqual(wrong, -1, wrong < 0 ? "" : inspect(rows.slice(wrong - 1, wrong + 1)))
}

/** All rows are there once, and those of each file in order. */
const assertFiles = (files: Files, rows: number, compare: Compare, orderId: number | null) => {
  for (const file of files) {
    assertOrder(file.rows, compare)
    assert.strictEqual(file.dataFile.sortOrderId, orderId)
  }
  const ids = files.flatMap((file) => file.rows.map(({ id }) => id)).sort((a, b) => a - b)
  assert.deepStrictEqual(
    ids,
    Array.from({ length: rows }, (_, id) => id)
  )
}

/** Files of each partition follow one another: no two overlap. */
const assertPieces = (files: Files, compare: Compare) => {
  for (const pieces of Map.groupBy(files, ({ dataFile }) => String(dataFile.partition[0])).values()) {
    const sorted = pieces.toSorted((a, b) => compare(a.rows[0]!, b.rows[0]!) || compare(a.rows.at(-1)!, b.rows.at(-1)!))
    assertOrder(
      sorted.flatMap(({ rows }) => rows),
      compare
    )
  }
}

const bytesOf = (files: Files) => files.reduce((sum, { dataFile }) => sum + Number(dataFile.fileSizeInBytes), 0)

/** A DuckDB of several threads, which do not wait for one another. */
const threads = Layer.unwrap(
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-sort-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (dataDirectory) => Layer.fresh(DuckDb.layer({ dataDirectory, threadsMax: 4 }))
  )
)

const large = 90_000

describe("rows of a query in a table's sort order", () => {
  for (const byPart of [false, true]) {
    it.live(
      `lie in it, ${byPart ? "in each partition" : "without partitions"}, also where they take several files`,
      () =>
        Effect.gen(function* () {
          yield* create(byAmountAndName, byPart)
          // one of the two partitions is large
          const rows = `SELECT * REPLACE (CASE WHEN id % 10 = 0 THEN 1 ELSE 0 END AS part) FROM (${select(0, large, 2)})`
          yield* Effect.provide(appendRows(table, rows, { fileBytesTarget: 600_000 }), threads)
          const files = yield* filesOf
          assert.isAbove(files.filter(({ dataFile }) => (dataFile.partition[0] ?? 0) === 0).length, 1)
          assertFiles(files, large, compareAmountAndName, 1)
          assertPieces(files, compareAmountAndName)
          assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
        }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("lie in it where there are more partitions than are written at once", () =>
    Effect.gen(function* () {
      yield* create(byAmountAndName, true)
      yield* appendRows(table, select(0, 5_000, 40), { partitionsOpenMax: 8 })
      const files = yield* filesOf
      assert.lengthOf(files, 40)
      assertFiles(files, 5_000, compareAmountAndName, 1)
      for (const { dataFile, rows } of files) assert.isTrue(rows.every(({ part }) => part === dataFile.partition[0]))
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are ordered by transforms and by columns of structs", () =>
    Effect.gen(function* () {
      const hours = ({ at }: Row) => (at === null ? null : Math.floor(Number(at) / 3.6e9))
      const first = ({ name }: Row) => (name === null ? null : Array.from(name).slice(0, 2).join(""))
      // the SQL's twin, which is held against the specification's hashes
      const bucket = ({ id }: Row) => Number(applyTransform({ _tag: "bucket", buckets: 5 }, { _tag: "int" }, id))
      const level = by((row) => row.level, "desc", "nulls-last")
      const cases: ReadonlyArray<readonly [ReadonlyArray<SortField>, Compare]> = [
        [
          [field("name", "truncate[2]", "asc", "nulls-first"), field("code.level", "identity", "desc", "nulls-last")],
          all(by(first, "asc", "nulls-first"), level)
        ],
        [
          [field("at", "hour", "desc", "nulls-last"), field("id", "bucket[5]", "asc", "nulls-first")],
          all(by(hours, "desc", "nulls-last"), by(bucket, "asc", "nulls-first"))
        ],
        [
          [field("at", "day", "asc", "nulls-first"), field("at", "month", "desc", "nulls-first")],
          by((row) => (row.at === null ? null : Math.floor((hours(row) ?? 0) / 24)), "asc", "nulls-first")
        ]
      ]
      for (const [fields, compare] of cases) {
        yield* create({ orderId: 1, fields }, true)
        yield* appendRows(table, select(0, 3_000, 3))
        assertFiles(yield* filesOf, 3_000, compare, 1)
        yield* Catalog.use((catalog) => catalog.dropTable(table))
      }
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keep their order and name none where the table has none", () =>
    Effect.gen(function* () {
      yield* create({ orderId: 0, fields: [] }, false)
      yield* appendRows(table, select(0, 1_000, 1))
      const files = yield* filesOf
      assertFiles(
        files,
        1_000,
        by(({ id }) => id, "asc", "nulls-first"),
        null
      )
    }).pipe(Effect.provide(layerLake))
  )
})

describe("compaction in a table's sort order", () => {
  it.live("orders rows in each file and across the files of a partition", () =>
    Effect.gen(function* () {
      yield* create(byAmountAndName, true)
      const each = 8_000
      for (let i = 0; i < 6; i++) yield* appendRows(table, select(i * each, (i + 1) * each, 2))
      const before = yield* filesOf
      assert.lengthOf(before, 12)
      const target = { fileBytesTarget: Math.ceil(bytesOf(before) / 6), inputFilesMin: 2, all: true }
      yield* Effect.provide(compactTable(table, target), threads)
      const files = yield* filesOf
      assert.isAtLeast(files.length, 4)
      assert.isBelow(files.length, 12)
      assertFiles(files, 6 * each, compareAmountAndName, 1)
      assertPieces(files, compareAmountAndName)
      assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("orders by transforms, as one file", () =>
    Effect.gen(function* () {
      const fields = [
        field("code.level", "identity", "asc", "nulls-last"),
        field("name", "truncate[2]", "desc", "nulls-first")
      ]
      yield* create({ orderId: 4, fields }, false)
      for (let i = 0; i < 3; i++) yield* appendRows(table, select(i * 500, (i + 1) * 500, 2))
      yield* compactTable(table, { inputFilesMin: 2 })
      const files = yield* filesOf
      assert.lengthOf(files, 1)
      const first = ({ name }: Row) => (name === null ? null : Array.from(name).slice(0, 2).join(""))
      const compare = all(
        by(({ level }) => level, "asc", "nulls-last"),
        by(first, "desc", "nulls-first")
      )
      assertFiles(files, 1_500, compare, 4)
    }).pipe(Effect.provide(layerLake))
  )
})

describe("sortedBy", () => {
  it("names no order that rows cannot be put in here", () => {
    const good = field("name", "identity", "asc", "nulls-first")
    const order = (...fields: ReadonlyArray<SortField>): SortOrder => ({ orderId: 3, fields })
    assert.strictEqual(sortedBy(order(good), schema)?.orderId, 3)
    for (const bad of [
      field("name", "soundex", "asc", "nulls-first"),
      field("name", "void", "asc", "nulls-first"),
      field("name", "day", "asc", "nulls-first"),
      field("tags.element", "identity", "asc", "nulls-first"),
      field("tags", "identity", "asc", "nulls-first"),
      field("gone", "identity", "asc", "nulls-first")
    ]) {
      assert.isUndefined(sortedBy(order(good, bad), schema))
      assert.isUndefined(sortedBy(order(bad), schema))
    }
    assert.isUndefined(sortedBy({ orderId: 0, fields: [] }, schema))
  })
})
