/** What rows have that leave fields out, and what does not fit at any depth: the specification's tables, written and read. */
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { schemaFromJson } from "../../../src/spec/Schema.ts"
import type { SchemaChange } from "../../../src/spec/SchemaChange.ts"
import { appendRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { updateSchema } from "../../../src/write/TableAction.ts"
import type { JsonValue } from "../../../src/spec/Json.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"

const create = (fields: ReadonlyArray<JsonValue>) =>
  Catalog.use((catalog) =>
    catalog.createTable({
      identifier: table,
      properties: new Map([["format-version", "3"]]),
      schema: schemaFromJson({ type: "struct", fields }, "schema")
    })
  )

const evolve = (...changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table, actions: () => Effect.succeed([updateSchema(...changes)]) })

const rowsOf = (query: string) =>
  Effect.flatMap(load, (loaded) => Effect.map(readTable(loaded, { query }), ({ rows }) => rows))

const field = (
  id: number,
  name: string,
  type: JsonValue,
  more: { readonly [key: string]: JsonValue } = {}
): JsonValue => ({
  id,
  name,
  required: false,
  type,
  ...more
})

const point = (more: { readonly [key: string]: JsonValue }): JsonValue =>
  field(
    2,
    "point",
    {
      type: "struct",
      fields: [field(3, "x", "int", { "write-default": 0 }), field(4, "y", "int", { "write-default": 0 })]
    },
    more
  )

describe("write defaults", () => {
  // the specification's table of a struct's default, its fields' and a row
  for (const [what, more, given, result] of [
    ["none where the struct is null", {}, ", NULL AS point", null],
    ["0 where a field of it is", {}, ", {'x': 3} AS point", { x: 3, y: 0 }],
    ["of fields where the struct's is {}", { "write-default": {} }, "", { x: 0, y: 0 }],
    ["of the one that is left out", { "write-default": {} }, ", {'y': -1} AS point", { x: 0, y: -1 }]
  ] as const) {
    it.live(`are ${what}`, () =>
      Effect.gen(function* () {
        yield* create([field(1, "id", "int"), point(more)])
        yield* appendRows(table, `SELECT 1 AS id${given}`)
        yield* upsertRows(table, ["id"], `SELECT 2 AS id${given}`)
        assert.deepStrictEqual<unknown>(yield* rowsOf("SELECT id, point FROM t ORDER BY id"), [
          { id: 1, point: result },
          { id: 2, point: result }
        ])
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("are of every field, in lists and maps too, and what rows give comes first", () =>
    Effect.gen(function* () {
      const inner = {
        type: "struct",
        fields: [field(11, "a", "string"), field(12, "b", "string", { "write-default": "b0" })]
      }
      yield* create([
        field(1, "id", "int"),
        field(2, "list", { type: "list", "element-id": 3, "element-required": false, element: inner }),
        field(4, "map", {
          type: "map",
          "key-id": 5,
          key: "string",
          "value-id": 6,
          "value-required": false,
          value: { type: "struct", fields: [field(7, "c", "int"), field(8, "d", "int", { "write-default": 4 })] }
        }),
        field(9, "seen", "timestamptz", { "write-default": "2026-01-02T03:04:05.000006+00:00" }),
        field(10, "key", "fixed[2]", { "write-default": "00ff" })
      ])
      yield* appendRows(table, "SELECT 1 AS id, [{'a': 'x'}, NULL] AS list, MAP {'k': {'c': 1}} AS map")
      yield* appendRows(
        table,
        "SELECT 2 AS id, [{'a': NULL, 'b': NULL}] AS list, NULL AS map, NULL AS seen, unhex('0102') AS KEY"
      )
      const query = "SELECT id, list, map['k'].d AS d, epoch_us(seen) AS seen, hex(key) AS key FROM t ORDER BY id"
      assert.deepStrictEqual<unknown>(yield* rowsOf(query), [
        { id: 1, list: [{ a: "x", b: "b0" }, null], d: 4, seen: "1767323045000006", key: "00FF" },
        { id: 2, list: [{ a: null, b: null }], d: null, seen: null, key: "0102" }
      ])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("change for rows to come, not for those that are there; a required column needs one", () =>
    Effect.gen(function* () {
      yield* create([field(1, "id", "int")])
      yield* appendRows(table, "SELECT 1 AS id")
      const refused = yield* Effect.flip(
        evolve({ _tag: "AddColumn", name: "n", type: { _tag: "int" }, required: true })
      )
      assert.match(refused.message, /column n cannot be required without a default/)
      yield* evolve({ _tag: "AddColumn", name: "n", type: { _tag: "int" }, required: true, defaultValue: 7 })
      yield* appendRows(table, "SELECT 2 AS id")
      yield* evolve({ _tag: "ChangeDefault", column: "n", defaultValue: 8 })
      yield* appendRows(table, "SELECT 3 AS id")
      yield* appendRows(table, "SELECT 4 AS id, 9 AS n")
      assert.deepStrictEqual<unknown>(yield* rowsOf("SELECT id, n FROM t ORDER BY id"), [
        { id: 1, n: 7 },
        { id: 2, n: 7 },
        { id: 3, n: 8 },
        { id: 4, n: 9 }
      ])
      const none = yield* Effect.flip(evolve({ _tag: "ChangeDefault", column: "n", defaultValue: null }))
      assert.match(none.message, /column n is required/)
    }).pipe(Effect.provide(layerLake))
  )
})

describe("a date that becomes a timestamp", () => {
  for (const to of ["timestamp", "timestamp_ns"] as const) {
    it.live(`is its midnight, ${to}, in rows, defaults and bounds`, () =>
      Effect.gen(function* () {
        yield* create([field(1, "id", "int"), field(2, "day", "date")])
        yield* appendRows(table, "SELECT 1 AS id, DATE '2026-01-02' AS day")
        yield* evolve({ _tag: "AddColumn", name: "since", type: { _tag: "date" }, defaultValue: "2020-02-29" })
        yield* evolve(
          { _tag: "WidenColumn", column: "day", type: { _tag: to } },
          { _tag: "WidenColumn", column: "since", type: { _tag: to } }
        )
        yield* appendRows(table, "SELECT 2 AS id, TIMESTAMP '2026-01-02 00:00:00.000001' AS day")
        const query = "SELECT id, day::VARCHAR AS day, since::VARCHAR AS since FROM t ORDER BY id"
        assert.deepStrictEqual<unknown>(yield* rowsOf(query), [
          { id: 1, day: "2026-01-02 00:00:00", since: "2020-02-29 00:00:00" },
          { id: 2, day: "2026-01-02 00:00:00.000001", since: "2020-02-29 00:00:00" }
        ])
        const midnight = 1767312000000000n * (to === "timestamp" ? 1n : 1000n)
        const found = yield* readTable(yield* load, {
          filter: { _tag: "Compare", column: "day", operator: "<=", value: midnight },
          query: `SELECT id FROM t WHERE day <= TIMESTAMP '2026-01-02'`
        })
        assert.deepStrictEqual([found.rows.length, found.plan.entries.length], [1, 1])
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("is refused in format version 2, and where files are divided by it", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const schema = schemaFromJson({ type: "struct", fields: [field(1, "day", "date")] }, "schema")
      const widen = evolve({ _tag: "WidenColumn", column: "day", type: { _tag: "timestamp" } })
      yield* catalog.createTable({ identifier: table, schema })
      assert.match((yield* Effect.flip(widen)).message, /needs format version 3/)
      yield* catalog.dropTable(table)
      for (const [transform, taken] of [
        ["identity", false],
        ["day", true]
      ] as const) {
        const partitionSpec = {
          specId: 0,
          fields: [{ sourceId: 1, fieldId: 1000, name: "day_part", transform: { _tag: transform } }]
        }
        yield* catalog.createTable({
          identifier: table,
          schema,
          partitionSpec,
          properties: new Map([["format-version", "3"]])
        })
        const outcome = yield* Effect.result(widen)
        assert.strictEqual(outcome._tag === "Success", taken, transform)
        if (outcome._tag === "Failure") assert.match(outcome.failure.message, /partition field day_part/)
        yield* catalog.dropTable(table)
      }
    }).pipe(Effect.provide(layerLake))
  )
})

describe("values that do not fit", () => {
  const required = (id: number, name: string, type: JsonValue): JsonValue => ({ id, name, required: true, type })
  const nested: ReadonlyArray<JsonValue> = [
    field(1, "id", "int"),
    field(2, "s", {
      type: "struct",
      fields: [required(3, "must", "int"), field(4, "day", "date"), field(5, "key", "fixed[2]")]
    }),
    field(6, "l", { type: "list", "element-id": 7, "element-required": true, element: "timestamp" }),
    field(8, "m", { type: "map", "key-id": 9, key: "fixed[1]", "value-id": 10, "value-required": true, value: "int" })
  ]
  const good = "SELECT 1 AS id, NULL AS s, NULL AS l, NULL AS m"
  for (const [what, select, message] of [
    [
      "a required field of a struct",
      "{'must': NULL, 'day': NULL, 'key': NULL} AS s, NULL AS l, NULL AS m",
      "s.must is required"
    ],
    [
      "a day without end in a struct",
      "{'must': 1, 'day': 'infinity'::DATE, 'key': NULL} AS s, NULL AS l, NULL AS m",
      "s.day has a time without end"
    ],
    [
      "a fixed value that is too short",
      "{'must': 1, 'day': NULL, 'key': unhex('00')} AS s, NULL AS l, NULL AS m",
      "s.key has values of another length"
    ],
    ["a required element", "NULL AS s, [NULL] AS l, NULL AS m", "l.element is required"],
    [
      "an element without end",
      "NULL AS s, ['-infinity'::TIMESTAMP] AS l, NULL AS m",
      "l.element has a time without end"
    ],
    ["a required value of a map", "NULL AS s, NULL AS l, MAP {unhex('01'): NULL} AS m", "m.value is required"],
    [
      "a fixed key that is too long",
      "NULL AS s, NULL AS l, MAP {unhex('0102'): 1} AS m",
      "m.key has values of another length"
    ]
  ] as const) {
    it.live(`are refused by name at any depth: ${what}`, () =>
      Effect.gen(function* () {
        yield* create(nested)
        yield* appendRows(table, good)
        const error = yield* Effect.flip(appendRows(table, `SELECT 2 AS id, ${select}`))
        assert.strictEqual(error.reason, "Invalid")
        assert.include(error.message, message)
        assert.lengthOf(yield* rowsOf("SELECT id FROM t"), 1)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("are none where the table's type holds what the query's does, and files have the table's types", () =>
    Effect.gen(function* () {
      yield* create([
        field(1, "id", "int"),
        field(2, "n", "long"),
        field(3, "t", "timestamp"),
        field(4, "d", "decimal(9, 2)")
      ])
      const select = (id: string, n: string, t: string, d: string) =>
        `SELECT ${id} AS id, ${n} AS n, ${t} AS t, ${d} AS d`
      yield* appendRows(
        table,
        select("7::UINTEGER", "8::HUGEINT", "TIMESTAMP_MS '2026-01-01 00:00:00.001'", "1.5::DOUBLE")
      )
      yield* appendRows(table, select("7::UTINYINT", "8::UBIGINT", "TIMESTAMP_NS '2026-01-01 00:00:00.001'", "'1.50'"))
      const row = { id: 7, n: "8", t: "2026-01-01 00:00:00.001", d: "1.50" }
      assert.deepStrictEqual<unknown>(yield* rowsOf("SELECT * FROM t"), [row, row])
      const { plan } = yield* readTable(yield* load)
      const connection = yield* (yield* DuckDb).connect
      for (const { dataFile } of plan.entries) {
        const sql = `SELECT name, type, converted_type FROM parquet_schema('${localPath(dataFile.filePath)}') OFFSET 1`
        const reader = yield* connection.query(sql, "asking")
        assert.deepStrictEqual<unknown>(reader.getRows(), [
          ["id", "INT32", "INT_32"],
          ["n", "INT64", "INT_64"],
          ["t", "INT64", "TIMESTAMP_MICROS"],
          ["d", "INT32", "DECIMAL"]
        ])
      }
      for (const bad of [
        select("4294967295::UINTEGER", "0", "NULL", "0"),
        select("0", "18446744073709551615::UBIGINT", "NULL", "0"),
        select("0", "INTERVAL '1' DAY", "NULL", "0"),
        select("0", "0", "TIMETZ '12:00:00+02'", "0"),
        select("0", "0", "NULL", "'NaN'::DOUBLE")
      ]) {
        assert.strictEqual((yield* Effect.flip(appendRows(table, bad))).reason, "Invalid", bad)
      }
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})
