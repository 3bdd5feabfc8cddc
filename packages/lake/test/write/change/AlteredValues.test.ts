/**
 * Values that a column cannot hold as they are, and their neighbours that it can: the first are refused and nothing is written,
 * the others are read as DuckDB prints them, written down here.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import type { JsonValue } from "../../../src/spec/Json.ts"
import { schemaFromJson } from "../../../src/spec/Schema.ts"
import { currentSchema } from "../../../src/spec/TableMetadata.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { relationRows } from "../../../src/write/change/WriteRelation.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"

interface Case {
  readonly type: JsonValue
  /** With what is read. */
  readonly kept: ReadonlyArray<readonly [sql: string, text: string | null]>
  /** Rounded or cut by a cast. */
  readonly altered: ReadonlyArray<string>
  /** Not taken by a cast at all. */
  readonly refused?: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    type: "long",
    kept: [
      ["7::UTINYINT", "7"],
      ["1.0", "1"],
      ["2e3::DOUBLE", "2000"],
      ["9007199254740992::DOUBLE", "9007199254740992"],
      ["9223372036854775807::HUGEINT", "9223372036854775807"],
      ["-5.00::DECIMAL(18, 2)", "-5"],
      ["true", "1"],
      ["'7'", "7"],
      ["' 7.00 '", "7"],
      ["'-15e1'", "-150"],
      ["'100e-2'", "1"],
      ["'7'::JSON", "7"],
      ["NULL", null],
      ["NULL::DOUBLE", null]
    ],
    altered: ["1.5", "1.5::DOUBLE", "0.1::FLOAT", "-0.5::DECIMAL(18, 1)", "'1.5'", "'-.5'", "'15e-1'", "'1.5'::JSON"],
    refused: [
      "'NaN'::DOUBLE",
      "'one'",
      "''",
      "1e19::DOUBLE",
      "18446744073709551615::UBIGINT",
      "DATE '2026-01-01'",
      "[1]"
    ]
  },
  {
    type: "int",
    kept: [
      ["2147483647::BIGINT", "2147483647"],
      ["-2147483648::HUGEINT", "-2147483648"]
    ],
    altered: ["1.5"],
    refused: ["2147483648::BIGINT", "4294967295::UINTEGER"]
  },
  {
    type: "boolean",
    kept: [
      ["1", "true"],
      ["0", "false"],
      ["'true'", "true"]
    ],
    altered: ["2", "0.5"],
    refused: ["'maybe'"]
  },
  {
    type: "decimal(12, 2)",
    kept: [
      ["7", "7.00"],
      ["1.50", "1.50"],
      ["1.500", "1.50"],
      ["'1.50'", "1.50"],
      ["'1.5000'", "1.50"],
      ["'1_000.5'", "1000.50"],
      ["'150e-2'", "1.50"],
      ["0.1::DOUBLE", "0.10"],
      ["0.1::FLOAT", "0.10"],
      ["1234567890.12::DOUBLE", "1234567890.12"],
      ["9999999999.99::DECIMAL(38, 10)", "9999999999.99"],
      ["'1.50'::JSON", "1.50"],
      ["'null'::JSON", null],
      ["1.5::VARIANT", "1.50"],
      ["NULL::DECIMAL(38, 10)", null]
    ],
    altered: [
      "1.005",
      "1.005::DOUBLE",
      "1.005::FLOAT",
      "'1.005'",
      "'1.00000000000000000000000000000000000000000001'",
      "'1005e-3'",
      "'1005e-3'::JSON",
      "1e-3::DOUBLE",
      "(1.0 / 3)::DOUBLE",
      "1.005::VARIANT"
    ],
    refused: ["'NaN'::DOUBLE", "10000000000", "'10000000000.00'", "9999999999.999", "'one'"]
  },
  {
    type: "decimal(38, 10)",
    kept: [
      ["1234567.125::DOUBLE", "1234567.1250000000"],
      ["'9999999999999999999999999999.9999999999'", "9999999999999999999999999999.9999999999"]
    ],
    altered: ["'9999999999999999999999999998.99999999999'", "0.12345678901::DOUBLE", "'12345678901234567.891'::JSON"]
  },
  {
    type: "double",
    kept: [
      ["9007199254740992", "9007199254740992.0"],
      ["0.1", "0.1"],
      ["23.343424523423433", "23.343424523423433"],
      ["0.1::FLOAT", "0.10000000149011612"],
      ["'0.1'", "0.1"],
      ["1180591620717411303424::HUGEINT", "1.1805916207174113e+21"]
    ],
    altered: ["9007199254740993", "9223372036854775807", "123456789012345678.25", "'1e400'"],
    refused: ["'one'"]
  },
  {
    type: "float",
    kept: [
      ["0.5::DOUBLE", "0.5"],
      ["'NaN'::DOUBLE", "nan"],
      ["'-infinity'::DOUBLE", "-inf"],
      ["'Infinity'", "inf"],
      ["0.1", "0.1"],
      ["16777216", "16777216.0"],
      ["'0.1'", "0.1"]
    ],
    altered: ["0.1::DOUBLE", "16777217", "123456789.25", "'1e39'"],
    refused: ["1e300::DOUBLE"]
  },
  {
    type: "date",
    kept: [
      ["TIMESTAMP '2026-01-02 00:00:00'", "2026-01-02"],
      ["TIMESTAMPTZ '2026-01-02 00:00:00+00'", "2026-01-02"],
      ["TIMESTAMP_NS '2026-01-02 00:00:00'", "2026-01-02"],
      ["'2026-01-02'", "2026-01-02"],
      ["'2026-01-02 00:00:00'", "2026-01-02"],
      ["'2026-01-02T00:00:00Z'", "2026-01-02"],
      ["'0044-03-15 (BC)'", "0044-03-15 (BC)"],
      ["'epoch'", "1970-01-01"],
      ["'\"2026-01-02\"'::JSON", "2026-01-02"]
    ],
    altered: [
      "TIMESTAMP '2026-01-02 00:00:01'",
      "TIMESTAMPTZ '2026-01-02 00:00:00+01'",
      "TIMESTAMP_NS '2026-01-02 00:00:00.000000001'",
      "'2026-01-02 12:00:00'",
      "'2026-01-02T12:00:00Z'",
      "'2026-01-02 in words'"
    ],
    refused: ["'2026-02-30'", "20260102"]
  },
  {
    type: "time",
    kept: [
      ["'12:00:00.000001'", "12:00:00.000001"],
      ["'12:00:00.000001000'", "12:00:00.000001"],
      ["'12:00'", "12:00:00"],
      ["TIMETZ '12:00:00+00'", "12:00:00"]
    ],
    altered: [
      "'12:00:00.0000001'",
      "TIMETZ '12:00:00+02'",
      "TIMESTAMP '2026-01-02 12:00:00'",
      "'2026-01-02 12:00:00'",
      "'01:00:00 PM'",
      "'12:00:00+02'"
    ]
  },
  {
    type: "timestamp",
    kept: [
      ["TIMESTAMP_NS '2026-01-02 03:04:05.000006000'", "2026-01-02 03:04:05.000006"],
      ["TIMESTAMP_MS '2026-01-02 03:04:05.006'", "2026-01-02 03:04:05.006"],
      ["TIMESTAMPTZ '2026-01-02 03:04:05+00'", "2026-01-02 03:04:05"],
      ["DATE '2026-01-02'", "2026-01-02 00:00:00"],
      ["'2026-01-02T03:04:05.000006Z'", "2026-01-02 03:04:05.000006"],
      ["'2026-01-02 03:04:05.000006000'", "2026-01-02 03:04:05.000006"],
      ["'\"2026-01-02 03:04:05.000006\"'::JSON", "2026-01-02 03:04:05.000006"]
    ],
    altered: [
      "TIMESTAMP_NS '2026-01-02 03:04:05.000006007'",
      "'2026-01-02 03:04:05.0000061'",
      "'2026-01-02 03:04:05+02'",
      "'\"2026-01-02 03:04:05.000006007\"'::JSON"
    ],
    refused: ["'yesterday'", "INTERVAL '1' DAY", "TIME '12:00:00'", "DATE '300000-01-01'", "7"]
  },
  {
    type: "timestamptz",
    kept: [
      ["TIMESTAMP '2026-01-02 03:04:05.000006'", "2026-01-02 03:04:05.000006+00"],
      ["'2026-01-02T03:04:05.000006+02:00'", "2026-01-02 01:04:05.000006+00"]
    ],
    altered: ["TIMESTAMP_NS '2026-01-02 03:04:05.000000001'", "'2026-01-02 03:04:05.000000001+00'"]
  },
  {
    type: "timestamp_ns",
    kept: [
      ["TIMESTAMP '2026-01-02 03:04:05.000006'", "2026-01-02 03:04:05.000006"],
      ["TIMESTAMP '1677-09-22 00:00:00'", "1677-09-22 00:00:00"],
      ["TIMESTAMP '2262-04-11 23:47:16.854775'", "2262-04-11 23:47:16.854775"],
      ["DATE '2026-01-02'", "2026-01-02 00:00:00"],
      ["'2026-01-02 03:04:05.000006007'", "2026-01-02 03:04:05.000006007"]
    ],
    altered: ["'2026-01-02 03:04:05.0000060071'", "'2026-01-02 03:04:05+02'"],
    refused: [
      "TIMESTAMP '9999-12-31 00:00:00'",
      "TIMESTAMPTZ '1600-01-01 00:00:00+00'",
      "TIMESTAMP_S '9999-12-31 00:00:00'",
      "DATE '0001-01-01'",
      "DATE '300000-01-01'",
      "'9999-12-31'",
      "7"
    ]
  },
  {
    type: "uuid",
    kept: [["'0F0F0F0F-0000-4000-8000-000000000000'", "0f0f0f0f-0000-4000-8000-000000000000"]],
    altered: [],
    refused: ["'one'"]
  },
  {
    type: "string",
    kept: [
      ["1.50", "1.50"],
      ["DATE '2026-01-02'", "2026-01-02"]
    ],
    altered: []
  },
  {
    type: "binary",
    kept: [
      ["'\\xAA'::BLOB", "\\xAA"],
      ["'a'", "a"]
    ],
    altered: []
  }
]

const create = (type: JsonValue) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    yield* Effect.ignore(catalog.dropTable(table))
    const fields: ReadonlyArray<JsonValue> = [
      { id: 100, name: "id", required: true, type: "int" },
      { id: 1, name: "v", required: false, type }
    ]
    const schema = schemaFromJson({ type: "struct", fields }, "schema")
    yield* catalog.createTable({ identifier: table, schema, properties: new Map([["format-version", "3"]]) })
  })

/** What is read of values that were put in one by one, each as the query gives it: together they would be of one type. */
const readBack = Effect.fnUntraced(function* (type: JsonValue, values: ReadonlyArray<string>) {
  yield* create(type)
  for (const [id, sql] of values.entries()) yield* appendRows(table, `SELECT ${id} AS id, ${sql} AS v`)
  const { rows } = yield* readTable(yield* load, { query: "SELECT v::VARCHAR AS v FROM t ORDER BY id" })
  return rows.map(({ v }, i) => [values[i], v])
})

/**
 * Each fails in these words, after a good row; the first of them as who appends has it, Invalid and with the table as it was,
 * the others where rows are typed, which is all that a change of rows does with them.
 */
const assertRefused = Effect.fnUntraced(function* ([first, ...others]: ReadonlyArray<string>, says: string) {
  if (first === undefined) return
  const rowsOf = (sql: string) => `SELECT 1 AS id, NULL AS v UNION ALL SELECT 2, ${sql}`
  const { metadata, metadataLocation } = yield* load
  const error = yield* Effect.flip(appendRows(table, rowsOf(first)))
  assert.strictEqual(error.reason, "Invalid", first)
  assert.include(error.message, says, first)
  assert.strictEqual((yield* load).metadataLocation, metadataLocation)
  const connection = yield* (yield* DuckDb).connect
  for (const sql of others) {
    const typed = yield* relationRows(connection, metadata, currentSchema(metadata), rowsOf(sql))
    assert.include((yield* Effect.flip(connection.query(typed, "typing rows"))).message, says, sql)
  }
}, Effect.scoped)

/** Values in SQL are read with the texts beside them. */
const assertKept = Effect.fnUntraced(function* (type: JsonValue, kept: Case["kept"]) {
  const read = yield* readBack(
    type,
    kept.map(([sql]) => sql)
  )
  assert.deepStrictEqual<unknown>(read, kept)
})

describe("values that a column cannot hold as they are", () => {
  for (const { altered, kept, refused = [], type } of cases) {
    it.live(`are refused, and others are kept: ${String(type)}`, () =>
      Effect.gen(function* () {
        yield* assertKept(type, kept)
        yield* assertRefused(altered, `column v has values that ${String(type)} would round or cut`)
        yield* assertRefused(refused, `column v has values that are no ${String(type)}`)
      }).pipe(Effect.provide(layerLake))
    )
  }
})

const list = (element: JsonValue): JsonValue => ({
  type: "list",
  "element-id": 2,
  "element-required": false,
  element
})
const map = (key: JsonValue, value: JsonValue): JsonValue => ({
  type: "map",
  "key-id": 2,
  key,
  "value-id": 3,
  "value-required": false,
  value
})
const struct: JsonValue = {
  type: "struct",
  fields: [
    { id: 4, name: "a", required: false, type: "long" },
    { id: 5, name: "b", required: false, type: "decimal(12, 2)" }
  ]
}

const nested: ReadonlyArray<
  Pick<Case, "type" | "kept"> & { readonly refused: ReadonlyArray<readonly [sql: string, says: string]> }
> = [
  {
    type: list("long"),
    kept: [
      ["[1.0, NULL]", "[1, NULL]"],
      ["[1.0, 2.0]::DOUBLE[2]", "[1, 2]"],
      ["'[1, 2.0]'", "[1, 2]"],
      ["'[1, null]'::JSON", "[1, NULL]"],
      ["NULL", null]
    ],
    refused: [
      ["[1, 1.5]", "column v.element has values that long would round or cut"],
      ["[1.0, 1.5]::DOUBLE[2]", "column v.element has values that long would round or cut"],
      ["['one']", "column v.element has values that are no long"],
      ["'[1, 1.5]'", "column v.element has values that long would round or cut"],
      ["'[1, 1.5]'::JSON", "column v.element has values that long would round or cut"],
      ["7", "column v has values that are no list"]
    ]
  },
  {
    type: struct,
    kept: [
      ["{'a': 1, 'b': 1.5}", "{'a': 1, 'b': 1.50}"],
      [`'{"a": 1.0, "b": null}'::JSON`, "{'a': 1, 'b': NULL}"],
      [`'{"a": null, "b": "1.50"}'::JSON`, "{'a': NULL, 'b': 1.50}"],
      ["'{a: 1, b: 1.5}'", "{'a': 1, 'b': 1.50}"]
    ],
    refused: [
      ["{'a': 1.5, 'b': 1}", "column v.a has values that long would round or cut"],
      ["{'a': 1, 'b': 1, 'C': 1}", "it has no column v.c"],
      [`'{"a": 1.5}'::JSON`, "column v.a has values that long would round or cut"],
      [`'{"a": 1, "c": 2}'::JSON`, "column v has values with fields that the table has not"],
      [`'{"A": 1}'::JSON`, "column v has values with fields that the table has not"],
      ["'{a: 1, b: 1.005}'", "column v.b has values that decimal(12, 2) would round or cut"],
      ["'{a: 1, b: 1, c: 1}'", "column v has values that are no struct"]
    ]
  },
  {
    type: list(struct),
    kept: [["[{'A': 1.0, 'b': 1}, NULL]", "[{'a': 1, 'b': 1.00}, NULL]"]],
    refused: [
      ["[{'a': 1, 'b': 1.005}, NULL]", "column v.element.b has values that decimal(12, 2) would round or cut"],
      ["[{'a': 1, 'b': 1, 'c': 1}]", "it has no column v.element.c"],
      [`'[{"a": 1, "b": 1.005}]'::JSON`, "column v.element.b has values that decimal(12, 2) would round or cut"],
      [`'[{"a": 1, "x": 1}]'::JSON`, "column v.element has values with fields that the table has not"]
    ]
  },
  {
    type: map("decimal(12, 2)", struct),
    kept: [["MAP {1.5: {'a': 1.0, 'b': NULL}}", "{1.50={'a': 1, 'b': NULL}}"]],
    refused: [
      ["MAP {1.005: {'a': 1, 'b': 1}}", "column v.key has values that decimal(12, 2) would round or cut"],
      ["MAP {1: {'a': 1.5, 'b': 1}}", "column v.value.a has values that long would round or cut"],
      ["MAP {1: {'a': 1, 'x': 1}}", "it has no column v.value.x"]
    ]
  }
]

describe("values within lists, structs and maps", () => {
  for (const { kept, refused, type } of nested) {
    it.live(`are refused by their column's name, and others are kept: ${JSON.stringify(type)}`, () =>
      Effect.gen(function* () {
        yield* assertKept(type, kept)
        for (const [sql, says] of refused) yield* assertRefused([sql], says)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("cost nothing where the query's types are the table's, or are held whole by them", () =>
    Effect.gen(function* () {
      const fields: ReadonlyArray<JsonValue> = ["long", "decimal(12, 2)", "string", "double", list("long"), struct].map(
        (type, i) => ({ id: 10 + i, name: `c${i}`, required: false, type })
      )
      const schema = schemaFromJson({ type: "struct", fields }, "schema")
      yield* (yield* Catalog).createTable({ identifier: table, schema })
      const { metadata } = yield* load
      const connection = yield* (yield* DuckDb).connect
      const rowsOf = (select: string) => relationRows(connection, metadata, currentSchema(metadata), select)
      for (const own of [
        "SELECT 1::BIGINT AS c0, 1::DECIMAL(12, 2) AS c1, '' AS c2, 1::DOUBLE AS c3, [1::BIGINT] AS c4, {'a': 1::BIGINT, 'b': 1::DECIMAL(12, 2)} AS c5",
        "SELECT 1 AS c0, 1.5 AS c1, 1.5 AS c2, 1 AS c3, [1] AS c4, {'a': 1, 'b': 1} AS c5"
      ]) {
        assert.notMatch(yield* rowsOf(own), /CASE|CAST/)
      }
      assert.match(yield* rowsOf("SELECT 1.5 AS c0, 1 AS c1, '' AS c2, 1 AS c3, [1] AS c4, NULL AS c5"), /CASE/)
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})
