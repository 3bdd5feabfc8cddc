/**
 * Tables of every type that we write, one for each mode of metrics, and what readers must find in them.
 */
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setRef } from "../../src/write/TableAction.ts"
import { canonicalRows } from "./Canonical.ts"
import { literalOf } from "./Sweep.ts"
import { nestedCases, placeOf, typeCases, typesFiles, typesSchema, type TypeCase, type TypesRow } from "./TypeCases.ts"

/** Values of `write.metadata.metrics.default`, with the way in which rows are deleted of that table. */
export const metricsTables = [
  { name: "none", metrics: "none", deletes: "merge-on-read" },
  { name: "counts", metrics: "counts", deletes: "copy-on-write" },
  { name: "truncated", metrics: "truncate(16)", deletes: "merge-on-read" },
  { name: "whole", metrics: "full", deletes: "copy-on-write" }
] as const

export type MetricsTable = (typeof metricsTables)[number]

export const namespace = "types"

const rowsSql = (rows: ReadonlyArray<TypesRow>, cases: ReadonlyArray<TypeCase>): string =>
  rows
    .map((row) => {
      const plain = cases.map((each) => {
        const place = placeOf(row, each)
        const value = place === null ? "NULL" : literalOf("duckdb", each.type, each.values[place]!)
        return `${value} AS ${each.column}`
      })
      const nested = nestedCases.map(({ field, values }) => `${values[row.nested]![0]} AS ${field.name}`)
      return `SELECT ${[`${row.id} AS id`, ...plain, ...nested].join(", ")}`
    })
    .join(" UNION ALL ")

/**
 * Rows as every reader must give them, but PyIceberg 0.12: it reads a null list of structs as an empty one, in tables of its own
 * as well.
 */
export const expectedRows = (
  rows: ReadonlyArray<TypesRow>,
  reader: string,
  columns: ReadonlyArray<string> = typesSchema.fields.map(({ name }) => name)
): ReadonlyArray<string> =>
  canonicalRows(
    { fields: typesSchema.fields.filter(({ name }) => columns.includes(name)) },
    rows.map((row) => ({
      id: row.id,
      ...Object.fromEntries(
        typeCases.map((each) => {
          const place = placeOf(row, each)
          return [each.column, place === null ? null : each.values[place]]
        })
      ),
      ...Object.fromEntries(
        nestedCases.map(({ field, values }) => {
          const value = values[row.nested]![1]
          return [field.name, reader === "pyiceberg" && field.name === "n_deep" ? (value ?? []) : value]
        })
      )
    }))
  )

export const allRows: ReadonlyArray<TypesRow> = typesFiles.flat()

/** Rows that go at the end: one of a file that keeps others, and every row of another. */
const goes = ({ id }: TypesRow): boolean => id === 2 || (id > 3 && id <= 6)

export const keptRows: ReadonlyArray<TypesRow> = allRows.filter((row) => !goes(row))

/** Tag of the snapshot that has all rows. */
export const allTag = "all-rows"

/** Makes the table of these columns, a file a commit; deletes rows at the end. Gives the snapshot that has every row. */
export const writeTypes = Effect.fnUntraced(function* (
  { deletes, metrics, name }: MetricsTable,
  columns: (each: TypeCase) => boolean = () => true
) {
  const table = { namespace, name }
  const cases = typeCases.filter(columns)
  const left = new Set(typeCases.filter((each) => !columns(each)).map(({ column }) => column))
  const catalog = yield* Catalog
  yield* catalog.createTable({
    identifier: table,
    schema: { ...typesSchema, fields: typesSchema.fields.filter((field) => !left.has(field.name)) },
    properties: new Map([
      ["write.metadata.metrics.default", metrics],
      ["write.delete.mode", deletes]
    ])
  })
  for (const rows of typesFiles) yield* appendRows(table, rowsSql(rows, cases))
  const all = (yield* catalog.loadTable(table)).metadata.currentSnapshotId!
  yield* commitTable({ table, actions: () => Effect.succeed([setRef(allTag, { ...branchAt(all), type: "tag" })]) })
  yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })
  yield* deleteRows(table, {
    _tag: "And",
    filters: [
      { _tag: "Compare", column: "id", operator: ">", value: 3n },
      { _tag: "Compare", column: "id", operator: "<=", value: 6n }
    ]
  })
  return all
})
