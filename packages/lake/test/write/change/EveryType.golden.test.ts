/**
 * Every primitive type as a key of upserts and of partitions, in filters, as a column of Arrow and after compaction: what is read
 * must be what DuckDB prints of the values themselves.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { arrowTable } from "../../../src/read/arrow/ArrowBatches.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { filterSql } from "../../../src/read/FilterSql.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import type { SingleValue } from "../../../src/spec/SingleValue.ts"
import { currentSchema } from "../../../src/spec/TableMetadata.ts"
import { transformFromText } from "../../../src/spec/Transform.ts"
import { primitiveFromText } from "../../../src/spec/Type.ts"
import { appendRows, overwritePartitions, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"

interface TypeOfKey {
  readonly type: string
  /** Two or four, ascending: as DuckDB has them, and as the specification does. */
  readonly values: ReadonlyArray<readonly [sql: string, value: SingleValue]>
  /** Divides by the type; `identity` when left out. */
  readonly by?: string
  /** False: it is no key of upserts, which refuse it. */
  readonly isKey?: boolean
}

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))
const hexes = (...values: ReadonlyArray<string>): TypeOfKey["values"] =>
  values.map((hex) => [`unhex('${hex}')`, bytes(hex)])
const decimals = (precision: number, scale: number): TypeOfKey => {
  const greatest = 10n ** BigInt(precision) - 1n
  const text = (unscaled: bigint) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0")
    const [whole, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)]
    return `${unscaled < 0n ? "-" : ""}${whole}${scale === 0 ? "" : `.${fraction}`}`
  }
  const type = `decimal(${precision}, ${scale})`
  return {
    type,
    values: [-greatest, -1n, 0n, greatest].map(
      (value) => [`'${text(value)}'::DECIMAL(${precision}, ${scale})`, value] as const
    ),
    by: precision % 2 === 0 ? "identity" : "bucket[4]"
  }
}

const types: ReadonlyArray<TypeOfKey> = [
  {
    type: "boolean",
    values: [
      ["false", false],
      ["true", true]
    ]
  },
  {
    type: "float",
    values: [
      ["'-Infinity'::FLOAT", Number.NEGATIVE_INFINITY],
      ["'-1.5'::FLOAT", -1.5],
      // the nearest to a tenth
      ["'0.1'::FLOAT", 13421773 / 2 ** 27],
      ["'3.4028235e38'::FLOAT", (2 - 2 ** -23) * 2 ** 127]
    ],
    isKey: false
  },
  {
    type: "double",
    values: [
      ["'-1.7976931348623157e308'::DOUBLE", -Number.MAX_VALUE],
      ["'0.1'::DOUBLE", 0.1],
      ["'0.30000000000000004'::DOUBLE", 0.30000000000000004],
      ["'Infinity'::DOUBLE", Number.POSITIVE_INFINITY]
    ],
    isKey: false
  },
  {
    type: "int",
    values: [
      ["-2147483648", -2147483648],
      ["0", 0],
      ["1", 1],
      ["2147483647", 2147483647]
    ]
  },
  {
    type: "long",
    values: [
      ["(-9223372036854775808)", -9223372036854775808n],
      ["0", 0n],
      ["9007199254740993", 9007199254740993n],
      ["9223372036854775807", 9223372036854775807n]
    ],
    by: "bucket[4]"
  },
  ...[1, 9, 18, 19, 38].map((precision) => decimals(precision, Math.floor(precision / 2))),
  {
    type: "date",
    values: [
      ["DATE '0001-01-01'", -719162],
      ["DATE '1969-12-31'", -1],
      ["DATE '1970-01-01'", 0],
      ["DATE '9999-12-31'", 2932896]
    ],
    by: "year"
  },
  {
    type: "time",
    values: [
      ["TIME '00:00:00'", 0n],
      ["TIME '00:00:00.000001'", 1n],
      ["TIME '12:00:00'", 43200000000n],
      ["TIME '23:59:59.999999'", 86399999999n]
    ]
  },
  {
    type: "timestamp",
    values: [
      ["TIMESTAMP '1969-12-31 23:59:59.999999'", -1n],
      ["TIMESTAMP '1970-01-01 00:00:00'", 0n],
      ["TIMESTAMP '1970-01-01 00:00:00.000001'", 1n],
      ["TIMESTAMP '9999-12-31 23:59:59.999999'", 253402300799999999n]
    ],
    by: "hour"
  },
  {
    type: "timestamptz",
    values: [
      ["TIMESTAMPTZ '0001-01-01 00:00:00+00'", -62135596800000000n],
      ["TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'", -1n],
      ["TIMESTAMPTZ '1970-01-01 00:00:00+00'", 0n],
      ["TIMESTAMPTZ '2026-01-01 12:34:56.789001+00'", 1767270896789001n]
    ],
    by: "day"
  },
  {
    type: "timestamp_ns",
    values: [
      ["TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", -1n],
      ["TIMESTAMP_NS '1970-01-01 00:00:00'", 0n],
      ["TIMESTAMP_NS '1970-01-01 00:00:00.000000001'", 1n],
      ["TIMESTAMP_NS '2026-01-01 12:34:56.789001002'", 1767270896789001002n]
    ]
  },
  {
    type: "timestamp_ns",
    values: [
      ["TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", -1n],
      ["TIMESTAMP_NS '1970-01-01 00:00:00'", 0n],
      ["TIMESTAMP_NS '1970-01-01 01:00:00'", 3600000000000n],
      ["TIMESTAMP_NS '2026-01-01 12:34:56.789001002'", 1767270896789001002n]
    ],
    by: "hour"
  },
  {
    type: "string",
    values: [
      ["''", ""],
      ["'null'", "null"],
      ["'zz'", "zz"],
      ["'😀'", "😀"]
    ]
  },
  {
    type: "uuid",
    values: [
      "00000000-0000-0000-0000-000000000001",
      "7fffffff-ffff-ffff-8000-000000000000",
      "80000000-0000-0000-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff"
    ].map((text) => [`'${text}'::UUID`, text] as const)
  },
  {
    type: "uuid",
    values: [
      "00000000-0000-0000-0000-000000000001",
      "0f0f0f0f-0000-4000-8000-000000000000",
      "80000000-0000-0000-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff"
    ].map((text) => [`'${text}'::UUID`, text] as const),
    by: "bucket[4]"
  },
  { type: "binary", values: hexes("", "00ff", "7f", "ff".repeat(40)) },
  { type: "binary", values: hexes("", "00ff", "7f", "ff".repeat(40)), by: "truncate[1]" },
  { type: "fixed[3]", values: hexes("000000", "00ff00", "7fffff", "ffffff") },
  { type: "fixed[3]", values: hexes("000000", "00ff00", "7fffff", "ffffff"), by: "bucket[4]" },
  // longer than what DuckDB keeps of a value in statistics
  {
    type: "fixed[300]",
    values: hexes("00".repeat(300), "7f".repeat(300), `${"ff".repeat(299)}00`, "ff".repeat(300)),
    by: "bucket[4]"
  }
]

/** Rows of ids from `from` on, one for each value and one without. */
const select = (values: ReadonlyArray<string>, from: number): string =>
  values.map((sql, i) => `SELECT ${from + i} AS id, ${sql} AS k`).join(" UNION ALL ")

/** What DuckDB prints of the values, no table between. */
const printed = Effect.fnUntraced(function* (rows: ReadonlyArray<readonly [id: number, sql: string]>) {
  const connection = yield* (yield* DuckDb).connect
  const sql = rows.map(([id, value]) => `SELECT ${id} AS id, ${value} AS k`).join(" UNION ALL ")
  const reader = yield* connection.query(`SELECT id, k::VARCHAR AS k FROM (${sql}) ORDER BY id`, "printing")
  return reader.getRows().map(([id, k]) => `${String(id)} ${String(k)}`)
})

const readHere = Effect.fnUntraced(function* (filter?: Filter) {
  const loaded = yield* load
  const where = filter === undefined ? "" : `WHERE ${filterSql(filter, currentSchema(loaded.metadata))}`
  const query = `SELECT id, k::VARCHAR AS k FROM t ${where} ORDER BY id`
  const { plan, rows } = yield* readTable(loaded, { query, ...(filter === undefined ? {} : { filter }) })
  return { plan, rows: rows.map(({ id, k }) => `${String(id)} ${String(k)}`) }
})

const arrowIds = Effect.gen(function* () {
  const batches = yield* Stream.runCollect(arrowTable(yield* load))
  return batches.flatMap((batch) => batch.toArray().map((row) => [Number(row?.["id"]), row?.["k"]] as const))
})

/** Arrow's value of the type, as the specification has it in memory. */
const isArrow = (type: string, found: unknown, value: SingleValue): boolean => {
  if (found instanceof Uint8Array && value instanceof Uint8Array) return Buffer.compare(found, value) === 0
  return ["string", "uuid", "int", "boolean", "float", "double"].includes(type) ? found === value : true
}

const createFor = (text: string, by: string, mode: string) => {
  const type = primitiveFromText(text, "test")
  const schema: TableSchema = {
    schemaId: 0,
    identifierFieldIds: [],
    fields: [
      { id: 1, name: "id", required: true, type: { _tag: "long" } },
      { id: 2, name: "k", required: false, type }
    ]
  }
  return Catalog.use((catalog) =>
    catalog.createTable({
      identifier: table,
      schema,
      partitionSpec: partitionSpec(schema, [{ column: "k", transform: transformFromText(by, "test") }]),
      properties: new Map([
        ["format-version", "3"],
        ["write.update.mode", mode],
        ["write.merge.mode", mode],
        ["write.delete.mode", mode],
        ["write.metadata.metrics.default", "full"]
      ])
    })
  )
}

/** Puts rows in by their key; of a type that is none, it is refused by name, and done by hand. */
const putIn = Effect.fnUntraced(function* (values: TypeOfKey["values"], isKey: boolean, rows: string) {
  if (isKey) return yield* upsertRows(table, ["k"], rows)
  const error = yield* Effect.flip(upsertRows(table, ["k"], rows))
  assert.strictEqual(error.reason, "Invalid")
  assert.include(error.message, "rows cannot be put in by k")
  yield* deleteRows(table, { _tag: "In", column: "k", values: values.map(([, value]) => value) })
  return yield* appendRows(table, rows)
})

const check = ({ by = "identity", isKey = true, type: text, values }: TypeOfKey, mode: string) =>
  Effect.gen(function* () {
    yield* createFor(text, by, mode)
    const sqls = values.map(([sql]) => sql)
    const count = sqls.length
    const [last, put, middle] = [count - 1, Math.min(2, count - 1), Math.min(2, count - 1)]
    yield* appendRows(table, select([...sqls, "NULL"], 0))
    // the first ones are there, and get other ids; the last one comes again in a file of its own
    yield* putIn(values.slice(0, put), isKey, select(sqls.slice(0, put), 10))
    yield* appendRows(table, select(sqls.slice(last), 20))
    const expected = [
      ...sqls.map((sql, i) => [i, sql] as const).slice(put),
      [count, "NULL"] as const,
      ...sqls.slice(0, put).map((sql, i) => [10 + i, sql] as const),
      [20, sqls[last]!] as const
    ]
    const all = yield* printed(expected)
    assert.deepStrictEqual((yield* readHere()).rows, all)
    for (const [id, found] of yield* arrowIds) {
      const value = values[id === 20 ? last : id >= 10 ? id - 10 : id]?.[1]
      assert.isTrue(
        value === undefined ? found === null : isArrow(text, found, value),
        `${id} in Arrow: ${String(found)}`
      )
    }
    for (const [operator, place] of [
      ["=", 1],
      ["<", middle],
      [">=", middle]
    ] as const) {
      const wanted = expected.filter(([, sql]) => {
        const at = sqls.indexOf(sql)
        return at >= 0 && (operator === "=" ? at === place : operator === "<" ? at < place : at >= place)
      })
      const found = yield* readHere({ _tag: "Compare", column: "k", operator, value: values[place]![1] })
      assert.deepStrictEqual(found.rows, yield* printed(wanted), `${operator} ${sqls[place]}`)
      // files are left out by their partition or their bounds
      if (operator === "=" && text !== "uuid") assert.isBelow(found.plan.entries.length, found.plan.filesTotal)
    }
    assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
    yield* compactTable(table, { inputFilesMin: 1 })
    assert.deepStrictEqual((yield* readHere()).rows, all)
    yield* deleteRows(table, { _tag: "Compare", column: "k", operator: "=", value: values[last]![1] })
    const ofLast = [`${last} `, "20 "]
    assert.deepStrictEqual(
      (yield* readHere()).rows,
      all.filter((line) => !ofLast.some((id) => line.startsWith(id)))
    )
    yield* overwritePartitions(table, select([sqls[0]!, "NULL"], 30))
    const left = (yield* readHere()).rows
    assert.includeMembers(
      Array.from(left),
      Array.from(
        yield* printed([
          [30, sqls[0]!],
          [31, "NULL"]
        ])
      )
    )
    // of the same partitions nothing is left; others are as they were
    assert.isTrue(left.every((line) => !line.startsWith("10 ") && !line.startsWith(`${count} `)))
    if (by === "identity") assert.lengthOf(left, count)
  }).pipe(Effect.scoped, Effect.provide(layerLake))

describe("columns of every type", () => {
  for (const [i, each] of types.entries()) {
    const mode = i % 2 === 0 ? "merge-on-read" : "copy-on-write"
    it.live(`are keys, partitions and filters: ${each.type} by ${each.by ?? "identity"}, ${mode}`, () =>
      check(each, mode)
    )
  }
})
