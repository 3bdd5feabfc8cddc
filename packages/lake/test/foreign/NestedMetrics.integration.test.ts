/**
 * Counts and bounds of nested columns, beside PyIceberg's: equal counts of what lies in structs, filters on it that leave out
 * files by our bounds, and our reading of its file, which has no bounds of nested columns.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { filterSql } from "../../src/read/FilterSql.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import {
  anotherId,
  anotherRow,
  insideStructs,
  nestedFilters,
  nestedRows,
  nestedSchema,
  repeated
} from "../write/parquet/NestedMetricsCases.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const Counts = Schema.Record(Schema.String, Schema.NullOr(Schema.Int))
const Files = Schema.Array(
  Schema.Struct({
    column_sizes: Counts,
    value_counts: Counts,
    null_value_counts: Counts,
    lower_bounds: Counts,
    upper_bounds: Counts
  })
)
const Answer = Schema.Struct({
  ours: Files,
  theirs: Files,
  filters: Schema.Record(Schema.String, Schema.Struct({ files: Schema.Int, ids: Schema.Array(Schema.Int) }))
})

const [table, copy] = [
  { namespace: "nested", name: "ours" },
  { namespace: "nested", name: "theirs" }
]

describe("PyIceberg", () => {
  it.live(
    "counts in structs as we do, and leaves out files by our bounds of their fields, never by those of lists and maps",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const lake = layerAt(path)
        yield* Effect.gen(function* () {
          yield* (yield* Catalog).createTable({ identifier: table, schema: nestedSchema })
          yield* appendRows(table, nestedRows.join(" UNION ALL "))
          yield* appendRows(table, anotherRow)
        }).pipe(Effect.provide(lake))
        const { filters, ours, theirs } = yield* runPython("pyiceberg_nested.py", {
          catalogName: "frazil",
          catalogFile: join(path, "catalog.db"),
          warehouse: `file://${path}/warehouse`,
          table: "nested.ours",
          copy: "nested.theirs",
          filters: nestedFilters.map(({ text }) => text)
        }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Answer)))
        const sum = (files: typeof Files.Type, counts: "value_counts" | "null_value_counts", name: string) =>
          files.reduce((total, file) => total + (file[counts][name] ?? 0), 0)
        for (const name of insideStructs) {
          for (const counts of ["value_counts", "null_value_counts"] as const) {
            assert.strictEqual(sum(ours, counts, name), sum(theirs, counts, name), `${counts} of ${name}`)
          }
          assert.isTrue(
            ours.some(({ lower_bounds }) => name in lower_bounds),
            `bounds of ${name}`
          )
        }
        for (const name of repeated) {
          for (const { column_sizes, ...others } of ours) {
            assert.isTrue(name in column_sizes, name)
            for (const [of, map] of Object.entries(others)) assert.isFalse(name in map, `${of} of ${name}`)
          }
        }
        const all = [...Array.from(nestedRows, (_, i) => i + 1), anotherId]
        yield* Effect.gen(function* () {
          const foreign = yield* (yield* Catalog).loadTable(copy)
          for (const { filter, files, matches, text } of nestedFilters) {
            const ids = all.filter((id) => matches(id === anotherId ? 1 : id))
            assert.deepStrictEqual(filters[text], { files, ids }, text)
            // of its file, which has counts only, what bounds cannot decide is read
            const query = `SELECT id FROM t WHERE ${filterSql(filter, nestedSchema)} ORDER BY id`
            const { rows } = yield* readTable(foreign, { filter, query })
            assert.deepStrictEqual<unknown>(
              rows.map(({ id }) => id),
              ids,
              text
            )
          }
        }).pipe(Effect.provide(lake))
      }).pipe(Effect.scoped)
  )
})
