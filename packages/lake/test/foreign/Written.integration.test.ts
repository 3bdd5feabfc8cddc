/**
 * What others write, read here: PyIceberg's tables of every type, with columns that changed and with partitions; and Flink's upserts, which are equality deletes (with FRAZIL_FOREIGN=full). Rows must be those that their own
 * reader gives.
 */
import { join } from "node:path"
import { flinkSql } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { currentSchema } from "../../src/spec/TableMetadata.ts"
import { canonicalRows } from "./Canonical.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const Tables = Schema.Record(Schema.String, Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))

/** The table's rows by our reader, with its schema. */
const readHere = Effect.fnUntraced(function* (namespace: string, name: string) {
  const loaded = yield* Catalog.use((catalog) => catalog.loadTable({ namespace, name }))
  const schema = currentSchema(loaded.metadata)
  const columns = schema.fields.map(({ name: column, type }) =>
    type._tag === "binary" || type._tag === "fixed" ? `lower(hex("${column}")) AS "${column}"` : `"${column}"`
  )
  const { rows } = yield* readTable(loaded, { query: `SELECT ${columns.join(", ")} FROM t` })
  return { schema, rows: canonicalRows(schema, rows) }
})

/** What its tables are divided by: values of columns, as its other transforms need its Rust half. */
const divisions = ["text", "date", "decimal"] as const

describe("tables of PyIceberg", () => {
  it.live("read here as there: every type, changed columns, partitions, deletes", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* Effect.gen(function* () {
        // makes the catalog's tables
        yield* (yield* Catalog).listTables("written").pipe(Effect.ignore)
        const theirs = yield* runPython("foreign_writers.py", {
          catalogName: "frazil",
          catalogFile: join(path, "catalog.db"),
          warehouse: `file://${path}/warehouse`
        }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Tables)))
        assert.strictEqual(Object.keys(theirs).length, 2 + divisions.length)
        for (const [table, rows] of Object.entries(theirs)) {
          const [namespace = "", name = ""] = table.split(".")
          const ours = yield* readHere(namespace, name)
          assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, rows), table)
          assert.isAbove(ours.rows.length, 1)
        }
        for (const division of divisions) {
          assert.strictEqual((yield* readHere("written", `by_${division}`)).rows.length, 15, division)
        }
      }).pipe(Effect.provide(layerAt(path)))
    }).pipe(Effect.scoped)
  )
})

describe.skipIf(process.env["FRAZIL_FOREIGN"] !== "full")("tables of Flink", () => {
  it.live(
    "read here as there when rows were upserted",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        yield* Effect.gen(function* () {
          yield* (yield* Catalog).listTables("written").pipe(Effect.ignore)
          const catalog = `CREATE CATALOG frazil WITH ('type' = 'iceberg', 'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog',
            'uri' = 'jdbc:sqlite:${path}/catalog.db', 'warehouse' = 'file://${path}/warehouse', 'clients' = '1', 'jdbc.schema-version' = 'V1')`
          const insert = (...rows: ReadonlyArray<string>) =>
            `INSERT INTO frazil.written.upserted VALUES ${rows.join(", ")}`
          const found = yield* flinkSql(
            [],
            [
              catalog,
              "CREATE DATABASE frazil.written",
              `CREATE TABLE frazil.written.upserted (id INT NOT NULL, name STRING, amount DECIMAL(12, 2), PRIMARY KEY (id) NOT ENFORCED)
                WITH ('format-version' = '2', 'write.upsert.enabled' = 'true')`,
              insert("(1, 'a', 1.50)", "(2, 'b', 2.50)", "(3, CAST(NULL AS STRING), 3.50)"),
              insert("(2, 'b2', 20.25)", "(4, 'd', 4.75)"),
              insert("(1, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(12, 2)))", "(2, 'b3', 200.00)"),
              "SELECT id, name, amount FROM frazil.written.upserted"
            ]
          )
          const theirs = found.map(({ row }) => row)
          const ours = yield* readHere("written", "upserted")
          assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, theirs))
          const written = [
            { id: 1, name: null, amount: null },
            { id: 2, name: "b3", amount: "200.00" },
            { id: 3, name: null, amount: "3.50" },
            { id: 4, name: "d", amount: "4.75" }
          ]
          assert.deepStrictEqual(ours.rows, canonicalRows(ours.schema, written))
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    600_000
  )
})
