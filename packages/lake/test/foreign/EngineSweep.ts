/**
 * What every engine is asked about tables of every type and of changed columns: rows, earlier moments, deleted rows and
 * filters of every kind, in its own words.
 */
import { assert } from "@effect/vitest"
import { Array as Lists, Effect } from "effect"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { NestedField } from "../../src/spec/Type.ts"
import { canonicalRows } from "./Canonical.ts"
import {
  evolvedBranch,
  evolvedFilters,
  evolvedRows,
  evolvedTag,
  firstEvolvedRows,
  type WrittenEvolved
} from "./EvolvedTable.ts"
import { matches, probeName, probeSql, sampled, sweep, type Dialect, type Probe } from "./Sweep.ts"
import { typesSchema, type TypeCase, type TypesRow } from "./TypeCases.ts"
import {
  allRows,
  allTag,
  expectedRows,
  keptRows,
  sideBranch,
  sideRows,
  type MetricsTable,
  type WrittenTypes
} from "./TypesTable.ts"

export type EngineRows = ReadonlyArray<Readonly<Record<string, unknown>>>

export type Moment =
  | { readonly id: bigint }
  | { readonly tag: string }
  | { readonly branch: string }
  | { readonly timeMs: number }

/**
 * Rows that an engine leaves out though they match, in tables of its own too. Tests expect just that, so that they fail when the
 * engine no longer does.
 */
export interface KnownDifference {
  readonly why: string
  /** Of a row that matches. */
  readonly hides: (probe: Probe, row: TypesRow) => boolean
}

/** An engine as the tests ask it. */
export interface Engine {
  readonly dialect: Dialect
  /** Before the names of tables. */
  readonly prefix: string
  /** The table at a moment. */
  readonly at: (table: string, moment: Moment) => string
  /** A column as an expression that the engine prints whole. */
  readonly cell: (field: NestedField) => string
  readonly reads: (field: { readonly name: string }) => boolean
  readonly asks: (probe: Probe) => boolean
  readonly differences: ReadonlyArray<KnownDifference>
  /** Whether it reads an earlier snapshot with the schema of then; else with the table's. */
  readonly pastSchemas: boolean
  /** Whether it reads a branch with the table's schema, as Iceberg has it; else with that of its last snapshot, like a tag. */
  readonly branchesAsTable: boolean
  /** So many filters are asked in one query. */
  readonly probesAtOnce: number
}

/** The queries' rows, one list after another. */
export type Ask = (queries: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<EngineRows>, unknown>

/** Queries, and what their rows must be. */
export interface Question {
  readonly queries: ReadonlyArray<string>
  readonly check: (answers: ReadonlyArray<EngineRows>) => void
}

/** What an assertion that failed says. */
const said = (error: unknown): unknown => {
  if (!(error instanceof Error && "actual" in error && "expected" in error)) throw error
  const { actual, expected, message } = error
  return { message, actual, expected }
}

/** Asks all at once: an engine takes longer to start than to answer. What is wrong is told of all questions. */
export const askAll = Effect.fnUntraced(function* (ask: Ask, questions: ReadonlyArray<Question>) {
  const answers = yield* ask(questions.flatMap(({ queries }) => queries))
  let next = 0
  const wrong = questions.flatMap(({ check, queries }) => {
    try {
      check(answers.slice(next, (next += queries.length)))
      return []
    } catch (error) {
      return [said(error)]
    }
  })
  assert.deepStrictEqual(wrong, [], "questions that are answered wrongly")
})

const select = ({ cell }: Engine, { fields }: Pick<TableSchema, "fields">, from: string): string =>
  `SELECT ${fields.map((field) => `${cell(field)} AS ${field.name}`).join(", ")} FROM ${from}`

/** Which rows match each condition, in one query. */
export const matchesQuery = (wheres: ReadonlyArray<string>, from: string): string =>
  wheres.map((where, i) => `SELECT ${i} AS probe, id FROM ${from} WHERE ${where}`).join(" UNION ALL ")

/** The ids of each condition, by its place. */
export const idsByMatch = (rows: EngineRows): ReadonlyMap<number, ReadonlyArray<number>> =>
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

/** All rows of a table of every type, now and at its moments; `keptUp`: after its upkeep, which takes times from its log. */
export const typesQuestion = (
  engine: Engine,
  { all, columns, name }: WrittenTypes,
  { keptUp = false }: { readonly keptUp?: boolean } = {}
): Question => {
  const left = sweep((each) => !columns(each)).map(({ column }) => column)
  const fields = typesSchema.fields.filter((field) => engine.reads(field) && !left.includes(field.name))
  const table = `${engine.prefix}types.${name}`
  const asked: ReadonlyArray<readonly [what: string, from: string, rows: ReadonlyArray<TypesRow>]> = [
    ["now", table, keptRows],
    ["by id", engine.at(table, { id: all.snapshotId }), allRows],
    ["by tag", engine.at(table, { tag: allTag }), allRows],
    ["by branch", engine.at(table, { branch: sideBranch }), sideRows],
    ...(keptUp ? [] : [["by time", engine.at(table, { timeMs: all.timestampMs }), allRows] as const])
  ]
  const names = fields.map((field) => field.name)
  return {
    queries: asked.map(([, from]) => select(engine, { fields }, from)),
    check: (answers) =>
      asked.forEach(([what, , rows], i) => {
        const found = engine.dialect === "flink" ? hexOf(answers[i]!) : answers[i]!
        const expected = expectedRows(rows, engine.dialect, names)
        assert.deepStrictEqual(canonicalRows({ fields }, found), expected, `${name}, ${what}`)
      })
  }
}

/** The ids that the engine must find, and why some that are meant are not among them. */
const expectedIds = ({ differences, dialect }: Engine, probe: Probe) => {
  const meant = keptRows.filter((row) => matches(dialect, probe, row))
  const known = differences.filter(({ hides }) => meant.some((row) => hides(probe, row)))
  const ids = meant.filter((row) => !known.some(({ hides }) => hides(probe, row))).map(({ id }) => id)
  return { ids, known: known.map(({ why }) => why) }
}

/** Which of the kept rows each filter gives. */
export const probesQuestion = (engine: Engine, name: string, probes: ReadonlyArray<Probe>): Question => {
  const groups = Lists.chunksOf(probes.filter(engine.asks), engine.probesAtOnce)
  const table = `${engine.prefix}types.${name}`
  return {
    queries: groups.map((group) =>
      matchesQuery(
        group.map((probe) => probeSql(engine.dialect, probe)),
        table
      )
    ),
    check: (answers) => {
      const wrong = groups.flatMap((group, i) => {
        const byMatch = idsByMatch(answers[i]!)
        return group.flatMap((probe, j) => {
          const found = byMatch.get(j) ?? []
          const { ids, known } = expectedIds(engine, probe)
          return JSON.stringify(found) === JSON.stringify(ids)
            ? []
            : [{ probe: probeName(probe), found, expected: ids, known }]
        })
      })
      assert.deepStrictEqual(wrong, [], name)
    }
  }
}

/** A table whose columns changed: rows, filters, and its first snapshot by id, by tag and as a branch. */
export const evolvedQuestion = (engine: Engine, written: WrittenEvolved): Question => {
  const { firstSchema, firstSnapshotId, schema } = written
  // a branch is a present of its own: rows of the first snapshot with the table's columns
  const branched = evolvedRows.filter(({ id }) => Number(id) <= firstEvolvedRows.length)
  const [branchSchema, branchRows] = engine.branchesAsTable ? [schema, branched] : [firstSchema, firstEvolvedRows]
  const table = `${engine.prefix}types.evolved`
  const wheres = evolvedFilters.map(({ where }) => where)
  const past = engine.pastSchemas
    ? [{ id: firstSnapshotId }, { tag: evolvedTag }].map((moment) =>
        select(engine, firstSchema, engine.at(table, moment))
      )
    : []
  return {
    queries: [
      select(engine, schema, table),
      matchesQuery(wheres, table),
      select(engine, branchSchema, engine.at(table, { branch: evolvedBranch })),
      ...past
    ],
    check: ([now, found, branch, ...pasts]) => {
      assert.deepStrictEqual(canonicalRows(schema, now!), canonicalRows(schema, evolvedRows), "changed columns")
      const ids = idsByMatch(found!)
      assert.deepStrictEqual(
        evolvedFilters.map((each, i) => [each.name, ids.get(i) ?? []]),
        evolvedFilters.map((each) => [each.name, each.ids])
      )
      const first = canonicalRows(branchSchema, branchRows)
      assert.deepStrictEqual(canonicalRows(branchSchema, branch!), first, "the first as a branch")
      for (const rows of pasts) {
        const expected = canonicalRows(firstSchema, firstEvolvedRows)
        assert.deepStrictEqual(canonicalRows(firstSchema, rows), expected, "the first snapshot")
      }
    }
  }
}

export const full = process.env["FRAZIL_FOREIGN"] === "full"

/** After upkeep: rows and moments again, and some filters of each column. */
export const keptUpQuestions = (
  engine: Engine,
  types: ReadonlyArray<WrittenTypes>,
  evolved: WrittenEvolved
): ReadonlyArray<Question> => [
  ...types.flatMap((each) => [
    typesQuestion(engine, each, { keptUp: true }),
    probesQuestion(engine, each.name, sampled(sweep(each.columns), 2, 13))
  ]),
  evolvedQuestion(engine, evolved)
]

/** All filters, or some of each column; of an engine that takes long over each, all where most files are left out by bounds. */
export const probesOf = (
  { dialect }: Engine,
  { name }: MetricsTable,
  columns: (each: TypeCase) => boolean
): ReadonlyArray<Probe> => {
  const bounded = name === "truncated"
  if (full) return dialect !== "flink" || bounded ? sweep(columns) : sampled(sweep(columns), 6, 11)
  return sampled(sweep(columns), bounded ? 2 : 1, 11)
}
