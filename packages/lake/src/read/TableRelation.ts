/**
 * A planned scan as a DuckDB relation: SQL text over exactly the planned files, columns matched by field id.
 *
 * Renamed, reordered, promoted and added columns come out right, nested ones too, and rows that delete files mean do not
 * come. Files that DuckDB reads by itself are read in one scan; others in one for each layout and each set of delete files.
 */
import { Result } from "effect"
import { sqlName, sqlText } from "../io/DuckDb.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import { isVector } from "../spec/DataFile.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import type { TableSchema } from "../spec/Schema.ts"
import { lastUpdatedField, rowIdField } from "../spec/RowLineage.ts"
import { isPrimitive, type NestedField } from "../spec/Type.ts"
import type { DeleteEntry } from "./DeletesOf.ts"
import { type Constants, constantsOf, noConstants } from "./PartitionConstants.ts"
import type { PhysicalField } from "./PhysicalSchema.ts"
import type { ScanPlan } from "./PlanScan.ts"
import { projectedColumn } from "./Projection.ts"
import { columnName, equalityAntiJoin, positionAntiJoin } from "./RelationDeletes.ts"
import { duckDbType, fileText } from "./RelationFiles.ts"
import { vectorAntiJoin } from "./Vectors.ts"

const mapEntry = ({ id, type }: Pick<NestedField, "id" | "type">, name: string): string =>
  `${id}: {'name': ${sqlText(name)}, 'type': ${sqlText(duckDbType(type))}, 'default_value': NULL}`

const filesOf = ({ copies }: ScanPlan, uris: ReadonlyArray<string>): string =>
  `[${uris.map((uri) => fileText(uri, copies)).join(", ")}], hive_partitioning = false`

const scanOf = (plan: ScanPlan, uris: ReadonlyArray<string>, schema: ReadonlyArray<string>): string =>
  `read_parquet(${filesOf(plan, uris)}, schema = MAP {${schema.join(", ")}})`

/** No rows, typed. */
export const emptyRelation = (schema: TableSchema): string => {
  const columns = schema.fields.map((field) => `NULL::${duckDbType(field.type)} AS ${sqlName(field.name)}`)
  return `SELECT ${columns.join(", ")} WHERE false`
}

const unsupported = (plan: ScanPlan, what: string): Result.Result<never, LakeError> =>
  Result.fail(
    new LakeError({
      reason: "Unsupported",
      message: `table ${plan.metadata.location}: ${what}; read it with another engine`
    })
  )

/**
 * A SELECT of all columns in the schema's order, to be used as `(…) AS name`. No files give a typed, empty relation.
 *
 * **Gotchas**: timestamps with zone print in the session's time zone.
 */
export const tableRelation = (plan: ScanPlan): Result.Result<string, LakeError> =>
  relationOf(plan, plan.entries, nothingMore)

/** What a scan `d` of some entries gives besides the schema's columns. */
interface More {
  /** Columns that it is made of, by `columnName`. */
  readonly fields: ReadonlyArray<NestedField>
  readonly sql: (entries: ReadonlyArray<ManifestEntry>) => string
}

const nothingMore: More = { fields: [], sql: () => "" }

const relationOf = (
  plan: ScanPlan,
  all: ReadonlyArray<ManifestEntry>,
  more: More
): Result.Result<string, LakeError> => {
  if (plan.schema.fields.length === 0) return unsupported(plan, "it has no columns")
  if (all.length === 0) return Result.succeed(emptyRelation(plan.schema))
  const groups = Map.groupBy(all, (entry) => `${setOf(plan.deletes.get(entry) ?? [])}\n${layoutOf(plan, entry)}`)
  const parts = Array.from(groups.values(), (entries) => scanOfGroup(plan, entries, more))
  return Result.map(Result.all(parts), (scans) => scans.join(" UNION ALL "))
}

/** What partitions say of columns that the entry's file lacks; only known where its columns are. */
const constantsIn = ({ metadata, physical }: ScanPlan, entry: ManifestEntry): Constants => {
  const columns = physical.get(entry.dataFile.filePath)
  return columns === undefined ? noConstants : constantsOf(metadata, entry, columns)
}

/** Equal for files with the same columns, and the same values of those that they lack. */
const layoutOf = (plan: ScanPlan, entry: ManifestEntry): string =>
  JSON.stringify([plan.physical.get(entry.dataFile.filePath) ?? null, ...constantsIn(plan, entry)])

/** Names that no table's columns are expected to have. */
export const fileColumn = `"frazil file"`
export const rowColumn = `"frazil row"`

/** The same with two columns more, for whoever changes rows: which of `plan.entries` the row lies in, and where in it. */
export const positionsRelation = (plan: ScanPlan): Result.Result<string, LakeError> =>
  Result.map(
    Result.all(
      plan.entries.map((entry) =>
        relationOf(plan, [entry], { fields: [], sql: () => `, d.file_row_number AS ${rowColumn}` })
      )
    ),
    (scans) => scans.map((scan, file) => `SELECT *, ${file} AS ${fileColumn} FROM (${scan})`).join(" UNION ALL ")
  )

const constants = (values: ReadonlyArray<bigint | null | undefined>): string =>
  `([${values.map((value) => value ?? "NULL").join(", ")}]::BIGINT[])[d.file_index::BIGINT + 1]`

/** Of moved rows the file says id and last change, of others their file's place in the table ("Row lineage assignment"). */
const lineage: More = {
  fields: [rowIdField, lastUpdatedField],
  sql: (entries) => {
    const first = constants(entries.map(({ dataFile }) => dataFile.firstRowId))
    const changed = constants(
      entries.map(({ dataFile, sequenceNumber }) => (dataFile.firstRowId === undefined ? null : sequenceNumber))
    )
    return `, coalesce(d.${columnName(rowIdField.id)}, ${first} + d.file_row_number) AS ${sqlName(rowIdField.name)}, coalesce(d.${columnName(lastUpdatedField.id)}, ${changed}) AS ${sqlName(lastUpdatedField.name)}`
  }
}

/** The same with the reserved columns of row lineage, for whoever moves rows to other files. Format version 3. */
export const lineageRelation = (plan: ScanPlan): Result.Result<string, LakeError> =>
  relationOf(plan, plan.entries, lineage)

const scanOfGroup = (
  plan: ScanPlan,
  entries: ReadonlyArray<ManifestEntry>,
  more: More
): Result.Result<string, LakeError> => {
  const [first] = entries
  const deletes = first === undefined ? [] : (plan.deletes.get(first) ?? [])
  const columns = first === undefined ? undefined : plan.physical.get(first.dataFile.filePath)
  return deletes.length === 0 && columns === undefined && more.fields.length === 0
    ? Result.succeed(plainScan(plan, entries, more))
    : scanByIds(plan, entries, deletes, columns, more)
}

const plainScan = (plan: ScanPlan, entries: ReadonlyArray<ManifestEntry>, more: More): string => {
  const { fields } = plan.schema
  const uris = entries.map(({ dataFile }) => dataFile.filePath)
  if (plan.asDeclared === true) {
    // the casts do nothing, and DuckDB drops them: they say what is relied on
    const columns = fields.map(({ name, type }) => `${sqlName(name)}::${duckDbType(type)} AS ${sqlName(name)}`)
    return `SELECT ${columns.join(", ")}${more.sql(entries)} FROM read_parquet(${filesOf(plan, uris)}) AS d`
  }
  const columns = fields.map((field) => sqlName(field.name)).join(", ")
  const schema = fields.map((field) => mapEntry(field, field.name))
  return `SELECT ${columns}${more.sql(entries)} FROM ${scanOf(plan, uris, schema)} AS d`
}

/** Equal for entries that the same delete files apply to. Entries with deletion vectors, one each, are read together. */
const setOf = (deletes: ReadonlyArray<DeleteEntry>): string =>
  deletes.map(({ dataFile }) => (isVector(dataFile) ? "vector" : dataFile.filePath)).join("\n")

/** A column by its id: of the schema that is read, or of the newest one that has it. */
const fieldOf = (plan: ScanPlan, id: number): NestedField | undefined =>
  [plan.schema, ...plan.metadata.schemas.toReversed()].flatMap(({ fields }) => fields).find((field) => field.id === id)

/** A scan that names columns by their ids: what deletes are joined with, and what a projection gives. */
const scanByIds = (
  plan: ScanPlan,
  entries: ReadonlyArray<ManifestEntry>,
  deletes: ReadonlyArray<DeleteEntry>,
  physical: ReadonlyArray<PhysicalField> | undefined,
  more: More
): Result.Result<string, LakeError> => {
  const files = deletes.map(({ dataFile }) => dataFile).filter((file) => !isVector(file))
  const vectors = entries.map((entry) => plan.vectors?.get(entry))
  if (files.length < deletes.length && vectors.includes(undefined)) {
    throw new TypeError("a deletion vector of the plan was not read")
  }
  const positions = files.filter(({ content }) => content === "position-deletes")
  const equalities = Map.groupBy(
    files.filter(({ content }) => content === "equality-deletes"),
    ({ equalityIds }) => equalityIds.toSorted((a, b) => a - b).join(",")
  )
  const uris = entries.map(({ dataFile }) => dataFile.filePath)
  const joins = positions.length === 0 ? [] : [positionAntiJoin(positions, plan.copies, uris, "p")]
  if (files.length < deletes.length) joins.push(vectorAntiJoin(vectors, "v"))
  const hidden = new Map(more.fields.map((field) => [field.id, field]))
  for (const [index, group] of Array.from(equalities.values()).entries()) {
    const ids = group[0]!.equalityIds
    const fields = ids.map((id) => fieldOf(plan, id))
    const columns = fields.filter(
      (field) => field !== undefined && isPrimitive(field.type)
    ) as ReadonlyArray<NestedField> // narrowed by the filter
    if (ids.length === 0 || columns.length < ids.length) {
      return unsupported(plan, "it has equality deletes by nested columns, or by columns that no schema of it has")
    }
    for (const field of columns) hidden.set(field.id, field)
    joins.push(
      equalityAntiJoin(
        group,
        plan.copies,
        columns.map(({ id, type }) => [id, duckDbType(type)] as const),
        `e${index}`
      )
    )
  }
  for (const { id } of plan.schema.fields) hidden.delete(id)
  const scan = scanColumns(plan, entries, [...plan.schema.fields, ...hidden.values()], physical)
  const columns = plan.schema.fields.map(({ id, name }) => `d.${columnName(id)} AS ${sqlName(name)}`).join(", ")
  return Result.map(scan, (rows) => `SELECT ${columns}${more.sql(entries)} FROM ${rows} AS d ${joins.join(" ")}`)
}

/** The files' rows with these fields, each under the name that its id gives. */
const scanColumns = (
  plan: ScanPlan,
  entries: ReadonlyArray<ManifestEntry>,
  fields: ReadonlyArray<NestedField>,
  physical: ReadonlyArray<PhysicalField> | undefined
): Result.Result<string, LakeError> => {
  const uris = entries.map(({ dataFile }) => dataFile.filePath)
  if (physical === undefined) {
    return Result.succeed(
      scanOf(
        plan,
        uris,
        fields.map((field) => mapEntry(field, columnName(field.id)))
      )
    )
  }
  const hiding = physical.find(({ name }) => ["file_index", "file_row_number"].includes(name.toLowerCase()))
  if (hiding !== undefined) return unsupported(plan, `files have a column ${hiding.name}`)
  return Result.try({
    try: () => {
      const [first] = entries
      const constants = first === undefined ? noConstants : constantsIn(plan, first)
      const columns = fields.map((field) => `${projectedColumn(field, physical, constants)} AS ${columnName(field.id)}`)
      return `(SELECT ${columns.join(", ")}, file_index, file_row_number FROM read_parquet(${filesOf(plan, uris)}) AS s)`
    },
    catch: fromFormat("table", plan.metadata.location)
  })
}
