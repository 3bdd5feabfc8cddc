/**
 * Every type that we write, and columns that changed, read by Spark and Flink from our SQLite catalog: rows, earlier
 * snapshots, deleted rows and filters of every kind.
 *
 * The engines are large: they run only when FRAZIL_FOREIGN is `full`.
 */
import { join } from "node:path"
import { flinkSql } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { NestedField } from "../../src/spec/Type.ts"
import { canonicalRows } from "./Canonical.ts"
import { evolvedFilters, evolvedRows, firstEvolvedRows, writeEvolved } from "./EvolvedTable.ts"
import { runSpark } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { matches, probeName, probeSql, sampled, sweep, type Dialect, type Probe } from "./Sweep.ts"
import { typesSchema, type TypeCase } from "./TypeCases.ts"
import { allRows, allTag, expectedRows, keptRows, metricsTables, writeTypes } from "./TypesTable.ts"

type EngineRows = ReadonlyArray<Readonly<Record<string, unknown>>>

/** An engine as the test asks it. */
interface Engine {
  readonly dialect: Dialect
  /** The queries' rows, one list after another. */
  readonly ask: (queries: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<EngineRows>, unknown>
  readonly at: (table: string, moment: { readonly id: bigint } | { readonly tag: string }) => string
  /** A column as an expression that the engine prints whole. */
  readonly cell: (field: NestedField) => string
  readonly reads: (field: { readonly name: string }) => boolean
  readonly asks: (probe: Probe) => boolean
  /** Whether it reads an earlier snapshot with the schema of then; else with the table's. */
  readonly pastSchemas: boolean
}

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

const select = ({ cell }: Engine, { fields }: Pick<TableSchema, "fields">, from: string): string =>
  `SELECT ${fields.map((field) => `${cell(field)} AS ${field.name}`).join(", ")} FROM ${from}`

/** Which rows match each filter, in one query. */
const probesQuery = (wheres: ReadonlyArray<string>, from: string): string =>
  wheres.map((where, i) => `SELECT ${i} AS probe, id FROM ${from} WHERE ${where}`).join(" UNION ALL ")

const idsByProbe = (rows: EngineRows): ReadonlyMap<number, ReadonlyArray<number>> =>
  new Map(
    Array.from(
      Map.groupBy(rows, ({ probe }) => Number(probe)),
      ([probe, found]) => [probe, found.map(({ id }) => Number(id)).sort((a, b) => a - b)] as const
    )
  )

/** Flink prints bytes in base 64. */
const hexOf = (rows: EngineRows): EngineRows =>
  rows.map((row) => {
    const decoded = ["c_binary", "c_fixed"].flatMap((name) => {
      const bytes = row[name]
      return typeof bytes === "string" ? [[name, Buffer.from(bytes, "base64").toString("hex")] as const] : []
    })
    return { ...row, ...Object.fromEntries(decoded) }
  })

const checkEngine = Effect.fnUntraced(function* (
  engine: Engine,
  prefix: string,
  types: { readonly name: string; readonly all: bigint; readonly columns: (each: TypeCase) => boolean },
  evolved: { readonly schema: TableSchema; readonly firstSchema: TableSchema; readonly firstSnapshotId: bigint }
) {
  const left = sweep((each) => !types.columns(each)).map(({ column }) => column)
  const fields = typesSchema.fields.filter((field) => engine.reads(field) && !left.includes(field.name))
  const names = fields.map(({ name }) => name)
  const probes = sampled(sweep(types.columns).filter(engine.asks), 4, 11)
  const [typesTable, evolvedTable] = [`${prefix}.${types.name}`, `${prefix}.evolved`]
  const answers = yield* engine.ask([
    select(engine, { fields }, typesTable),
    select(engine, { fields }, engine.at(typesTable, { id: types.all })),
    select(engine, { fields }, engine.at(typesTable, { tag: allTag })),
    probesQuery(
      probes.map((probe) => probeSql(engine.dialect, probe)),
      typesTable
    ),
    select(engine, evolved.schema, evolvedTable),
    select(engine, evolved.firstSchema, engine.at(evolvedTable, { id: evolved.firstSnapshotId })),
    probesQuery(
      evolvedFilters.map(({ where }) => where),
      evolvedTable
    )
  ])
  const rowsOf = (i: number, of: Pick<TableSchema, "fields">) =>
    canonicalRows(of, engine.dialect === "flink" ? hexOf(answers[i]!) : answers[i]!)
  assert.deepStrictEqual(rowsOf(0, { fields }), expectedRows(keptRows, engine.dialect, names), "now")
  assert.deepStrictEqual(rowsOf(1, { fields }), expectedRows(allRows, engine.dialect, names), "by id")
  assert.deepStrictEqual(rowsOf(2, { fields }), expectedRows(allRows, engine.dialect, names), "by tag")
  const ids = idsByProbe(answers[3]!)
  assert.deepStrictEqual(
    probes.map((probe, i) => [probeName(probe), ids.get(i) ?? []]),
    probes.map((probe) => [
      probeName(probe),
      keptRows.filter((row) => matches(engine.dialect, probe, row)).map(({ id }) => id)
    ])
  )
  assert.deepStrictEqual(rowsOf(4, evolved.schema), canonicalRows(evolved.schema, evolvedRows), "changed columns")
  if (engine.pastSchemas) {
    assert.deepStrictEqual(
      rowsOf(5, evolved.firstSchema),
      canonicalRows(evolved.firstSchema, firstEvolvedRows),
      "first"
    )
  }
  const evolvedIds = idsByProbe(answers[6]!)
  assert.deepStrictEqual(
    evolvedFilters.map(({ name }, i) => [name, evolvedIds.get(i) ?? []]),
    evolvedFilters.map(({ name, ids: expected }) => [name, expected])
  )
})

const full = process.env["FRAZIL_FOREIGN"] === "full"
const [truncated] = metricsTables.filter(({ name }) => name === "truncated")
/** Spark has no time of day, and Flink none in microseconds. */
const withoutTime = ({ type }: TypeCase): boolean => type._tag !== "time"

const writeBoth = (columns: (each: TypeCase) => boolean) =>
  Effect.gen(function* () {
    const all = yield* writeTypes(truncated!, columns)
    return { types: { name: truncated!.name, all, columns }, evolved: yield* writeEvolved }
  })

describe.skipIf(!full)("columns of every type, and columns that changed", () => {
  it.live(
    "read identically in Spark",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { evolved, types } = yield* writeBoth(withoutTime).pipe(Effect.provide(layerAt(path)))
        const run = (query: string) => runSpark(join(path, "catalog.db"), join(path, "warehouse"), [query])
        // rows of one call are not told apart, so each query has a call
        const ask = (queries: ReadonlyArray<string>) =>
          Effect.forEach(queries, (query) => Effect.map(run(query), (rows) => rows as EngineRows))
        yield* checkEngine({ ...spark, ask }, "frazil.types", types, evolved)
      }).pipe(Effect.scoped),
    600_000
  )

  it.live(
    "read identically in Flink",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { evolved, types } = yield* writeBoth(withoutTime).pipe(Effect.provide(layerAt(path)))
        const catalog = `CREATE CATALOG frazil WITH ('type' = 'iceberg', 'catalog-impl' = 'org.apache.iceberg.jdbc.JdbcCatalog',
          'uri' = 'jdbc:sqlite:${path}/catalog.db', 'warehouse' = 'file://${path}/warehouse', 'clients' = '1', 'jdbc.schema-version' = 'V1')`
        const ask = (queries: ReadonlyArray<string>) =>
          Effect.map(flinkSql([], [catalog, ...queries]), (rows) =>
            queries.map((_, i) => rows.filter(({ q }) => q === i + 2).map(({ row }) => row))
          )
        yield* checkEngine({ ...flink, ask }, "frazil.types", types, evolved)
      }).pipe(Effect.scoped),
    600_000
  )
})
