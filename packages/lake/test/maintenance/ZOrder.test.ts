/** Files in Z-order: against a plain loop, and by how many files a filter on each column meets. */
import { localPath } from "@frazil/core"
import { DuckDBInstance } from "@duckdb/node-api"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setProperties } from "../../src/write/TableAction.ts"
import { layerLake } from "./MaintenanceFixture.ts"

const table = { namespace: "test", name: "orders" }

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "name", required: false, type: { _tag: "string" } },
    { id: 3, name: "amount", required: false, type: { _tag: "decimal", precision: 30, scale: 2 } },
    { id: 4, name: "at", required: false, type: { _tag: "timestamptz" } },
    { id: 5, name: "code", required: false, type: { _tag: "binary" } },
    { id: 6, name: "share", required: false, type: { _tag: "double" } },
    { id: 7, name: "day", required: false, type: { _tag: "date" } },
    { id: 8, name: "key", required: false, type: { _tag: "uuid" } },
    { id: 9, name: "flag", required: false, type: { _tag: "boolean" } }
  ]
}

const rowsOfFile = 2_000
const filesWritten = 8

/** No column follows another, nor the order of the rows; some values are null, texts share their beginnings. */
const rowsSql = (file: number): string => `SELECT i AS id,
  CASE WHEN i % 97 = 0 THEN NULL ELSE 'customer ''n' || chr(1 + (hash(i, 7) % 3)::INTEGER) || lpad((hash(i, 1) % 100000)::VARCHAR, 5, '0') END AS name,
  CASE WHEN i % 89 = 0 THEN NULL ELSE ((hash(i, 2) % 1000000)::BIGINT / 100)::DECIMAL(30, 2) - 5000 END AS amount,
  '2026-01-01 00:00:00+00'::TIMESTAMPTZ + to_seconds((hash(i, 3) % 8640000)::BIGINT) AS "at",
  unhex(lpad(to_hex(hash(i, 4) % 65536), 4, '0')) AS code,
  CASE WHEN i % 83 = 0 THEN 'nan'::DOUBLE ELSE (hash(i, 5) % 1000)::DOUBLE / 7 - 70 END AS share,
  '2026-01-01'::DATE + (hash(i, 6) % 365)::INTEGER AS day,
  md5(i::VARCHAR)::UUID AS key,
  hash(i, 8) % 2 = 0 AS flag
  FROM range(${file * rowsOfFile}, ${(file + 1) * rowsOfFile}) t(i)`

const load = Catalog.use((catalog) => catalog.loadTable(table))

const created = Effect.gen(function* () {
  const catalog = yield* Catalog
  yield* catalog.createTable({ identifier: table, schema })
  for (let file = 0; file < filesWritten; file++) yield* appendRows(table, rowsSql(file))
})

const zOrdered = Effect.fnUntraced(function* (columns: string) {
  const properties = new Map([["write.z-order.columns", columns]])
  yield* commitTable({ table, actions: () => Effect.succeed([setProperties(properties)]) })
  const { entries } = yield* planScan(yield* load)
  const bytes = entries.reduce((sum, { dataFile }) => sum + Number(dataFile.fileSizeInBytes), 0)
  return yield* compactTable(table, { fileBytesTarget: Math.ceil(bytes / filesWritten), all: true })
})

const paths = Effect.map(Effect.flatMap(load, planScan), ({ entries }) =>
  entries.map(({ dataFile }) => localPath(dataFile.filePath) ?? "")
)

/** Asked of DuckDB over the files, in their order. */
const ask = Effect.fnUntraced(function* (sql: (files: string) => string) {
  const files = yield* paths
  return yield* Effect.promise(async () => {
    const instance = await DuckDBInstance.create(":memory:")
    const connection = await instance.connect()
    const list = files.map((path) => `'${path}'`).join(", ")
    const reader = await connection.runAndReadAll(sql(`read_parquet([${list}], hive_partitioning = false)`))
    const rows = reader.getRowsJson()
    connection.disconnectSync()
    instance.closeSync()
    return rows
  })
})

const multiset = ask((files) => `SELECT hash(d) AS row, count(*) FROM ${files} AS d GROUP BY ALL ORDER BY ALL`)

const filesOf = Effect.fnUntraced(function* (filter: Filter) {
  return (yield* planScan(yield* load, { filter })).entries.length
})

type Pair = readonly [name: string | null, cents: number | null]

/** Ranks among 256 of equally many values; nulls first. */
const rankOf = <A extends string | number>(values: ReadonlyArray<A | null>) => {
  const sorted = values.filter((value) => value !== null).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const bounds = Array.from({ length: 255 }, (_, i) => sorted[Math.ceil(((i + 1) / 256) * sorted.length) - 1]!)
  return (value: A | null): number => (value === null ? 0 : bounds.filter((bound) => bound < value).length)
}

const compareNullable = <A extends string | number>(a: A | null, b: A | null): number => {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}

/** By the plain definition: bit after bit, of one column and the other. */
const inOrder = (rows: ReadonlyArray<Pair>): ReadonlyArray<Pair> => {
  const nameRank = rankOf(rows.map(([name]) => name))
  const centsRank = rankOf(rows.map(([, cents]) => cents))
  const keyed = rows.map((row) => {
    const [a, b] = [nameRank(row[0]), centsRank(row[1])]
    let text = ""
    for (let bit = 7; bit >= 0; bit--) text += `${(a >> bit) & 1}${(b >> bit) & 1}`
    return { row, text }
  })
  keyed.sort(
    (x, y) =>
      (x.text < y.text ? -1 : x.text > y.text ? 1 : 0) ||
      compareNullable(x.row[0], y.row[0]) ||
      compareNullable(x.row[1], y.row[1])
  )
  return keyed.map(({ row }) => row)
}

describe("Z-order", () => {
  it.live("orders rows as a plain loop does, over all files, and changes none", () =>
    Effect.gen(function* () {
      yield* created
      const before = yield* multiset
      assert.deepInclude(yield* zOrdered("name, amount"), { filesBefore: 8, filesAfter: 8 })
      assert.deepStrictEqual(yield* multiset, before)
      const found = yield* ask(
        (files) => `SELECT name, (amount * 100)::BIGINT::DOUBLE FROM ${files} ORDER BY file_index, file_row_number`
      )
      const pairs = found as unknown as ReadonlyArray<Pair> // as the query selects
      assert.lengthOf(pairs, rowsOfFile * filesWritten)
      assert.deepStrictEqual(pairs, inOrder(pairs))
      const { entries } = yield* planScan(yield* load)
      assert.isTrue(entries.every(({ dataFile }) => dataFile.sortOrderId === null))
    }).pipe(Effect.provide(layerLake))
  )

  it.live("lets a filter on any of the columns meet fewer files", () =>
    Effect.gen(function* () {
      yield* created
      const probes = [1, 3, 5, 7, 9].flatMap((i): ReadonlyArray<readonly [string, Filter]> => {
        const name = `customer 'n${String.fromCharCode(2)}${i}0000`
        const at = BigInt(Date.UTC(2026, 0, 1 + i * 10)) * 1000n
        return [
          ["name", { _tag: "Compare", column: "name", operator: "=", value: name }],
          ["amount", { _tag: "Compare", column: "amount", operator: "=", value: BigInt(i * 100_000 - 500_000) }],
          ["at", { _tag: "Compare", column: "at", operator: "=", value: at }]
        ]
      })
      const met = Effect.gen(function* () {
        const sums = new Map<string, number>()
        for (const [column, filter] of probes) sums.set(column, (sums.get(column) ?? 0) + (yield* filesOf(filter)))
        return sums
      })
      // every file holds the whole range
      assert.deepStrictEqual(Array.from((yield* met).values()), [40, 40, 40])
      yield* zOrdered("name,amount,at")
      for (const [column, files] of yield* met) assert.isAtMost(files, 34, column)
      yield* zOrdered("amount,at")
      const two = yield* met
      for (const column of ["amount", "at"]) assert.isAtMost(two.get(column) ?? 40, 26, column)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("takes columns of every type that has an order", () =>
    Effect.gen(function* () {
      yield* created
      const before = yield* multiset
      yield* zOrdered("code,share,day,key,flag,id")
      assert.deepStrictEqual(yield* multiset, before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("says what is wrong with columns that cannot be ordered by, and changes nothing", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* catalog.createTable({ identifier: table, schema })
      for (const columns of ["nobody", "name,name", "id,name,amount,at,code,share,day,key"]) {
        const error = yield* Effect.flip(zOrdered(columns))
        assert.strictEqual(error.reason, "Invalid")
        assert.include(error.message, `write.z-order.columns = "${columns}"`)
      }
    }).pipe(Effect.provide(layerLake))
  )
})
