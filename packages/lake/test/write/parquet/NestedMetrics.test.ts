/** Counts and bounds of what lies in structs, none of what lies below lists and maps, and scans that leave out files by them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { filterSql } from "../../../src/read/FilterSql.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { fieldByName } from "../../../src/spec/Schema.ts"
import { singleValueFromBytes } from "../../../src/spec/SingleValue.ts"
import { isPrimitive } from "../../../src/spec/Type.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { layerLake, load, table } from "../change/ChangeFixture.ts"
import { insideStructs, nestedFilters, nestedRows, nestedSchema, repeated } from "./NestedMetricsCases.ts"

const idOf = (name: string): number => fieldByName(nestedSchema, name)!.id

const boundOf = (name: string, bytes: Uint8Array | undefined) => {
  const { type } = fieldByName(nestedSchema, name)!
  return bytes === undefined || !isPrimitive(type) ? undefined : singleValueFromBytes(type, bytes)
}

describe("metrics of nested columns", () => {
  it.live("are of fields within structs, whose rows are the file's; of a repeated field, its size only", () =>
    Effect.gen(function* () {
      yield* (yield* Catalog).createTable({ identifier: table, schema: nestedSchema })
      yield* appendRows(table, nestedRows.join(" UNION ALL "))
      const [entry] = (yield* planScan(yield* load)).entries
      const { columnSizes, lowerBounds, nanValueCounts, nullValueCounts, upperBounds, valueCounts } = entry!.dataFile
      const said = insideStructs.map((name) => ({
        values: valueCounts.get(idOf(name)),
        nulls: nullValueCounts.get(idOf(name)),
        bounds: [lowerBounds, upperBounds].map((bounds) => boundOf(name, bounds.get(idOf(name))))
      }))
      assert.deepStrictEqual<unknown>(said, [
        { values: 4n, nulls: 2n, bounds: [-7, 5] },
        { values: 4n, nulls: 2n, bounds: ["b", "twenty letters b"] },
        { values: 4n, nulls: 3n, bounds: [15n, 15n] }
      ])
      const others = { valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds }
      for (const name of repeated) {
        assert.isTrue(columnSizes.has(idOf(name)), name)
        for (const [of, map] of Object.entries(others)) assert.isFalse(map.has(idOf(name)), `${of} of ${name}`)
      }
    }).pipe(Effect.provide(layerLake))
  )

  it.live("leave out files and no row", () =>
    Effect.gen(function* () {
      yield* (yield* Catalog).createTable({ identifier: table, schema: nestedSchema })
      for (const row of nestedRows) yield* appendRows(table, row)
      const at = yield* load
      for (const { filter, matches, text } of nestedFilters) {
        const ids = nestedRows.flatMap((_, i) => (matches(i + 1) ? [i + 1] : []))
        const query = `SELECT id FROM t WHERE ${filterSql(filter, nestedSchema)} ORDER BY id`
        const { plan, rows } = yield* readTable(at, { filter, query })
        assert.deepStrictEqual<unknown>(
          rows.map(({ id }) => id),
          ids,
          text
        )
        // a file a row, and bounds of one row are exact
        assert.strictEqual(plan.entries.length, ids.length, text)
      }
    }).pipe(Effect.provide(layerLake))
  )
})
