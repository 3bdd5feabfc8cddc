/**
 * Every type that we write, with values at the edges, read by others: rows and nested values, filters of every kind with each
 * mode of metrics, earlier snapshots by id and tag, rows deleted in either way, and columns that changed.
 *
 * PyIceberg and DuckDB's own reader answer some filters of each column, all of them with FRAZIL_FOREIGN=full. What must come
 * is written down, or worked out by places in lists of values.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { canonicalRows } from "./Canonical.ts"
import { evolvedFilters, evolvedRows, firstEvolvedRows, writeEvolved } from "./EvolvedTable.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { matches, probeName, probeSql, sampled, sweep, type Probe } from "./Sweep.ts"
import { typesSchema } from "./TypeCases.ts"
import {
  allRows,
  allTag,
  expectedRows,
  keptRows,
  metricsTables,
  namespace,
  writeTypes,
  type MetricsTable
} from "./TypesTable.ts"
import { version3Rows, writeVersion3 } from "./Version3Table.ts"

const full = process.env["FRAZIL_FOREIGN"] === "full"

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
const Answer = Schema.Struct({
  pyiceberg: Schema.Record(Schema.String, Rows),
  duckdb: Schema.Record(Schema.String, Rows)
})
const Answers = Schema.Struct({ tables: Schema.Record(Schema.String, Answer) })

const readers = ["pyiceberg", "duckdb"] as const
const order = ["id"]

const ask = (path: string, tables: ReadonlyArray<unknown>) =>
  runPython("foreign_readers.py", {
    catalogName: "frazil",
    catalogFile: join(path, "catalog.db"),
    warehouse: `file://${path}/warehouse`,
    tables
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Answers)),
    Effect.map((answers) => answers.tables)
  )

const questionOf = (probe: Probe) => ({
  name: probeName(probe),
  order,
  columns: ["id"],
  probe: { ...probe, kind: probe.type._tag, scale: probe.type._tag === "decimal" ? probe.type.scale : null },
  where: probeSql("duckdb", probe)
})

const moments = (all: bigint) => [
  { name: "now", order },
  { name: "by tag", order, tag: allTag },
  { name: "by id", order, snapshotId: String(all) }
]

const idsOf = (rows: ReadonlyArray<{ readonly id?: unknown }>) => rows.map(({ id }) => Number(id))

const checkTypes = ({ name }: MetricsTable, answer: typeof Answer.Type, probes: ReadonlyArray<Probe>): void => {
  for (const reader of readers) {
    const found = answer[reader]
    const rowsOf = (question: string) => canonicalRows(typesSchema, found[question]!)
    assert.deepStrictEqual(rowsOf("now"), expectedRows(keptRows, reader), `${reader}, ${name}`)
    assert.deepStrictEqual(rowsOf("by tag"), expectedRows(allRows, reader), `${reader}, ${name}, by tag`)
    assert.deepStrictEqual(rowsOf("by id"), expectedRows(allRows, reader), `${reader}, ${name}, by id`)
    const wrong = probes.flatMap((probe) => {
      const ids = idsOf(found[probeName(probe)]!)
      const expected = idsOf(keptRows.filter((row) => matches(reader, probe, row)))
      return JSON.stringify(ids) === JSON.stringify(expected) ? [] : [{ probe: probeName(probe), ids, expected }]
    })
    assert.deepStrictEqual(wrong, [], `${reader}, ${name}`)
  }
}

/** PyIceberg 0.12 reads null lists and maps of structs as empty ones. */
const readAs = (reader: string, rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  reader === "pyiceberg" ? rows.map((row) => ({ ...row, l: row["l"] ?? [], m: row["m"] ?? [] })) : rows

const checkEvolved = (
  answer: typeof Answer.Type,
  { firstSchema, schema }: { readonly schema: TableSchema; readonly firstSchema: TableSchema }
): void => {
  for (const reader of readers) {
    const found = answer[reader]
    const expected = (of: TableSchema, rows: typeof evolvedRows) => canonicalRows(of, readAs(reader, rows))
    assert.deepStrictEqual(canonicalRows(schema, found["now"]!), expected(schema, evolvedRows), reader)
    const first = canonicalRows(firstSchema, found["first"]!)
    assert.deepStrictEqual(first, expected(firstSchema, firstEvolvedRows), `${reader}, first`)
    for (const { ids, name } of evolvedFilters) assert.deepStrictEqual(idsOf(found[name]!), ids, `${reader}, ${name}`)
  }
}

const tables = full
  ? metricsTables
  : metricsTables.filter(({ name }) => name === "without_metrics" || name === "truncated")

/** Most of them where files are left out by bounds. */
const probesOf = ({ name }: MetricsTable): ReadonlyArray<Probe> => {
  if (full) return name === "truncated" ? sweep() : sampled(sweep(), 20, 7)
  return sampled(sweep(), name === "truncated" ? 4 : 1, 7)
}

describe("PyIceberg and DuckDB's reader", () => {
  it.live(
    "read columns of every type, whatever the filter and the metrics, and columns that changed",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const asked = tables.map((table) => ({ table, probes: probesOf(table) }))
        const written = yield* Effect.gen(function* () {
          yield* writeVersion3
          return { all: yield* Effect.forEach(asked, ({ table }) => writeTypes(table)), evolved: yield* writeEvolved }
        }).pipe(Effect.provide(layerAt(path)))
        const answers = yield* ask(path, [
          ...asked.map(({ probes, table }, i) => ({
            table: `${namespace}.${table.name}`,
            questions: [...moments(written.all[i]!.all.snapshotId), ...probes.map(questionOf)]
          })),
          { table: `${namespace}.version3`, questions: [{ name: "now", order }] },
          {
            table: `${namespace}.evolved`,
            questions: [
              { name: "now", order },
              { name: "first", order, snapshotId: String(written.evolved.firstSnapshotId) },
              ...evolvedFilters.map((each) => ({ ...each, order, columns: ["id"] }))
            ]
          }
        ])
        for (const { probes, table } of asked) checkTypes(table, answers[`${namespace}.${table.name}`]!, probes)
        const { duckdb, pyiceberg } = answers[`${namespace}.version3`]!
        assert.deepStrictEqual<unknown>([pyiceberg["now"], duckdb["now"]], [version3Rows, version3Rows])
        checkEvolved(answers[`${namespace}.evolved`]!, written.evolved)
      }).pipe(Effect.scoped),
    1_800_000
  )
})
