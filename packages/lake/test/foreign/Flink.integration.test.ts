/**
 * Flink's upserts, which are equality deletes, of both of its lines: read here as there and as PyIceberg cannot; and what is
 * changed here afterwards, read by Flink, which then goes on.
 *
 * What is expected is a map from key to row, kept by hand. Flink is large: it runs only when FRAZIL_FOREIGN is `full`.
 */
import { flinkSql } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { readMetadataTable } from "../../src/read/inspect/ReadMetadataTable.ts"
import { auditFacts } from "../../src/maintenance/audit/AuditFacts.ts"
import { appendRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { canonicalRows } from "./Canonical.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { readHere } from "./ReadHere.ts"

interface Account {
  readonly name: string | null
  readonly amount: string | null
  readonly day: string
}

const catalogAt = (path: string) => `CREATE CATALOG frazil WITH ('type' = 'iceberg',
  'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog', 'uri' = 'jdbc:sqlite:${path}/catalog.db',
  'warehouse' = 'file://${path}/warehouse', 'clients' = '1', 'jdbc.schema-version' = 'V1')`

const text = (value: string | null, type: string) =>
  value === null ? `CAST(NULL AS ${type})` : type === "STRING" ? `'${value}'` : value

/** The state of the table by key, and statements that bring it there. */
class Accounts {
  readonly state = new Map<number, Account>()

  upsert(table: string, rows: ReadonlyArray<readonly [id: number, account: Account]>): string {
    for (const [id, account] of rows) this.state.set(id, account)
    const values = rows.map(
      ([id, { amount, day, name }]) =>
        `(${id}, ${text(name, "STRING")}, ${text(amount, "DECIMAL(12, 2)")}, DATE '${day}')`
    )
    return `INSERT INTO frazil.written.${table} VALUES ${values.join(", ")}`
  }

  get rows() {
    return Array.from(this.state, ([id, account]) => ({ id, ...account }))
  }
}

const day = (id: number) => `2026-01-0${1 + (id % 3)}`
const account = (id: number, cents: number | null, name: string | null = `n${id}`): readonly [number, Account] => [
  id,
  { name, amount: cents === null ? null : (cents / 100).toFixed(2), day: day(id) }
]
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/**
 * A table without partitions, one with (there a key lies in one partition, as Flink wants it), and one of format version 3, where
 * what is deleted by position lies in deletion vectors: Flink's of a key that comes twice in a commit, and ours.
 */
const tables = [
  { name: "plain", by: "", version: 2 },
  { name: "daily", by: "PARTITIONED BY (`day`)", version: 2 },
  { name: "vectors", by: "", version: 3 }
] as const

/** How many deletion vectors the table of format version 3 has. */
const vectors = Effect.gen(function* () {
  const table = yield* Catalog.use((catalog) => catalog.loadTable({ namespace: "written", name: "vectors" }))
  const rows = yield* readMetadataTable(table, "delete_files", {
    query: "SELECT lower(file_format) AS format FROM t"
  })
  return rows.filter(({ format }) => format === "puffin").length
})

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("tables of Flink", () => {
  for (const version of ["1.20.3", "2.1.1"]) {
    it.live(
      `read here as there when rows were upserted by Flink ${version}, and there what is changed here`,
      () =>
        Effect.gen(function* () {
          const path = yield* folder
          const flink = (...statements: ReadonlyArray<string>) =>
            Effect.map(flinkSql([], [catalogAt(path), ...statements], { version }), (rows) =>
              statements.map((_, i) => rows.filter(({ q }) => q === i + 2).map(({ row }) => row))
            )
          const select = (name: string) => `SELECT id, name, amount, \`day\` FROM frazil.written.${name}`
          yield* Effect.gen(function* () {
            yield* (yield* Catalog).listTables("written").pipe(Effect.ignore)
            const accounts = new Map(tables.map(({ name }) => [name, new Accounts()]))
            const check = Effect.fnUntraced(function* (theirs: ReadonlyArray<ReadonlyArray<unknown>>, what: string) {
              for (const [i, { name }] of tables.entries()) {
                const ours = yield* readHere("written", name)
                const expected = canonicalRows(ours.schema, accounts.get(name)!.rows)
                assert.deepStrictEqual(ours.rows, expected, `${name}, ${what}, here`)
                // rows as Flink's runner prints them
                const found = theirs[i]! as ReadonlyArray<Readonly<Record<string, unknown>>>
                assert.deepStrictEqual(canonicalRows(ours.schema, found), expected, `${name}, ${what}, Flink`)
                const report = yield* auditFacts({ namespace: "written", name })
                assert.deepStrictEqual(report.problems, [], `${name}, ${what}`)
              }
            })
            const first = yield* flink(
              "CREATE DATABASE frazil.written",
              ...tables.flatMap(({ by, name, version: format }) => [
                `CREATE TABLE frazil.written.${name} (id INT NOT NULL, name STRING, amount DECIMAL(12, 2), \`day\` DATE NOT NULL,
                  PRIMARY KEY (id${by === "" ? "" : ", `day`"}) NOT ENFORCED) ${by}
                  WITH ('format-version' = '${format}', 'write.upsert.enabled' = 'true'${format === 3 ? ", 'write.delete.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read'" : ""})`,
                accounts.get(name)!.upsert(
                  name,
                  range(1, 31).map((id) => account(id, id * 10, id % 7 === 0 ? null : `n${id}`))
                ),
                accounts.get(name)!.upsert(
                  name,
                  range(20, 41).map((id) => account(id, id % 5 === 0 ? null : -id))
                ),
                accounts.get(name)!.upsert(name, [account(2, 1), account(25, 2), account(40, 3), account(2, 4)])
              ]),
              ...tables.map(({ name }) => select(name))
            )
            yield* check(first.slice(-tables.length), "upserted")
            assert.isAbove(yield* vectors, 0, "Flink's deletion vectors")

            const theirs = yield* vectors
            for (const { name } of tables) {
              const table = { namespace: "written", name }
              const { state } = accounts.get(name)!
              yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 4 })
              for (const id of range(1, 4)) state.delete(id)
              const put = [account(5, 500), account(39, 3900, null), account(50, 5000)]
              const sql = put
                .map(
                  ([id, { amount, day: on, name: called }]) =>
                    `SELECT ${id}::INTEGER AS id, ${called === null ? "NULL" : `'${called}'`} AS name, ${amount} AS amount, DATE '${on}' AS day`
                )
                .join(" UNION ALL ")
              yield* upsertRows(table, ["id"], sql)
              for (const [id, to] of put) state.set(id, to)
              yield* appendRows(
                table,
                `SELECT 60::INTEGER AS id, 'n60' AS name, 6.00 AS amount, DATE '${day(60)}' AS day`
              )
              state.set(...account(60, 600))
            }
            assert.isAbove(yield* vectors, theirs, "ours")
            const second = yield* flink(
              ...tables.map(({ name }) => select(name)),
              ...tables.map(({ name }) =>
                accounts.get(name)!.upsert(name, [account(5, 5), account(50, null), account(60, 61), account(70, 70)])
              ),
              ...tables.map(({ name }) => select(name))
            )
            // what Flink saw of ours is what it saw at the end, but for its own last upsert
            assert.strictEqual(second[0]!.length, second.at(-1)!.length - 1)
            yield* check(second.slice(-tables.length), "changed here and upserted again")

            for (const { name } of tables) {
              const compacted = yield* compactTable({ namespace: "written", name }, { inputFilesMin: 2 })
              assert.isBelow(compacted.filesAfter, compacted.filesBefore)
              yield* compactManifests({ namespace: "written", name })
            }
            const third = yield* flink(
              ...tables.map(({ name }) => select(name)),
              ...tables.map(({ name }) => accounts.get(name)!.upsert(name, [account(6, 6), account(70, 71)])),
              ...tables.map(({ name }) => select(name))
            )
            yield* check(third.slice(-tables.length), "compacted here and upserted again")
          }).pipe(Effect.provide(layerAt(path)))
        }).pipe(Effect.scoped),
      1_800_000
    )
  }
})
