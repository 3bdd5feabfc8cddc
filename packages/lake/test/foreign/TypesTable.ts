/**
 * Tables of every type that we write, one for each mode of metrics, and what readers must find in them.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { partitionSpec, type PartitionBy } from "../../src/spec/PartitionSpec.ts"
import { branchAt, type Snapshot } from "../../src/spec/Snapshot.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setRef } from "../../src/write/TableAction.ts"
import { canonicalRows } from "./Canonical.ts"
import { literalOf } from "./Sweep.ts"
import { nestedCases, placeOf, typeCases, typesFiles, typesSchema, type TypeCase, type TypesRow } from "./TypeCases.ts"

export interface MetricsTable {
  readonly name: string
  /** Of `write.metadata.metrics.default`. */
  readonly metrics: string
  readonly deletes: "merge-on-read" | "copy-on-write"
  /** Of the format; 2 when left out. */
  readonly version?: 3
}

/** One for each mode of metrics, with the way in which rows are deleted of that table. */
export const metricsTables: ReadonlyArray<MetricsTable> = [
  { name: "without_metrics", metrics: "none", deletes: "merge-on-read" },
  { name: "counts", metrics: "counts", deletes: "copy-on-write" },
  { name: "truncated", metrics: "truncate(16)", deletes: "merge-on-read" },
  { name: "whole", metrics: "full", deletes: "copy-on-write" }
]

/** Of format version 3, with deletion vectors. */
export const vectorsTable: MetricsTable = {
  name: "vectors",
  metrics: "truncate(16)",
  deletes: "merge-on-read",
  version: 3
}

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

/** A branch from the same snapshot, with a row of its own. */
export const sideBranch = "side-branch"

const sideRow: TypesRow = { id: 100, value: 5, nested: 2 }

export const sideRows: ReadonlyArray<TypesRow> = [...allRows, sideRow]

export interface WrittenTypes {
  readonly name: string
  readonly columns: (each: TypeCase) => boolean
  /** The snapshot that has every row. */
  readonly all: Snapshot
}

/** Makes the table of these columns, divided by `by`, a file a commit and partition; deletes rows at the end. */
export const writeTypes = Effect.fnUntraced(function* (
  { deletes, metrics, name, version }: MetricsTable,
  columns: (each: TypeCase) => boolean = () => true,
  by: ReadonlyArray<PartitionBy> = []
) {
  const table = { namespace, name }
  const cases = typeCases.filter(columns)
  const left = new Set(typeCases.filter((each) => !columns(each)).map(({ column }) => column))
  const schema = { ...typesSchema, fields: typesSchema.fields.filter((field) => !left.has(field.name)) }
  const catalog = yield* Catalog
  yield* catalog.createTable({
    identifier: table,
    schema,
    partitionSpec: partitionSpec(schema, by),
    properties: new Map([
      ["write.metadata.metrics.default", metrics],
      ["write.delete.mode", deletes],
      ["format-version", String(version ?? 2)]
    ])
  })
  for (const rows of typesFiles) yield* appendRows(table, rowsSql(rows, cases))
  const all = currentSnapshot((yield* catalog.loadTable(table)).metadata)!
  const refs = [
    setRef(allTag, { ...branchAt(all.snapshotId), type: "tag" }),
    setRef(sideBranch, branchAt(all.snapshotId))
  ]
  yield* commitTable({ table, actions: () => Effect.succeed(refs) })
  yield* appendRows(table, rowsSql([sideRow], cases), { branch: sideBranch })
  // a later moment, so that the time of one snapshot is not another's
  yield* Effect.sleep("5 millis")
  yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })
  yield* deleteRows(table, {
    _tag: "And",
    filters: [
      { _tag: "Compare", column: "id", operator: ">", value: 3n },
      { _tag: "Compare", column: "id", operator: "<=", value: 6n }
    ]
  })
  const written: WrittenTypes = { name, columns, all }
  return written
})

/** Its files compacted, its manifests written anew, its snapshots expired but for the last one and those that refs name. */
export const keepUp = Effect.fnUntraced(function* (name: string) {
  const table = { namespace, name }
  const compacted = yield* compactTable(table, { inputFilesMin: 2 })
  assert.isBelow(compacted.filesAfter, compacted.filesBefore, name)
  yield* compactManifests(table, { all: true })
  const expired = yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 })
  assert.isAbove(expired.snapshotsExpired, 0, name)
})
