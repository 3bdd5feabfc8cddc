/** Files that were cut, replaced or taken away: an error that names them, whether they were asked for before or not. */
import { copyFileSync, renameSync, statSync, truncateSync } from "node:fs"
import { DuckDBInstance } from "@duckdb/node-api"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { askRows, refusal } from "./Queries.ts"
import { analyticsOver, makeTestLake, rowsPerSnapshot } from "./TestLake.ts"

const sql = "SELECT count(*) AS n FROM transactions.raw"

/** A good file of as many bytes, with fewer rows: padded by text that nobody reads. */
const replaceBySame = Effect.fnUntraced(function* (path: string) {
  const { size } = statSync(path)
  const database = yield* Effect.promise(() => DuckDBInstance.create(":memory:"))
  const connection = yield* Effect.promise(() => database.connect())
  const write = (padding: number) =>
    Effect.promise(() =>
      connection.run(
        `COPY (SELECT 'tx-1' AS transaction_id) TO '${path}.new' (FORMAT parquet, FIELD_IDS {transaction_id: 1}, KV_METADATA {p: '${"x".repeat(padding)}'})`
      )
    )
  // the length of a long text takes as many bytes as that of one a little shorter
  const half = Math.floor(size / 2)
  yield* write(half)
  yield* write(half + size - statSync(`${path}.new`).size)
  connection.disconnectSync()
  database.closeSync()
  assert.strictEqual(statSync(`${path}.new`).size, size)
  renameSync(`${path}.new`, path)
})

const damages: ReadonlyArray<readonly [string, (path: string) => Effect.Effect<void>, RegExp]> = [
  [
    "cut",
    (path) => Effect.sync(() => truncateSync(path, statSync(path).size - 10)),
    /has \d+ bytes, but the manifest says/
  ],
  ["taken away", (path) => Effect.sync(() => renameSync(path, `${path}.gone`)), /data file/],
  ["replaced by another of its size", replaceBySame, /has 1 rows, but the manifest says 1000/]
]

for (const [what, damage, message] of damages) {
  it.live(`a file that was ${what} is an error with its path, never fewer rows`, () =>
    Effect.gen(function* () {
      const lake = yield* makeTestLake(2)
      const path = lake.snapshots[0]!.files[0]!
      yield* Effect.gen(function* () {
        const rows = [{ n: 2 * rowsPerSnapshot }]
        assert.deepStrictEqual(yield* askRows(sql), rows)
        copyFileSync(path, `${path}.kept`)
        yield* damage(path)
        for (const asked of [{ sql }, { sql, asOf: String(lake.snapshots[0]!.id) }, { sql: `${sql} WHERE lat > 1` }]) {
          const error = yield* refusal(asked)
          assert.strictEqual(error.reason, "Failed")
          assert.include(error.message, path)
          assert.match(error.message, message)
        }
        // restored from a copy, it is read again
        renameSync(`${path}.kept`, path)
        assert.deepStrictEqual(yield* askRows(sql), rows)
      }).pipe(Effect.provide(analyticsOver(lake)))
    })
  )
}
