/** How Spark, Flink and Trino are asked about our tables: each in its own words. */
import { flinkSql } from "@frazil/sim/flink"
import { Effect } from "effect"
import type { Ask, Engine, EngineRows } from "./EngineSweep.ts"
import { flinkDifferences, flinkHolds } from "./FlinkDifferences.ts"
import type { Spark } from "./SparkSession.ts"
import type { askTrino } from "./Trino.ts"
import type { TypeCase } from "./TypeCases.ts"

/** Spark has no time of day, and Flink none in microseconds. */
export const withoutTime = ({ type }: TypeCase): boolean => type._tag !== "time"

/** Of a moment, as text in UTC. */
const utcText = (timeMs: number): string => new Date(timeMs).toISOString().replace("T", " ").replace("Z", "")

type Moment = Parameters<Engine["at"]>[1]

/** A snapshot by its id, or a ref by its name, as Spark and Trino have them. */
const versionText = (moment: Exclude<Moment, { readonly timeMs: number }>): string => {
  if ("id" in moment) return String(moment.id)
  return `'${"tag" in moment ? moment.tag : moment.branch}'`
}

export const sparkEngine: Engine = {
  dialect: "spark",
  prefix: "frazil.",
  at: (table, moment) => {
    if ("timeMs" in moment) return `${table} TIMESTAMP AS OF '${utcText(moment.timeMs)}'`
    return `${table} VERSION AS OF ${versionText(moment)}`
  },
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
  // by a UUID it misses rows, as SparkReads shows
  asks: ({ column }) => column !== "c_uuid",
  differences: [],
  pastSchemas: true,
  branchesAsTable: true,
  probesAtOnce: 40
}

export const askSpark =
  (spark: Spark): Ask =>
  (queries) =>
    // rows as Spark's session prints them
    Effect.forEach(queries, (query) => Effect.map(spark(query), (rows) => rows as EngineRows))

const flinkMoment = (moment: Moment): string => {
  if ("timeMs" in moment) return `'as-of-timestamp'='${moment.timeMs}'`
  if ("id" in moment) return `'snapshot-id'='${moment.id}'`
  return "tag" in moment ? `'tag'='${moment.tag}'` : `'branch'='${moment.branch}'`
}

export const flinkEngine: Engine = {
  dialect: "flink",
  prefix: "frazil.",
  at: (table, moment) => `${table} /*+ OPTIONS(${flinkMoment(moment)}) */`,
  cell: ({ name, type }) => (type._tag === "long" ? `CAST(${name} AS STRING)` : name),
  // a uuid is 16 bytes there
  reads: ({ name }) => name !== "c_uuid",
  // nor does it have a test of prefixes
  asks: (probe) => probe.column !== "c_uuid" && !probe.operator.endsWith("with") && flinkHolds(probe),
  differences: flinkDifferences,
  pastSchemas: false,
  branchesAsTable: true,
  probesAtOnce: 40
}

/** Both lines of Flink that are kept up. */
export const flinkVersions = ["1.20.3", "2.1.1"] as const

/** On the SQLite catalog of a folder, as `layerAt` has it, which it calls `frazil`; one Java machine for all queries. */
export const askFlink =
  (path: string, version: (typeof flinkVersions)[number]): Ask =>
  (queries) => {
    const catalog = `CREATE CATALOG frazil WITH ('type' = 'iceberg', 'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog',
      'uri' = 'jdbc:sqlite:${path}/catalog.db', 'warehouse' = 'file://${path}/warehouse', 'clients' = '1', 'jdbc.schema-version' = 'V1')`
    return Effect.map(flinkSql([], [catalog, ...queries], { version }), (rows) => {
      const byQuery = Map.groupBy(rows, ({ q }) => q)
      return queries.map((_, i) => (byQuery.get(i + 2) ?? []).map(({ row }) => row))
    })
  }

/** Trino has every type. */
export const trinoEngine: Engine = {
  dialect: "trino",
  prefix: "",
  at: (table, moment) => {
    if ("timeMs" in moment) return `${table} FOR TIMESTAMP AS OF TIMESTAMP '${utcText(moment.timeMs)} UTC'`
    return `${table} FOR VERSION AS OF ${versionText(moment)}`
  },
  cell: ({ name, type }) => {
    switch (type._tag) {
      case "binary":
      case "fixed":
        return `to_hex(${name})`
      case "float":
        // as text of its own it has seven digits
        return `CAST(CAST(${name} AS DOUBLE) AS VARCHAR)`
      case "struct":
      case "list":
      case "map":
        return name
      default:
        return `CAST(${name} AS VARCHAR)`
    }
  },
  reads: () => true,
  asks: () => true,
  differences: [],
  pastSchemas: true,
  // a fault of theirs (trinodb/trino#30970, to 483): once mended, `d` of the evolved table is null here, and this is to go
  branchesAsTable: false,
  probesAtOnce: 40
}

export const askTrinoEach =
  (sql: (statement: string) => ReturnType<typeof askTrino>): Ask =>
  (queries) =>
    Effect.forEach(queries, (query): Effect.Effect<EngineRows, unknown> => sql(query))
