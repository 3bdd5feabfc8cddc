/**
 * Tables of format version 1, made by PyIceberg: read here as they are, written after their upgrade only, and then read by
 * PyIceberg and DuckDB's own reader.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { manifestsInline } from "../../src/spec/ManifestsInline.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { upgradeFormat } from "../../src/write/TableAction.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
const Answers = Schema.Struct({
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({ pyiceberg: Schema.Struct({ all: Rows }), duckdb: Schema.Struct({ all: Rows }) })
  )
})

const lines = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  rows.map(({ balance, country, id }) => `${String(id)}|${String(country)}|${Number(balance ?? NaN)}`).sort()

const rowsOf = (name: string) =>
  Effect.gen(function* () {
    const table = yield* (yield* Catalog).loadTable({ namespace: "test", name })
    const { rows } = yield* readTable(table)
    return { table, rows: lines(rows) }
  })

const more = "SELECT 100 AS id, 'JP' AS country, 1.25::DECIMAL(12, 2) AS balance"

describe("tables of format version 1", () => {
  it.live(
    "read as their writer reads them, and are written once they were upgraded",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const place = { catalogFile: join(path, "catalog.db"), warehouse: `file://${path}/warehouse` }
        const made = yield* Schema.decodeUnknownEffect(Rows)(yield* runPython("format_version_1.py", place))
        yield* Effect.gen(function* () {
          for (const name of ["accounts", "oldest"]) {
            const identifier = { namespace: "test", name }
            const { rows, table } = yield* rowsOf(name)
            assert.deepStrictEqual(rows, lines(made), name)
            assert.strictEqual(table.metadata.formatVersion, 1)
            assert.strictEqual(table.metadata.lastSequenceNumber, 0n)
            const [first] = table.metadata.snapshots
            assert.strictEqual(manifestsInline(first!.manifestList) !== undefined, name === "oldest")
            const past = yield* readTable(table, { asOf: { _tag: "SnapshotId", snapshotId: first!.snapshotId } })
            assert.deepStrictEqual(
              lines(past.rows),
              lines(made.concat({ id: "7", country: "DE", balance: "1.75" }).filter(({ id }) => Number(id) < 30))
            )
            const us = yield* readTable(table, {
              filter: { _tag: "Compare", column: "country", operator: "=", value: "US" }
            })
            assert.isBelow(us.plan.entries.length, us.plan.filesTotal)

            const refused = yield* Effect.flip(appendRows(identifier, more))
            assert.deepInclude(refused, { reason: "Unsupported" })
            assert.include(refused.message, "upgradeFormat(2)")
            yield* commitTable({ table: identifier, actions: () => Effect.succeed([upgradeFormat(2)]) })
            yield* appendRows(identifier, more)
            yield* deleteRows(identifier, { _tag: "Compare", column: "id", operator: "<", value: 10n })
            yield* compactTable(identifier, { inputFilesMin: 2 })
            const after = yield* rowsOf(name)
            const expected = lines([
              ...made.filter(({ id }) => Number(id) >= 10),
              { id: "100", country: "JP", balance: "1.25" }
            ])
            assert.deepStrictEqual(after.rows, expected, name)
            assert.strictEqual(after.table.metadata.formatVersion, 2)
            const old = yield* readTable(after.table, { asOf: { _tag: "SnapshotId", snapshotId: first!.snapshotId } })
            assert.lengthOf(old.rows, 30)
            yield* expireSnapshots(identifier, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 })
            const left = yield* rowsOf(name)
            assert.deepStrictEqual(left.rows, expected, name)
            assert.deepStrictEqual(left.table.metadata.snapshots, [currentSnapshot(left.table.metadata)!])
          }
          const questions = [{ name: "all", order: ["id"] }]
          const tables = ["accounts", "oldest"].map((name) => ({ table: `test.${name}`, questions }))
          const answers = yield* runPython("foreign_readers.py", { catalogName: "frazil", ...place, tables }).pipe(
            Effect.flatMap(Schema.decodeUnknownEffect(Answers))
          )
          for (const { duckdb, pyiceberg } of Object.values(answers.tables)) {
            const expected = lines([
              ...made.filter(({ id }) => Number(id) >= 10),
              { id: "100", country: "JP", balance: "1.25" }
            ])
            assert.deepStrictEqual(lines(pyiceberg.all), expected)
            assert.deepStrictEqual(lines(duckdb.all), expected)
          }
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    600_000
  )
})
