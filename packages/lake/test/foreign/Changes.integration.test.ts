/**
 * Changes of rows and of schemas as other engines see them: PyIceberg and DuckDB's own reader on what is changed here, and
 * Spark's deletes, merges and changed schemas as they are read here (with FRAZIL_FOREIGN=full).
 *
 * What is expected is worked out by plain code over the rows.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { appendRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { updatePartitionSpec, updateSchema } from "../../src/write/TableAction.ts"
import { byCountry, createAccounts, load, rowsSql, table, textOf, type Account } from "../write/change/ChangeFixture.ts"
import { runPython, runSpark } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
const Answers = Schema.Struct({
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({ pyiceberg: Schema.Record(Schema.String, Rows), duckdb: Schema.Record(Schema.String, Rows) })
  )
})

const question = { name: "all", order: ["id"] }

const ask = (path: string) =>
  runPython("foreign_readers.py", {
    catalogName: "frazil",
    catalogFile: join(path, "catalog.db"),
    warehouse: `file://${path}/warehouse`,
    tables: [{ table: "test.accounts", questions: [question] }]
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Answers)),
    Effect.map(({ tables }) => tables["test.accounts"]!)
  )

const lines = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  rows.map(({ balance, country, id }) => `${String(id)}|${String(country)}|${String(balance)}`).sort()

const countries = ["US", "DE", null]
const accounts = (from: number, count: number): ReadonlyArray<Account> =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, country: countries[i % 3]!, cents: i * 10 - 500 }))

for (const [mode, version] of [
  ["copy-on-write", "2"],
  ["merge-on-read", "2"],
  ["merge-on-read", "3"]
] as const) {
  describe(`rows changed here, ${mode}, format version ${version}`, () => {
    it.live(
      "read identically in PyIceberg and DuckDB's reader, before and after compaction and a change of schema",
      () =>
        Effect.gen(function* () {
          const path = yield* folder
          yield* Effect.gen(function* () {
            yield* createAccounts(byCountry, [
              ["format-version", version],
              ["write.delete.mode", mode],
              ["write.update.mode", mode],
              ["write.merge.mode", mode]
            ])
            let rows = [...accounts(0, 300)]
            yield* appendRows(table, rowsSql(rows))
            yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: "<", value: -100n })
            rows = rows.filter(({ cents }) => cents === null || cents >= -100)
            const put = [...accounts(250, 20), ...accounts(1000, 20)]
            yield* upsertRows(table, ["id"], rowsSql(put))
            rows = [...rows.filter(({ id }) => !put.some((each) => each.id === id)), ...put]
            yield* deleteRows(table, { _tag: "IsNull", column: "country" })
            rows = rows.filter(({ country }) => country !== null)
            const check = Effect.gen(function* () {
              const { duckdb, pyiceberg } = yield* ask(path)
              assert.deepStrictEqual(lines(pyiceberg["all"]!), textOf(rows), "PyIceberg")
              assert.deepStrictEqual(lines(duckdb["all"]!), textOf(rows), "DuckDB")
              assert.deepStrictEqual(lines((yield* readTable(yield* load)).rows), textOf(rows), "here")
            })
            yield* check
            yield* compactTable(table, { inputFilesMin: 2 })
            yield* commitTable({
              table,
              actions: () =>
                Effect.succeed([
                  updateSchema(
                    { _tag: "AddColumn", name: "note", type: { _tag: "string" } },
                    { _tag: "WidenColumn", column: "balance", type: { _tag: "decimal", precision: 20, scale: 2 } },
                    { _tag: "MoveColumn", column: "balance", to: { _tag: "First" } }
                  ),
                  updatePartitionSpec(
                    { _tag: "AddPartitionField", column: "id", transform: { _tag: "bucket", buckets: 4 } },
                    { _tag: "RemovePartitionField", name: "country" }
                  )
                ])
            })
            const more = accounts(2000, 30)
            yield* appendRows(table, `SELECT *, 'n' AS note FROM (${rowsSql(more)})`)
            rows = [...rows, ...more]
            yield* deleteRows(table, { _tag: "Compare", column: "id", operator: ">=", value: 2020n })
            rows = rows.filter(({ id }) => id < 2020)
            yield* check
          }).pipe(Effect.provide(layerAt(path)))
        }).pipe(Effect.scoped),
      600_000
    )
  })
}

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("Spark", () => {
  it.live(
    "reads what is deleted here, and its own deletes, merges and changed columns are read here",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const name = "frazil.test.accounts"
        const spark = (...statements: ReadonlyArray<string>) =>
          runSpark(join(path, "catalog.db"), join(path, "warehouse"), statements)
        const all = `SELECT string(id) id, country, string(balance) balance FROM ${name}`
        yield* Effect.gen(function* () {
          yield* createAccounts(byCountry, [
            ["write.delete.mode", "merge-on-read"],
            ["write.update.mode", "merge-on-read"],
            ["write.merge.mode", "merge-on-read"]
          ])
          const rows = accounts(0, 60)
          yield* appendRows(table, rowsSql(rows))
          yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: "<", value: -400n })
          const seen = yield* Schema.decodeUnknownEffect(Rows)(yield* spark(all))
          assert.deepStrictEqual(lines(seen), textOf(rows.filter(({ cents }) => cents! >= -400)))
          yield* spark(
            `DELETE FROM ${name} WHERE id % 7 = 0`,
            `UPDATE ${name} SET balance = balance + 1000 WHERE country = 'DE' AND id < 40`,
            `MERGE INTO ${name} t USING (SELECT bigint(id) id, 'XX' country, decimal(1) balance FROM range(55, 65)) s ON t.id = s.id
             WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
            `ALTER TABLE ${name} RENAME COLUMN country TO land`,
            `DELETE FROM ${name} WHERE land = 'US' AND id > 50`
          )
          const theirs = yield* Schema.decodeUnknownEffect(Rows)(
            yield* spark(`SELECT string(id) id, land country, string(balance) balance FROM ${name}`)
          )
          const { rows: ours } = yield* readTable(yield* load, {
            query: "SELECT id, land AS country, balance FROM t"
          })
          assert.isAbove(theirs.length, 20)
          assert.deepStrictEqual(lines(ours), lines(theirs))
          yield* compactTable(table, { inputFilesMin: 1 })
          const after = yield* Schema.decodeUnknownEffect(Rows)(
            yield* spark(`SELECT string(id) id, land country, string(balance) balance FROM ${name}`)
          )
          assert.deepStrictEqual(lines(after), lines(theirs))
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    1_800_000
  )
})
