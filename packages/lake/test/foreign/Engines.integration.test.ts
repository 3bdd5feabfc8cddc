/**
 * Every type that we write, and columns that changed, read by Spark and both lines of Flink from our SQLite catalog: rows,
 * earlier snapshots, deleted rows and filters of every kind. Trino has a file of its own.
 *
 * The engines are large: they run only when FRAZIL_FOREIGN is `full`.
 */
import { join } from "node:path"
import { flinkSql } from "@frazil/sim/flink"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { checkEngine, withoutTime, writeBoth, type Engine, type EngineRows } from "./EngineSweep.ts"
import { runSparkEach } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const spark: Omit<Engine, "ask"> = {
  dialect: "spark",
  at: (table, moment) => `${table} VERSION AS OF ${"id" in moment ? moment.id : `'${moment.tag}'`}`,
  cell: ({ name, type }) => {
    switch (type._tag) {
      case "long":
      case "decimal":
        return `string(${name})`
      case "date":
        return `string(unix_date(${name}))`
      case "timestamp":
        return `string(unix_micros(CAST(${name} AS TIMESTAMP_LTZ)))`
      case "timestamptz":
        return `string(unix_micros(${name}))`
      case "binary":
      case "fixed":
        return `hex(${name})`
      default:
        return name
    }
  },
  reads: () => true,
  // Spark finds no row by a uuid as text, in tables of its own either
  asks: ({ column }) => column !== "c_uuid",
  pastSchemas: true
}

const flink: Omit<Engine, "ask"> = {
  dialect: "flink",
  at: (table, moment) =>
    `${table} /*+ OPTIONS(${"id" in moment ? `'snapshot-id'='${moment.id}'` : `'tag'='${moment.tag}'`}) */`,
  cell: ({ name, type }) => (type._tag === "long" ? `CAST(${name} AS STRING)` : name),
  // a uuid is 16 bytes there
  reads: ({ name }) => name !== "c_uuid",
  // nor does it have a test of prefixes; and it reduces a float in text to seven digits
  asks: ({ column, operator, values }) =>
    column !== "c_uuid" && !operator.endsWith("with") && !(column === "c_float" && values.includes("16777216")),
  pastSchemas: false
}

const full = process.env["FRAZIL_FOREIGN"] === "full"
/** Both lines of Flink that are kept up. */
const flinkVersions = ["1.20.3", "2.1.1"] as const

describe.skipIf(!full)("columns of every type, and columns that changed", () => {
  it.live(
    "read identically in Spark",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { evolved, types } = yield* writeBoth(withoutTime).pipe(Effect.provide(layerAt(path)))
        const ask = (queries: ReadonlyArray<string>) =>
          Effect.map(
            runSparkEach(join(path, "catalog.db"), join(path, "warehouse"), queries),
            (answers) => answers as ReadonlyArray<EngineRows> // as Spark prints rows
          )
        yield* checkEngine({ ...spark, ask }, "frazil.types", types, evolved)
      }).pipe(Effect.scoped),
    1_800_000
  )

  it.live.each(flinkVersions)(
    "read identically in Flink %s",
    (version) =>
      Effect.gen(function* () {
        const path = yield* folder
        const { evolved, types } = yield* writeBoth(withoutTime).pipe(Effect.provide(layerAt(path)))
        const catalog = `CREATE CATALOG frazil WITH ('type' = 'iceberg', 'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog',
          'uri' = 'jdbc:sqlite:${path}/catalog.db', 'warehouse' = 'file://${path}/warehouse', 'clients' = '1', 'jdbc.schema-version' = 'V1')`
        const ask = (queries: ReadonlyArray<string>) =>
          Effect.map(flinkSql([], [catalog, ...queries], { version }), (rows) =>
            queries.map((_, i) => rows.filter(({ q }) => q === i + 2).map(({ row }) => row))
          )
        yield* checkEngine({ ...flink, ask }, "frazil.types", types, evolved)
      }).pipe(Effect.scoped),
    1_800_000
  )
})
