/** Rows of a query are written in row groups of bounded size: what one of them takes is most of the memory of writing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { appendRows } from "../../../src/write/change/AppendRows.ts"
import { createAccounts, layerLake, load, table } from "./ChangeFixture.ts"

describe("row groups", () => {
  it.live("have no more rows than the bound, whatever is appended", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendRows(table, "SELECT i AS id, 'DE' AS country, 1.00 AS balance FROM range(100000) AS r(i)")
      const { entries } = yield* planScan(yield* load)
      const paths = entries.map(({ dataFile }) => `'${dataFile.filePath.replace("file://", "")}'`).join(", ")
      const connection = yield* (yield* DuckDb).connect
      const found = yield* connection.query(
        `SELECT max(row_group_num_rows)::INTEGER, sum(row_group_num_rows)::INTEGER FROM parquet_metadata([${paths}]) WHERE path_in_schema = 'id'`,
        "asking"
      )
      const [most, all] = found.getRows()[0]!
      assert.isAtMost(Number(most), 40_960)
      assert.strictEqual(all, 100_000)
    }).pipe(Effect.scoped, Effect.provide(layerLake))
  )
})
