/**
 * Data and delete files as rows of metadata tables: the columns that `files` and `entries` share, and readable metrics.
 *
 * Pure. Columns are Java's. Partitions of all specs have one type: each field once, by its id. What is hidden is left out
 * wherever it could be read: bounds, sizes, partition values, and paths that hold such values.
 */
import { sqlName } from "../../io/DuckDb.ts"
import {
  type ContentFile,
  type DataFile,
  type DeleteFile,
  deletePathId,
  type PartitionValue
} from "../../spec/DataFile.ts"
import type { JsonObject, JsonValue } from "../../spec/Json.ts"
import { bindInTable, type BoundPartitionField } from "../../spec/PartitionSpec.ts"
import { leafFields, type FieldEntry, type TableSchema } from "../../spec/Schema.ts"
import { singleValueFromBytes } from "../../spec/SingleValue.ts"
import { currentSchema, type TableMetadata } from "../../spec/TableMetadata.ts"
import type { PrimitiveType } from "../../spec/Type.ts"
import { duckDbType } from "../RelationFiles.ts"
import { blobText, castText } from "./ValueText.ts"

/** A column's name and its DuckDB type. */
export type Column = readonly [name: string, type: string]

export const structOf = (columns: ReadonlyArray<Column>): string =>
  `STRUCT(${columns.map(([name, type]) => `${sqlName(name)} ${type}`).join(", ")})`

interface PartitionColumn {
  readonly fieldId: number
  readonly sourceId: number
  readonly name: string
  readonly type: PrimitiveType
}

/** What rows of a table's files are made with. */
export interface FileColumns {
  readonly metadata: TableMetadata
  /** The partition fields of all specs. */
  readonly partition: ReadonlyArray<PartitionColumn>
  readonly leaves: ReadonlyArray<FieldEntry & { readonly type: PrimitiveType }>
  /** Ids of fields that nothing but counts is told of, those within them too. */
  readonly hidden: ReadonlySet<number>
  /** Whether the values of a hidden field are partition values: paths hold them then. */
  readonly pathsHidden: boolean
}

const withChildren = (schemas: ReadonlyArray<TableSchema>, hidden: ReadonlySet<number>): ReadonlySet<number> => {
  const ids = new Set(hidden)
  for (const { fields, ...schema } of schemas) {
    const whole = fields.filter(({ id }) => hidden.has(id))
    for (const { id } of leafFields({ ...schema, fields: whole })) ids.add(id)
  }
  return ids
}

const partitionColumns = ({ partitionSpecs, schemas }: TableMetadata): ReadonlyArray<PartitionColumn> => {
  const byId = new Map<number, PartitionColumn>()
  for (const spec of partitionSpecs) {
    for (const { fieldId, name, sourceId, transform, type } of bindInTable(spec, schemas)) {
      // a field that was taken out by `void` keeps the name and type that it had
      if (type === undefined || (transform._tag === "void" && byId.has(fieldId))) continue
      byId.set(fieldId, { fieldId, sourceId, name, type })
    }
  }
  const names = new Set<string>()
  return [...byId.values()]
    .sort((a, b) => a.fieldId - b.fieldId)
    .map((column) => {
      // a name that was used again after its field had gone
      const name = names.has(column.name.toLowerCase()) ? `${column.name}_${column.fieldId}` : column.name
      names.add(name.toLowerCase())
      return { ...column, name }
    })
}

export const fileColumns = (metadata: TableMetadata, hiddenFieldIds: ReadonlySet<number>): FileColumns => {
  const hidden = withChildren(metadata.schemas, hiddenFieldIds)
  return {
    metadata,
    partition: partitionColumns(metadata),
    leaves: leafFields(currentSchema(metadata)),
    hidden,
    pathsHidden: metadata.partitionSpecs.some(({ fields }) => fields.some(({ sourceId }) => hidden.has(sourceId)))
  }
}

/** Undefined for a table that was never partitioned: DuckDB has no empty struct, and Java leaves the column out too. */
export const partitionColumn = ({ partition }: FileColumns): ReadonlyArray<Column> =>
  partition.length === 0
    ? []
    : [["partition", structOf(partition.map(({ name, type }) => [name, duckDbType(type)] as const))]]

const longs = "MAP(INTEGER, BIGINT)"
const bounds = "MAP(INTEGER, BLOB)"

/** What a file is told by, in `files` and in `entries`; the latter has the spec's id in the file too, as Java. */
export const contentColumns = (columns: FileColumns): ReadonlyArray<Column> => [
  ["content", "INTEGER"],
  ["file_path", "VARCHAR"],
  ["file_format", "VARCHAR"],
  ["spec_id", "INTEGER"],
  ...partitionColumn(columns),
  ["record_count", "BIGINT"],
  ["file_size_in_bytes", "BIGINT"],
  ["column_sizes", longs],
  ["value_counts", longs],
  ["null_value_counts", longs],
  ["nan_value_counts", longs],
  ["lower_bounds", bounds],
  ["upper_bounds", bounds],
  // encrypted files are not read here
  ["key_metadata", "BLOB"],
  ["split_offsets", "BIGINT[]"],
  ["equality_ids", "INTEGER[]"],
  ["sort_order_id", "INTEGER"],
  ["referenced_data_file", "VARCHAR"],
  ["content_offset", "BIGINT"],
  ["content_size_in_bytes", "BIGINT"]
]

/** Of each primitive column of the current schema, nested ones by their full names: metrics as values of its type. */
export const metricsColumn = ({ leaves }: FileColumns): ReadonlyArray<Column> => [
  [
    "readable_metrics",
    structOf(
      leaves.map(({ path, type }) => [
        path.join("."),
        structOf([
          ["column_size", "BIGINT"],
          ["value_count", "BIGINT"],
          ["null_value_count", "BIGINT"],
          ["nan_value_count", "BIGINT"],
          ["lower_bound", duckDbType(type)],
          ["upper_bound", duckDbType(type)]
        ])
      ])
    )
  ]
]

const valueJson = (type: PrimitiveType, value: PartitionValue): JsonValue =>
  value === null ? null : castText(type, value)

/** A file's partition in the fields of all specs; null where its own spec has none. */
export const partitionJson = (
  { hidden, partition }: FileColumns,
  bound: ReadonlyArray<BoundPartitionField>,
  values: ReadonlyArray<PartitionValue>
): JsonObject => {
  const at = new Map(bound.map(({ fieldId }, i) => [fieldId, i]))
  return Object.fromEntries(
    partition.map(({ fieldId, name, sourceId, type }) => {
      const index = at.get(fieldId)
      const own = index === undefined ? undefined : bound[index]?.type
      const value = index === undefined || own === undefined ? null : (values[index] ?? null)
      return [name, hidden.has(sourceId) ? null : valueJson(type, value)]
    })
  )
}

const mapJson = <A>(
  map: ReadonlyMap<number, A>,
  hidden: (id: number) => boolean,
  toJson: (value: A) => JsonValue
): JsonObject | null => {
  const entries = [...map].filter(([id]) => !hidden(id)).map(([id, value]) => [String(id), toJson(value)] as const)
  return map.size === 0 ? null : Object.fromEntries(entries)
}

const same = (count: bigint): bigint => count

const contents = ["data", "position-deletes", "equality-deletes"] as const

const deleteFile = (file: DataFile | DeleteFile): DeleteFile | undefined => ("content" in file ? file : undefined)

export const contentJson = (
  columns: FileColumns,
  bound: ReadonlyArray<BoundPartitionField>,
  file: DataFile | DeleteFile
): JsonObject => {
  const deletes = deleteFile(file)
  const isHidden = (id: number) => columns.hidden.has(id)
  const isHiddenBound = (id: number) => isHidden(id) || (columns.pathsHidden && id === deletePathId)
  return {
    content: deletes === undefined ? 0 : contents.indexOf(deletes.content),
    file_path: columns.pathsHidden ? null : file.filePath,
    file_format: file.fileFormat,
    spec_id: file.specId,
    partition: partitionJson(columns, bound, file.partition),
    record_count: file.recordCount,
    file_size_in_bytes: file.fileSizeInBytes,
    column_sizes: mapJson(file.columnSizes, isHidden, same),
    value_counts: mapJson(file.valueCounts, () => false, same),
    null_value_counts: mapJson(file.nullValueCounts, () => false, same),
    nan_value_counts: mapJson(file.nanValueCounts, isHidden, same),
    lower_bounds: mapJson(file.lowerBounds, isHiddenBound, blobText),
    upper_bounds: mapJson(file.upperBounds, isHiddenBound, blobText),
    key_metadata: null,
    split_offsets: file.splitOffsets.length === 0 ? null : file.splitOffsets,
    equality_ids: deletes === undefined || deletes.equalityIds.length === 0 ? null : deletes.equalityIds,
    sort_order_id: file.sortOrderId,
    referenced_data_file: columns.pathsHidden ? null : (deletes?.referencedDataFile ?? null),
    content_offset: deletes?.contentOffset ?? null,
    content_size_in_bytes: deletes?.contentSizeInBytes ?? null
  }
}

/** FormatError when a bound is none of its column's type. */
export const metricsJson = ({ hidden, leaves }: FileColumns, file: ContentFile): JsonObject =>
  Object.fromEntries(
    leaves.map(({ id, path, type }) => {
      const seen = hidden.has(id) ? undefined : file
      const bound = (bytes: Uint8Array | undefined) =>
        bytes === undefined ? null : castText(type, singleValueFromBytes(type, bytes))
      return [
        path.join("."),
        {
          column_size: seen?.columnSizes.get(id) ?? null,
          value_count: file.valueCounts.get(id) ?? null,
          null_value_count: file.nullValueCounts.get(id) ?? null,
          nan_value_count: seen?.nanValueCounts.get(id) ?? null,
          lower_bound: bound(seen?.lowerBounds.get(id)),
          upper_bound: bound(seen?.upperBounds.get(id))
        }
      ]
    })
  )
