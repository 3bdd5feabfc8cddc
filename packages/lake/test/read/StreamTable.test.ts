/** A table as a stream: the rows of a scan, in bounded batches, computed as they are asked for; as Arrow with nested columns. */
import { tableFromIPC, tableToIPC, Table as ArrowTable } from "apache-arrow"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { arrowTable } from "../../src/read/arrow/ArrowBatches.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { streamTable } from "../../src/read/StreamTable.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { Type } from "../../src/spec/Type.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { createAccounts, layerLake, load, table } from "../write/change/ChangeFixture.ts"

/** At most, as DuckDB cuts vectors. */
const batchRowsMax = 2_048
const rowsTotal = 200_000

const numbers = `SELECT i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'c' || i END AS country, i / 100 AS balance FROM range(${rowsTotal}) t(i)`

describe("streamTable", () => {
  it.live("gives the rows of a scan, no batch above the bound, deleted ones left out", () =>
    Effect.gen(function* () {
      yield* createAccounts([], [["write.delete.mode", "merge-on-read"]])
      yield* appendRows(table, numbers.replace(String(rowsTotal), "10000"))
      yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 5000n })
      const loaded = yield* load
      const batches = yield* Stream.runCollect(streamTable(loaded))
      assert.isAbove(batches.length, 2)
      assert.isTrue(batches.every(({ length }) => length > 0 && length <= batchRowsMax))
      assert.deepStrictEqual(batches.flat(), [...(yield* readTable(loaded)).rows])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("has not read the end when the first batch is there", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendRows(table, numbers)
      const loaded = yield* load
      // computing the last row fails: who comes to it, fails
      const query = `SELECT id, country, CASE WHEN id = ${rowsTotal - 1} THEN error('the end') END AS e FROM t`
      const first = yield* Stream.runCollect(Stream.take(streamTable(loaded, { query }), 1))
      assert.deepStrictEqual(first[0]?.[0], { id: "0", country: null, e: null })
      const batch = yield* Stream.runCollect(Stream.take(arrowTable(loaded, { query }), 1))
      assert.strictEqual(batch[0]?.numRows, batchRowsMax)
      const error = yield* Effect.flip(Stream.runDrain(streamTable(loaded, { query })))
      assert.include(error.message, "Invalid Input Error")
      // the connection of a stream that was left early is free again
      assert.deepStrictEqual((yield* readTable(loaded, { query: "SELECT count(*) AS n FROM t" })).rows, [
        { n: String(rowsTotal) }
      ])
    }).pipe(Effect.provide(layerLake))
  )
})

const optional = (id: number, name: string, type: Type) => ({ id, name, required: false, type })

const nested: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    optional(1, "id", { _tag: "long" }),
    optional(2, "money", { _tag: "decimal", precision: 38, scale: 2 }),
    optional(3, "at", { _tag: "timestamptz" }),
    optional(4, "tags", {
      _tag: "list",
      elementId: 5,
      elementRequired: false,
      element: { _tag: "struct", fields: [optional(6, "name", { _tag: "string" }), optional(7, "n", { _tag: "int" })] }
    }),
    optional(8, "counts", {
      _tag: "map",
      keyId: 9,
      key: { _tag: "string" },
      valueId: 10,
      valueRequired: false,
      value: { _tag: "double" }
    }),
    optional(11, "place", {
      _tag: "struct",
      fields: [optional(12, "day", { _tag: "date" }), optional(13, "raw", { _tag: "binary" })]
    })
  ]
}

describe("arrowTable", () => {
  it.live("gives nested columns, NULLs at every level and exact numbers", () =>
    Effect.gen(function* () {
      yield* Catalog.use((catalog) => catalog.createTable({ identifier: table, schema: nested }))
      yield* appendRows(
        table,
        `SELECT 9007199254740993 AS id, -0.01::DECIMAL(38, 2) AS money, TIMESTAMPTZ '2026-01-14 23:45:00.000001+00' AS at,
          [{'name': 'a', 'n': 1}, NULL, {'name': NULL, 'n': 2}] AS tags, MAP {'x': 0.5, 'y': NULL} AS counts,
          {'day': DATE '1969-12-31', 'raw': encode('hi')} AS place
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL
        UNION ALL SELECT 3, 99999999999999999999.99, NULL, [], MAP {}, {'day': NULL, 'raw': NULL}`
      )
      const batches = yield* Stream.runCollect(
        arrowTable(yield* load, { query: "SELECT * FROM t ORDER BY id NULLS FIRST" })
      )
      // through the bytes that other programs would read
      const read = tableFromIPC(tableToIPC(new ArrowTable([...batches]), "stream"))
      assert.deepStrictEqual(
        read.schema.fields.map(({ name, type }) => `${name}: ${String(type)}`),
        [
          "id: Int64",
          "money: Decimal[38e+2]",
          "at: Timestamp<MICROSECOND, UTC>",
          "tags: List<Struct<{name:Utf8, n:Int32}>>",
          "counts: Map<{key:Utf8, value:Float64}>",
          "place: Struct<{day:Date32<DAY>, raw:Binary}>"
        ]
      )
      const rows = read
        .toArray()
        .map((row) =>
          JSON.parse(JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value)))
        )
      assert.deepStrictEqual(rows[0], { id: null, money: null, at: null, tags: null, counts: null, place: null })
      assert.deepInclude(rows[1], { id: "3", tags: [], counts: {}, place: { day: null, raw: null } })
      assert.deepInclude(rows[2], {
        id: "9007199254740993",
        tags: [{ name: "a", n: 1 }, null, { name: null, n: 2 }],
        counts: { x: 0.5, y: null }
      })
      const money = (row: number) => new BigInt64Array(Uint32Array.from(read.getChild("money")!.get(row)).buffer)
      assert.deepStrictEqual([...money(2)], [-1n, -1n])
      assert.strictEqual((money(1)[1]! << 64n) | BigInt.asUintN(64, money(1)[0]!), 9999999999999999999999n)
      assert.deepStrictEqual([...read.getChild("place")!.get(2).raw], [104, 105])
    }).pipe(Effect.provide(layerLake))
  )
})
