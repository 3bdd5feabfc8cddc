/**
 * Tables of format version 3 in Java's Iceberg, through Spark: it reads our deletion vectors and row ids, and we read what it
 * deletes and rewrites. PyIceberg and DuckDB's reader look at such tables in `Changes.integration.test.ts`.
 *
 * Spark is large: it runs only when FRAZIL_FOREIGN is `full`.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { lineageRelation } from "../../src/read/TableRelation.ts"
import { appendRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { byCountry, createAccounts, load, rowsSql, table, type Account } from "../write/change/ChangeFixture.ts"
import { runSpark } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const countries = ["US", "DE", null]
const accounts = (from: number, count: number): ReadonlyArray<Account> =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, country: countries[i % 3]!, cents: i * 10 }))

const name = "frazil.test.accounts"
const all = `SELECT int(id) id, int(_row_id) row, int(_last_updated_sequence_number) changed FROM ${name} ORDER BY id`
const Rows = Schema.Array(Schema.Struct({ id: Schema.Int, row: Schema.Int, changed: Schema.Int }))

const ours = Effect.scoped(
  Effect.gen(function* () {
    const connection = yield* (yield* DuckDb).connect
    const relation = yield* Effect.fromResult(lineageRelation(yield* planScan(yield* load)))
    const sql = `SELECT id::INTEGER AS id, _row_id::INTEGER AS row, _last_updated_sequence_number::INTEGER AS changed FROM (${relation}) ORDER BY id`
    return (yield* connection.query(sql, "test")).getRowObjectsJson()
  })
)

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("Spark, format version 3", () => {
  it.live(
    "reads the rows, ids and last changes that we read, of our tables and of what it makes of them",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const spark = (...statements: ReadonlyArray<string>) =>
          runSpark(join(path, "catalog.db"), join(path, "warehouse"), statements).pipe(
            // calls of procedures answer too
            Effect.map((answers) => answers.filter((row) => JSON.stringify(row).startsWith('{"id"'))),
            Effect.flatMap(Schema.decodeUnknownEffect(Rows))
          )
        yield* Effect.gen(function* () {
          yield* createAccounts(byCountry, [
            ["format-version", "3"],
            ["write.delete.mode", "merge-on-read"],
            ["write.update.mode", "merge-on-read"],
            ["write.merge.mode", "merge-on-read"]
          ])
          yield* appendRows(table, rowsSql(accounts(0, 300)))
          yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: "<", value: 300n })
          yield* appendRows(table, rowsSql(accounts(300, 100)))
          yield* upsertRows(table, ["id"], rowsSql(accounts(150, 10)))
          yield* compactTable(table, { inputFilesMin: 2 })
          yield* appendRows(table, rowsSql(accounts(500, 100)))
          yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: ">=", value: 2900n })
          yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: "<", value: 50n })
          const before = yield* Schema.decodeUnknownEffect(Rows)(yield* ours)
          assert.isAbove(before.length, 400)
          const seen = yield* spark(
            all,
            `DELETE FROM ${name} WHERE id % 11 = 0`,
            `CALL frazil.system.rewrite_data_files(table => 'test.accounts', options => map('rewrite-all', 'true'))`,
            `DELETE FROM ${name} WHERE id % 13 = 0`
          )
          assert.deepStrictEqual(seen, before)
          const left = before.filter(({ id }) => id % 11 !== 0 && id % 13 !== 0)
          assert.deepStrictEqual<unknown>(yield* ours, left)
          yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 100n })
          yield* compactTable(table, { inputFilesMin: 1 })
          assert.deepStrictEqual(
            yield* spark(all),
            left.filter(({ id }) => id >= 100)
          )
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    1_800_000
  )
})
