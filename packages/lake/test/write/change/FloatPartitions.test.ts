/**
 * Tables divided by a column of floating numbers, as Spark and Trino make them: what stands in manifests is held against the
 * numbers themselves; two zeros are two partitions, NaN is one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { filterSql } from "../../../src/read/FilterSql.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { currentSchema } from "../../../src/spec/TableMetadata.ts"
import { appendRows, overwritePartitions } from "../../../src/write/change/AppendRows.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"

const schemaOf = (type: "float" | "double"): TableSchema => ({
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "k", required: false, type: { _tag: type } }
  ]
})

/** By id. */
const values: ReadonlyArray<readonly [text: string | null, value: number | null]> = [
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["0.0", 0],
  ["-0.0", -0],
  [null, null],
  ["1.5", 1.5],
  ["-2.5e-3", -2.5e-3]
]

/** Rows of the ids: each with its value, of NaN from 10 on with its sign set. */
const select = (type: string, ids: ReadonlyArray<number>): string =>
  ids
    .map((id) => {
      const text = values[id % 10]![0]
      const value = text === null ? "NULL" : `'${text === "NaN" && id >= 10 ? "-nan" : text}'`
      return `SELECT ${id} AS id, ${value}::${type} AS k`
    })
    .join(" UNION ALL ")

const idsWhere = Effect.fnUntraced(function* (filter: Filter) {
  const loaded = yield* load
  const query = `SELECT id FROM t WHERE ${filterSql(filter, currentSchema(loaded.metadata))} ORDER BY id`
  const { plan, rows } = yield* readTable(loaded, { query, filter })
  return { files: plan.entries.length, ids: rows.map(({ id }) => Number(id)) }
})

const equals = (value: number): Filter => ({ _tag: "Compare", column: "k", operator: "=", value })

/** Of each file its partition value and its rows. */
const partitions = Effect.gen(function* () {
  const { entries } = yield* planScan(yield* load)
  return entries.map(({ dataFile: { partition, recordCount } }) => [partition[0], Number(recordCount)] as const)
})

const create = (type: "float" | "double") => {
  const schema = schemaOf(type)
  const spec = partitionSpec(schema, [{ column: "k", transform: { _tag: "identity" } }])
  return Catalog.use((catalog) => catalog.createTable({ identifier: table, schema, partitionSpec: spec }))
}

const check = (type: "float" | "double") =>
  Effect.gen(function* () {
    yield* create(type)
    const ids = values.map((_, id) => id)
    yield* appendRows(table, select(type.toUpperCase(), [...ids, ...ids.map((id) => 10 + id)]))
    const stored = values.map(([, value]) => (type === "float" && value !== null ? Math.fround(value) : value))
    const found = yield* partitions
    assert.lengthOf(found, values.length)
    for (const value of stored) {
      // one file with both rows, of the very value: −0.0 is not 0.0
      assert.strictEqual(found.find(([each]) => Object.is(each, value))?.[1], 2, String(value))
    }
    for (const [id, value] of stored.entries()) {
      const zero = [3, 4, 13, 14]
      const { files, ids: met } = yield* idsWhere(value === null ? { _tag: "IsNull", column: "k" } : equals(value))
      assert.deepStrictEqual(met, value === 0 ? zero : [id, 10 + id], String(value))
      if (value === null || !Number.isNaN(value)) assert.isAtMost(files, 3)
    }
    assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
    // each of these partitions gets a second file; compaction joins those of one partition and no others
    yield* appendRows(table, select(type.toUpperCase(), [20, 23, 24, 25]))
    yield* compactTable(table, { inputFilesMin: 2 })
    assert.sameDeepMembers(
      Array.from(yield* partitions),
      stored.map((value, id) => [value, [0, 3, 4, 5].includes(id) ? 3 : 2] as const)
    )
    yield* overwritePartitions(table, select(type.toUpperCase(), [30, 34]))
    const { rows } = yield* readTable(yield* load, { query: "SELECT id FROM t ORDER BY id" })
    assert.deepStrictEqual(
      rows.map(({ id }) => Number(id)),
      [1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17, 23, 25, 30, 34]
    )
    assert.deepStrictEqual((yield* auditFacts(table)).problems, [])
  }).pipe(Effect.provide(layerLake))

describe("tables divided by floating numbers", () => {
  for (const type of ["float", "double"] as const)
    it.live(`have their rows where they belong: ${type}`, () => check(type))

  it.live("keep the sign of zeros where all rows lie in one file first", () =>
    Effect.gen(function* () {
      yield* create("double")
      const rows = "SELECT i AS id, ['-0.0', '0.0', '1.0'][(1 + i % 3)::INTEGER]::DOUBLE AS k FROM range(600) AS r(i)"
      yield* appendRows(table, rows, { partitionsOpenMax: 2 })
      const query =
        "SELECT k::VARCHAR AS k, count(*)::INTEGER AS rows, max(id % 3)::INTEGER AS source FROM t GROUP BY 1 ORDER BY 3"
      assert.deepStrictEqual((yield* readTable(yield* load, { query })).rows, [
        { k: "-0.0", rows: 200, source: 0 },
        { k: "0.0", rows: 200, source: 1 },
        { k: "1.0", rows: 200, source: 2 }
      ])
    }).pipe(Effect.provide(layerLake))
  )
})
