/** Metadata tables in SQL: `ns."table$files"` and its like, at moments, joined with tables; personal values stay hidden. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Analytics } from "../src/index.ts"
import { askRows, refusal } from "./Queries.ts"
import { analyticsOver, appendAgain, makeTestLake, rowsPerSnapshot, type TestLake } from "./TestLake.ts"

const overLake = <A, E>(test: (lake: TestLake) => Effect.Effect<A, E, Analytics>) =>
  Effect.flatMap(makeTestLake(), (lake) => Effect.provide(test(lake), analyticsOver(lake)))

it.live("are read beside tables, typed, now and at a moment", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const [first, second, third] = lake.snapshots.map(({ id }) => String(id))
      const files = `SELECT count(*) AS n, sum(record_count) AS rows FROM transactions."raw$files"`
      const expected = (n: number) => [{ n, rows: String(n * rowsPerSnapshot) }]
      const counted = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
        rows.map(({ n, rows: sum }) => ({ n, rows: String(sum) }))
      assert.deepStrictEqual(counted(yield* askRows(files)), expected(3))
      assert.deepStrictEqual(counted(yield* askRows(files.replace('"raw$files"', "RAW$FILES"))), expected(3))
      assert.deepStrictEqual(counted(yield* askRows(`${files} AT (VERSION => ${first})`)), expected(1))
      assert.deepStrictEqual(counted(yield* askRows(`${files} AT (TAG => 'main')`)), expected(3))
      assert.deepStrictEqual(counted(yield* askRows(files, second)), expected(2))
      const both = `SELECT f.snapshots, count(*) AS n FROM transactions.raw,
        (SELECT count(*) AS snapshots FROM transactions."raw$snapshots") f GROUP BY 1`
      assert.deepStrictEqual(yield* askRows(both, second), [{ snapshots: 3, n: 2 * rowsPerSnapshot }])
      const history = `SELECT s.operation, s.summary['added-records'] AS added, h.is_current_ancestor AS current, r.name
        FROM transactions."raw$history" h JOIN transactions."raw$snapshots" s USING (snapshot_id)
        LEFT JOIN transactions."raw$refs" r USING (snapshot_id) WHERE s.snapshot_id = ${third}`
      assert.deepStrictEqual(yield* askRows(history), [
        { operation: "append", added: String(rowsPerSnapshot), current: true, name: "main" }
      ])
      const entries = `SELECT status, data_file.file_path AS path FROM transactions."raw$entries" AT (VERSION => ${first})`
      const path = `file://${lake.snapshots[0]?.files[0]}`
      assert.deepStrictEqual(yield* askRows(entries), [{ status: 1, path }])
      const empty = `SELECT (SELECT count(*) FROM system."dead_letter$files") + (SELECT count(*) FROM system."dead_letter$snapshots")
        + (SELECT count(*) FROM system."dead_letter$partitions") + (SELECT count(*) FROM system."dead_letter$manifests") AS n`
      assert.deepStrictEqual(yield* askRows(empty), [{ n: 0 }])
    })
  )
)

it.live("are never answered from what was known before", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const analytics = yield* Analytics
      const sql = `SELECT count(*) AS n FROM transactions."raw$history"`
      assert.deepStrictEqual(yield* askRows(sql), [{ n: 3 }])
      yield* appendAgain(lake)
      assert.deepStrictEqual(yield* askRows(sql), [{ n: 4 }])
      const { volatile } = yield* Effect.scoped(analytics.prepare({ sql }))
      assert.isTrue(volatile)
    })
  )
)

it.live("that do not exist say what there is, and how it is written", () =>
  overLake(() =>
    Effect.gen(function* () {
      const unknown = yield* refusal({ sql: `SELECT * FROM transactions."raw$file"` })
      assert.strictEqual(unknown.reason, "TableMissing")
      assert.include(unknown.hint, `"raw$files", "raw$data_files"`)
      const spark = yield* refusal({ sql: "SELECT * FROM transactions.raw.files" })
      assert.strictEqual(spark.hint, `write transactions."raw$files"`)
      const at = yield* refusal({ sql: `SELECT * FROM transactions."raw$refs" AT (VERSION => 1)` })
      assert.strictEqual(at.reason, "Invalid")
      assert.include(at.message, "transactions.raw$refs tells of the table as it is now")
      const gone = yield* refusal({ sql: `SELECT * FROM transactions."raw$files" AT (VERSION => 1)` })
      assert.strictEqual(gone.reason, "SnapshotMissing")
    })
  )
)
