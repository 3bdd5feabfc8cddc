/**
 * What every engine is asked about tables of every type and of changed columns: rows, earlier snapshots, deleted rows and
 * filters of every kind, in its own words.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { NestedField } from "../../src/spec/Type.ts"
import { canonicalRows } from "./Canonical.ts"
import { evolvedFilters, evolvedRows, firstEvolvedRows, writeEvolved } from "./EvolvedTable.ts"
import { matches, probeName, probeSql, sampled, sweep, type Dialect, type Probe } from "./Sweep.ts"
import { typesSchema, type TypeCase } from "./TypeCases.ts"
import { allRows, allTag, expectedRows, keptRows, metricsTables, writeTypes } from "./TypesTable.ts"

export type EngineRows = ReadonlyArray<Readonly<Record<string, unknown>>>

/** An engine as the test asks it. */
export interface Engine {
  readonly dialect: Dialect
  /** The queries' rows, one list after another. */
  readonly ask: (queries: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<EngineRows>, unknown>
  /** The table at a moment. */
  readonly at: (table: string, moment: { readonly id: bigint } | { readonly tag: string }) => string
  /** A column as an expression that the engine prints whole. */
  readonly cell: (field: NestedField) => string
  readonly reads: (field: { readonly name: string }) => boolean
  readonly asks: (probe: Probe) => boolean
  /** Whether it reads an earlier snapshot with the schema of then; else with the table's. */
  readonly pastSchemas: boolean
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

export const checkEngine = Effect.fnUntraced(function* (
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

const [truncated] = metricsTables.filter(({ name }) => name === "truncated")
/** Spark has no time of day, and Flink none in microseconds. */
export const withoutTime = ({ type }: TypeCase): boolean => type._tag !== "time"

/** Both tables; the columns that are not asked for are left out. */
export const writeBoth = (columns: (each: TypeCase) => boolean) =>
  Effect.gen(function* () {
    const all = yield* writeTypes(truncated!, columns)
    return { types: { name: truncated!.name, all, columns }, evolved: yield* writeEvolved }
  })
