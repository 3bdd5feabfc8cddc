/**
 * Tables of floating-point numbers that are no common ones: NaN, both zeros, infinities; a file of each and of some together, so
 * that filters leave files out. What a filter means is not said here: engines differ, and each is asked.
 */
import { Field, makeRecordBuilder, Topic } from "@frazil/core"
import { Log } from "@frazil/engine"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { Landing } from "../../src/landing/Landing.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import type { Filter, Operator } from "../../src/read/Filter.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import type { Dialect } from "./Sweep.ts"

export interface FloatRow {
  readonly id: number
  /** As every engine, JavaScript and Python read it from text. */
  readonly value: string | null
}

const rowsOfFiles = (files: ReadonlyArray<ReadonlyArray<string | null>>): ReadonlyArray<ReadonlyArray<FloatRow>> => {
  let id = 0
  return files.map((file) => file.map((value) => ({ id: ++id, value })))
}

/** Written by SQL. */
export const queriedFiles = rowsOfFiles([
  ["NaN"],
  ["-0.0"],
  ["0.0"],
  ["-0.0", "0.0"],
  ["NaN", "1.5"],
  ["NaN", "-0.0"],
  ["Infinity"],
  ["-Infinity"],
  ["-Infinity", "NaN", "Infinity"],
  [null, "-0.0"],
  [null, "NaN"],
  ["-1.5", "1.5"]
])

/** Landed: JSON has neither NaN nor infinities, and its −0.0 is read as 0.0; bounds of zeros take in both. */
export const landedFiles = rowsOfFiles([
  ["-0.0"],
  ["0.0"],
  ["0.0", "-0.0"],
  ["-0.0", "-1.5"],
  ["1.5", "-0.0"],
  [null, "-0.0"],
  ["-1.5"],
  ["1.5"]
])

const namespace = "floats"
export const queried = { table: { namespace, name: "queried" }, files: queriedFiles, columns: ["d", "f"] } as const
export const landed = { table: { namespace, name: "landed" }, files: landedFiles, columns: ["d"] } as const

type Column = "d" | "f"

export const sqlTypeOf = (dialect: Dialect, column: Column): string =>
  column === "d" ? "DOUBLE" : dialect === "trino" ? "REAL" : "FLOAT"

export const literal = (dialect: Dialect, column: Column, value: string | null): string =>
  `CAST(${value === null ? "NULL" : `'${value}'`} AS ${sqlTypeOf(dialect, column)})`

export const writeQueried = Effect.gen(function* () {
  const catalog = yield* Catalog
  yield* catalog.createTable({
    identifier: queried.table,
    schema: {
      schemaId: 0,
      identifierFieldIds: [],
      fields: [
        { id: 1, name: "id", required: true, type: { _tag: "long" } },
        { id: 2, name: "d", required: false, type: { _tag: "double" } },
        { id: 3, name: "f", required: false, type: { _tag: "float" } }
      ]
    }
  })
  for (const rows of queriedFiles) {
    const selects = rows.map(
      ({ id, value }) =>
        `SELECT ${id} AS id, ${literal("duckdb", "d", value)} AS d, ${literal("duckdb", "f", value)} AS f`
    )
    yield* appendRows(queried.table, selects.join(" UNION ALL "))
  }
})

const numbers = Topic.make("numbers", {
  schema: Schema.Struct({ key: Field.text(), id: Field.int(), d: Field.optional(Field.double()) }),
  key: "key",
  partitions: 1
})

const landing = Landing.make(numbers, { table: `${namespace}.${landed.table.name}` })

export const writeLanded = Effect.gen(function* () {
  const log = yield* Log
  yield* log.ensureTopic({ name: numbers.name, partitions: numbers.partitions })
  for (const rows of landedFiles) {
    const builder = makeRecordBuilder()
    // by hand: JSON.stringify writes both zeros alike
    for (const { id, value } of rows) builder.addText(`{"key":"k","id":${id},"d":${value}}`, "k")
    const producer = yield* Effect.scoped(log.producer("test"))
    yield* producer.append(producer.nextSequence, [{ topic: numbers.name, partition: 0, records: builder.take() }])
    yield* runLanding(landing, { commitEveryMs: 1, inputComplete: () => Effect.succeed(true) })
  }
})

const comparisons = ["=", "<>", "<", "<=", ">", ">=", "not <"] as const
const values = { d: ["0.0", "-0.0", "1.5", "Infinity", "-Infinity", "NaN"], f: ["-0.0", "NaN"] } as const

export interface FloatQuestion {
  readonly name: string
  readonly column: Column
  readonly operator: (typeof comparisons)[number] | "is nan" | "is not nan" | "is null" | "in"
  readonly values: ReadonlyArray<string>
  readonly where: string
  /**
   * It takes no NaN to compare with. Nor is it asked about a zero in a set: there Arrow 26 takes both zeros for two numbers, and
   * for one in a Parquet file's statistics, so that it loses rows of files of its own as well.
   */
  readonly pyiceberg: boolean
}

const whereOf = (
  dialect: Dialect,
  column: Column,
  operator: FloatQuestion["operator"],
  of: ReadonlyArray<string>
): string => {
  const literals = of.map((value) => literal(dialect, column, value))
  const isNaN = dialect === "trino" ? "is_nan" : "isnan"
  switch (operator) {
    case "is nan":
      return `${isNaN}(${column})`
    case "is not nan":
      return `NOT ${isNaN}(${column})`
    case "is null":
      return `${column} IS NULL`
    case "in":
      return `${column} IN (${literals.join(", ")})`
    case "not <":
      return `NOT (${column} < ${literals[0]})`
    default:
      return `${column} ${operator} ${literals[0]}`
  }
}

export const questionsOf = (
  columns: ReadonlyArray<Column>,
  dialect: Dialect = "duckdb"
): ReadonlyArray<FloatQuestion> =>
  columns.flatMap((column) => {
    const question = (operator: FloatQuestion["operator"], ...of: ReadonlyArray<string>): FloatQuestion => ({
      name: `${column} ${operator} ${of.join(", ")}`,
      column,
      operator,
      values: of,
      where: whereOf(dialect, column, operator, of),
      pyiceberg: !of.includes("NaN") && !(operator === "in" && of.some((value) => value.endsWith("0.0")))
    })
    return [
      ...comparisons.flatMap((operator) => values[column].map((value) => question(operator, value))),
      question("in", "0.0", "Infinity"),
      question("in", "-0.0", "1.5"),
      question("in", "-1.5", "-Infinity"),
      ...(["is nan", "is not nan", "is null"] as const).map((operator) => question(operator))
    ]
  })

/** The question as a filter that scans leave files out by; undefined for what there is none for. */
export const filterOf = ({ column, operator, values: of }: FloatQuestion): Filter | undefined => {
  const numbersOf = of.map(Number)
  const compare = (by: Operator): Filter => ({ _tag: "Compare", column, operator: by, value: numbersOf[0]! })
  switch (operator) {
    case "is nan":
    case "is not nan":
      return undefined
    case "is null":
      return { _tag: "IsNull", column }
    case "in":
      return { _tag: "In", column, values: numbersOf }
    case "<>":
      return { _tag: "Not", filter: compare("=") }
    case "not <":
      return { _tag: "Not", filter: compare("<") }
    default:
      return compare(operator)
  }
}
