/**
 * Manifests as Avro files, versions 2 and 3 (specification, "Manifest Entry Fields", "Data File Fields").
 *
 * Encoded by the append action, decoded by scans; decoding also takes manifests of version 1 that a table kept when it was upgraded.
 */
import { corrupt, unsupported } from "../spec/FormatError.ts"
import { printJson, type JsonValue } from "../spec/Json.ts"
import { printedOnce } from "../spec/JsonBytes.ts"
import type { ContentFile, DataFile, DeleteFile, PartitionValue } from "../spec/DataFile.ts"
import { type AnyEntry, entryStatuses, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import { partitionFieldsToJson, type BoundPartitionField, type PartitionSpec } from "../spec/PartitionSpec.ts"
import { schemaToJson, type TableSchema } from "../spec/Schema.ts"
import { bigintFromBytes, bigintToBytes, uuidFromBytes, uuidToBytes } from "../spec/SingleValue.ts"
import type { MapType, NestedField, PrimitiveType, Type } from "../spec/Type.ts"
import { avroSchemaOf, decimalBytes } from "./AvroSchemaOf.ts"
import {
  asBytes,
  asInt,
  asIntMap,
  asList,
  asLong,
  asOptional,
  asRecord,
  asText,
  refuseEncrypted,
  renameById
} from "./AvroFields.ts"
import { byPartition, indexed, readBlockIndex } from "./BlockIndex.ts"
import { checkEntries, checkRows } from "./CheckEntries.ts"
import {
  type AvroLayout,
  avroLayout,
  decodeAvroFile,
  encodeAvroFile,
  type Picker,
  type Select
} from "./avro/AvroFile.ts"
import type { AvroRecord, AvroValue } from "./avro/AvroValue.ts"
import { entryPicker, type EntryPick } from "./EntryPick.ts"

const field = (id: number, name: string, required: boolean, type: Type): NestedField => ({ id, name, required, type })

const int: Type = { _tag: "int" }
const long: Type = { _tag: "long" }
const text: Type = { _tag: "string" }
const binary: Type = { _tag: "binary" }

const intMap = (keyId: number, valueId: number, value: Type): MapType => ({
  _tag: "map",
  keyId,
  key: int,
  valueId,
  valueRequired: true,
  value
})

const dataFileFields = (partition: ReadonlyArray<NestedField>): ReadonlyArray<NestedField> => [
  field(134, "content", true, int),
  field(100, "file_path", true, text),
  field(101, "file_format", true, text),
  field(102, "partition", true, { _tag: "struct", fields: partition }),
  field(103, "record_count", true, long),
  field(104, "file_size_in_bytes", true, long),
  field(108, "column_sizes", false, intMap(117, 118, long)),
  field(109, "value_counts", false, intMap(119, 120, long)),
  field(110, "null_value_counts", false, intMap(121, 122, long)),
  field(137, "nan_value_counts", false, intMap(138, 139, long)),
  field(125, "lower_bounds", false, intMap(126, 127, binary)),
  field(128, "upper_bounds", false, intMap(129, 130, binary)),
  field(131, "key_metadata", false, binary),
  field(132, "split_offsets", false, { _tag: "list", elementId: 133, elementRequired: true, element: long }),
  field(135, "equality_ids", false, { _tag: "list", elementId: 136, elementRequired: true, element: int }),
  field(140, "sort_order_id", false, int)
]

/** Of delete files besides: older readers need not know them. */
const deleteFileFields: ReadonlyArray<NestedField> = [field(143, "referenced_data_file", false, text)]
/** Of data files in format version 3. */
const rowIdField = field(142, "first_row_id", false, long)
/** Of deletion vectors, which format version 3 has. */
const vectorFields: ReadonlyArray<NestedField> = [
  field(144, "content_offset", false, long),
  field(145, "content_size_in_bytes", false, long)
]

const entryFields = (fileFields: ReadonlyArray<NestedField>): ReadonlyArray<NestedField> => [
  field(0, "status", true, int),
  field(1, "snapshot_id", false, long),
  field(3, "sequence_number", false, long),
  field(4, "file_sequence_number", false, long),
  field(2, "data_file", true, { _tag: "struct", fields: fileFields })
]

const names: ReadonlyMap<number, string> = new Map(
  [...entryFields([]), ...dataFileFields([]), ...deleteFileFields, ...vectorFields, rowIdField].map((each) => [
    each.id,
    each.name
  ])
)

/** Partition fields are named by their ids in memory: their names in a file are sanitised, and may have changed since. */
const partitionKey = (fieldId: number): string => `partition-${fieldId}`

const nameById = (partition: ReadonlyArray<{ readonly fieldId: number }>) => {
  const partitionIds = new Set(partition.map((each) => each.fieldId))
  return (id: number) => (partitionIds.has(id) ? partitionKey(id) : names.get(id))
}

/** What manifests have besides, by what they hold. */
const fieldsOf = {
  data2: [],
  data3: [rowIdField],
  deletes: deleteFileFields,
  vectors: [...deleteFileFields, ...vectorFields]
} as const satisfies Readonly<Record<string, ReadonlyArray<NestedField>>>

type ManifestKind = keyof typeof fieldsOf

/** Layouts by partition and kind: commits write manifests of few. */
const layouts = new WeakMap<ReadonlyArray<BoundPartitionField>, Map<ManifestKind, AvroLayout<AvroValue>>>()

const layoutOf = (partition: ReadonlyArray<BoundPartitionField>, kind: ManifestKind): AvroLayout<AvroValue> => {
  const ofPartition = layouts.get(partition) ?? new Map<ManifestKind, AvroLayout<AvroValue>>()
  layouts.set(partition, ofPartition)
  const known = ofPartition.get(kind)
  if (known !== undefined) return known
  const nameOf = nameById(partition)
  const layout = avroLayout(manifestSchema(partition, fieldsOf[kind]), (type) => renameById(type, nameOf))
  ofPartition.set(kind, layout)
  return layout
}

/** The Avro schema of a manifest of a spec. A partition field of an unknown transform cannot be written. */
const manifestSchema = (partition: ReadonlyArray<BoundPartitionField>, more: ReadonlyArray<NestedField>): JsonValue => {
  const fields = partition.map((each) => {
    if (each.type === undefined) throw new TypeError(`partition field ${each.name} has no known type`)
    return field(each.fieldId, each.name, false, each.type)
  })
  return avroSchemaOf("manifest_entry", entryFields([...dataFileFields(fields), ...more]))
}

const hasVector = ({ dataFile }: AnyEntry): boolean => isDeleteFile(dataFile) && dataFile.contentOffset !== null

const signExtended = (value: bigint, size: number): Uint8Array => {
  const bytes = bigintToBytes(value)
  const out = new Uint8Array(size).fill(value < 0n ? 0xff : 0)
  out.set(bytes, size - bytes.length)
  return out
}

const partitionToAvro = (type: PrimitiveType, value: PartitionValue): AvroValue => {
  if (type._tag === "decimal" && typeof value === "bigint") return signExtended(value, decimalBytes(type.precision))
  if (type._tag === "uuid" && typeof value === "string") return uuidToBytes(value) ?? null
  return value
}

const partitionFromAvro = (type: PrimitiveType | undefined, value: AvroValue | undefined): PartitionValue => {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) {
    if (type?._tag === "decimal") return bigintFromBytes(value)
    return type?._tag === "uuid" && value.length === 16 ? uuidFromBytes(value) : value
  }
  // Written before int was promoted to long.
  if (type?._tag === "long" && typeof value === "number") return BigInt(value)
  return typeof value === "object" ? corrupt("partition", "is no single value") : value
}

const mapToAvro = (map: ReadonlyMap<number, bigint | Uint8Array>): AvroValue =>
  map.size === 0 ? null : Array.from(map, ([key, value]) => ({ key, value }))

const contents = ["data", "position-deletes", "equality-deletes"] as const

const isDeleteFile = (file: DataFile | DeleteFile): file is DeleteFile => "content" in file

const deletesToAvro = (file: DataFile | DeleteFile): AvroRecord =>
  isDeleteFile(file)
    ? {
        content: contents.indexOf(file.content),
        file_format: file.fileFormat,
        equality_ids: file.equalityIds.length === 0 ? null : file.equalityIds,
        referenced_data_file: file.referencedDataFile,
        content_offset: file.contentOffset,
        content_size_in_bytes: file.contentSizeInBytes
      }
    : { content: 0, file_format: file.fileFormat, first_row_id: file.firstRowId ?? null }

const fileToAvro = (file: DataFile | DeleteFile, partition: ReadonlyArray<BoundPartitionField>): AvroRecord => ({
  ...deletesToAvro(file),
  file_path: file.filePath,
  partition: Object.fromEntries(
    partition.map((each, i) => [
      partitionKey(each.fieldId),
      each.type === undefined ? null : partitionToAvro(each.type, file.partition[i] ?? null)
    ])
  ),
  record_count: file.recordCount,
  file_size_in_bytes: file.fileSizeInBytes,
  column_sizes: mapToAvro(file.columnSizes),
  value_counts: mapToAvro(file.valueCounts),
  null_value_counts: mapToAvro(file.nullValueCounts),
  nan_value_counts: mapToAvro(file.nanValueCounts),
  lower_bounds: mapToAvro(file.lowerBounds),
  upper_bounds: mapToAvro(file.upperBounds),
  split_offsets: file.splitOffsets.length === 0 ? null : file.splitOffsets,
  sort_order_id: file.sortOrderId
})

/** What a manifest is written with. `partition` are the spec's fields bound to `schema`. */
export interface ManifestLayout {
  /** That of the table; 2 when left out. */
  readonly formatVersion?: number
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  readonly partition: ReadonlyArray<BoundPartitionField>
}

const schemaText = printedOnce(schemaToJson)

/** Encodes a manifest of data files, or of delete files, all of the layout's spec. */
export const encodeManifest = (
  layout: ManifestLayout,
  entries: ReadonlyArray<AnyEntry>,
  content: ManifestFile["content"] = "data"
): Uint8Array => {
  const version = layout.formatVersion ?? 2
  const header = new Map([
    ["schema", schemaText(layout.schema)],
    ["schema-id", String(layout.schema.schemaId)],
    ["partition-spec", printJson(partitionFieldsToJson(layout.spec))],
    ["partition-spec-id", String(layout.spec.specId)],
    ["format-version", String(version)],
    ["content", content]
  ])
  const values = entries.map((entry) => ({
    status: entryStatuses.indexOf(entry.status),
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequenceNumber,
    file_sequence_number: entry.fileSequenceNumber,
    data_file: fileToAvro(entry.dataFile, layout.partition)
  }))
  const ofData = version < 3 ? "data2" : "data3"
  const ofDeletes = entries.some(hasVector) ? "vectors" : "deletes"
  const kind = content === "data" ? ofData : ofDeletes
  return encodeAvroFile(layoutOf(layout.partition, kind), header, values, byPartition(entries, layout.partition))
}

const tupleFromAvro = (
  value: AvroValue | undefined,
  where: string,
  partition: ReadonlyArray<BoundPartitionField>
): ContentFile["partition"] => {
  const values = asRecord(value, where)
  return partition.map((each) => partitionFromAvro(each.type, values[partitionKey(each.fieldId)]))
}

const pathOf = (record: AvroRecord, where: string): string => asText(record["file_path"], `${where}.file_path`)

const readContentFile = (
  record: AvroRecord,
  where: string,
  specId: number,
  partition: ReadonlyArray<BoundPartitionField>
): ContentFile => {
  const filePath = pathOf(record, where)
  refuseEncrypted(record["key_metadata"], where, "file", filePath)
  return {
    filePath,
    specId,
    partition: tupleFromAvro(record["partition"], `${where}.partition`, partition),
    recordCount: asLong(record["record_count"], `${where}.record_count`),
    fileSizeInBytes: asLong(record["file_size_in_bytes"], `${where}.file_size_in_bytes`),
    columnSizes: asIntMap(record["column_sizes"], `${where}.column_sizes`, asLong),
    valueCounts: asIntMap(record["value_counts"], `${where}.value_counts`, asLong),
    nullValueCounts: asIntMap(record["null_value_counts"], `${where}.null_value_counts`, asLong),
    nanValueCounts: asIntMap(record["nan_value_counts"], `${where}.nan_value_counts`, asLong),
    lowerBounds: asIntMap(record["lower_bounds"], `${where}.lower_bounds`, asBytes),
    upperBounds: asIntMap(record["upper_bounds"], `${where}.upper_bounds`, asBytes),
    splitOffsets:
      asOptional(record["split_offsets"], `${where}.split_offsets`, asList)?.map((offset) => asLong(offset, where)) ??
      [],
    sortOrderId: asOptional(record["sort_order_id"], `${where}.sort_order_id`, asInt)
  }
}

type ReadFile<File extends ContentFile> = (
  record: AvroRecord,
  where: string,
  specId: number,
  partition: ReadonlyArray<BoundPartitionField>
) => File

const contentOf = (record: AvroRecord, where: string): (typeof contents)[number] =>
  contents[asOptional(record["content"], `${where}.content`, asInt) ?? 0] ??
  corrupt(`${where}.content`, "is none of 0, 1, 2")

const formatOf = (record: AvroRecord, where: string): string =>
  asText(record["file_format"], `${where}.file_format`).toUpperCase()

const readDataFile: ReadFile<DataFile> = (record, where, specId, partition) => {
  if (contentOf(record, where) !== "data") unsupported(`${where}: a delete file among data files`)
  const format = formatOf(record, where)
  if (format !== "PARQUET") {
    unsupported(`${where}: a data file of format ${format}; Parquet is read here, not ${pathOf(record, where)}`)
  }
  const firstRowId = asOptional(record["first_row_id"], `${where}.first_row_id`, asLong)
  const file = readContentFile(record, where, specId, partition)
  return { ...file, fileFormat: "PARQUET", ...(firstRowId === null ? {} : { firstRowId }) }
}

const readDeleteFile: ReadFile<DeleteFile> = (record, where, specId, partition) => {
  const content = contentOf(record, where)
  if (content === "data") return corrupt(`${where}.content`, "is a data file among delete files")
  const format = formatOf(record, where)
  if (format !== "PARQUET" && format !== "PUFFIN") {
    const path = pathOf(record, where)
    return unsupported(`${where}: a delete file of format ${format}; Parquet and Puffin are read here, not ${path}`)
  }
  return {
    ...readContentFile(record, where, specId, partition),
    content,
    fileFormat: format,
    equalityIds:
      asOptional(record["equality_ids"], `${where}.equality_ids`, asList)?.map((id) => asInt(id, where)) ?? [],
    referencedDataFile: asOptional(record["referenced_data_file"], `${where}.referenced_data_file`, asText),
    contentOffset: asOptional(record["content_offset"], `${where}.content_offset`, asLong),
    contentSizeInBytes: asOptional(record["content_size_in_bytes"], `${where}.content_size_in_bytes`, asLong)
  }
}

/** A sequence number as it stands, or inherited from the list: by added entries only. */
const inherited = (value: AvroValue | undefined, status: string, manifest: ManifestFile, where: string): bigint => {
  const own = asOptional(value, where, asLong)
  if (own !== null) return own
  if (status === "added" || manifest.sequenceNumber === 0n) return manifest.sequenceNumber
  return corrupt(where, `is null in an entry that is ${status}`)
}

const readEntry = <File extends ContentFile>(
  value: AvroValue,
  where: string,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>,
  readFile: ReadFile<File>
): ManifestEntry<File> => {
  const record = asRecord(value, where)
  const status =
    entryStatuses[asInt(record["status"], `${where}.status`)] ?? corrupt(`${where}.status`, "is none of 0, 1, 2")
  const file = asRecord(record["data_file"], `${where}.data_file`)
  return {
    status,
    snapshotId: asOptional(record["snapshot_id"], `${where}.snapshot_id`, asLong) ?? manifest.addedSnapshotId,
    sequenceNumber: inherited(record["sequence_number"], status, manifest, `${where}.sequence_number`),
    fileSequenceNumber: inherited(record["file_sequence_number"], status, manifest, `${where}.file_sequence_number`),
    dataFile: readFile(file, `${where}.data_file`, manifest.partitionSpecId, partition)
  }
}

/** The list's counts must hold: readers skip manifests by them, and a manifest cut at a block's end still decodes. */
const checkCounts = (found: ReadonlyArray<number>, manifest: ManifestFile): void => {
  const expected = [manifest.existingFilesCount, manifest.addedFilesCount, manifest.deletedFilesCount]
  entryStatuses.forEach((status, i) => {
    if (found[i] !== expected[i]) {
      corrupt("manifest", `holds ${found[i]} entries that are ${status}, but the manifest list says ${expected[i]}`)
    }
  })
}

/** Whether length and counts must be those of the list; an audit takes a manifest as it is, and compares. */
export type ManifestTrust = "list" | "manifest"

const decodeEntries = <File extends ContentFile>(
  bytes: Uint8Array,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>,
  readFile: ReadFile<File>,
  trust: ManifestTrust,
  pick?: EntryPick
): ReadonlyArray<ManifestEntry<File>> => {
  if (trust === "list" && BigInt(bytes.length) !== manifest.manifestLength) {
    corrupt("manifest", `has ${bytes.length} bytes, but the manifest list says ${manifest.manifestLength}`)
  }
  const nameOf = nameById(partition)
  const counts = [0, 0, 0]
  const counted = (status: number): void => {
    if (!(status in entryStatuses)) corrupt("manifest", "has an entry whose status is none of 0, 1, 2")
    counts[status]!++
  }
  let picking = false
  const select: Select = (schema, header) => {
    const value = pick && entryPicker(schema, pick, (each) => tupleFromAvro(each, "partition", partition), counted)
    if (pick === undefined || value === undefined) return undefined
    picking = true
    const index = readBlockIndex(header)
    const block: Picker["block"] = (at, count, size) => {
      if (index === undefined) return true
      const { counts: held, partitions } = indexed(index, at, count, size)
      if (pick.summaries(partitions)) return true
      held.forEach((files, status) => (counts[status]! += files))
      return false
    }
    return { block, value }
  }
  const file = decodeAvroFile(bytes, (type) => renameById(type, nameOf), select)
  const entries = file.values.map((value, i) => readEntry(value, `entry ${i}`, manifest, partition, readFile))
  if (!picking) for (const { status } of entries) counted(entryStatuses.indexOf(status))
  if (trust === "manifest") return entries
  checkCounts(counts, manifest)
  if (!picking) checkRows(entries, manifest)
  checkEntries(entries, manifest, partition)
  return entries
}

/**
 * Decodes a manifest of data files that a list names as `manifest`, sequence numbers and snapshot ids inherited; with `pick`,
 * only live entries that it wants, and others where it cannot tell.
 * FormatError when it is damaged, is not the file that the list means, or holds what is not read here.
 */
export const decodeManifest = (
  bytes: Uint8Array,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>,
  pick?: EntryPick,
  trust: ManifestTrust = "list"
): ReadonlyArray<ManifestEntry> => {
  // a file's row ids follow from the files before it, wanted or not
  const picked = manifest.firstRowId === undefined ? pick : undefined
  return withRowIds(decodeEntries(bytes, manifest, partition, readDataFile, trust, picked), manifest)
}

/** Live files without a first row id get theirs from the manifest's, in their order ("First Row ID Inheritance"). */
const withRowIds = (entries: ReadonlyArray<ManifestEntry>, manifest: ManifestFile): ReadonlyArray<ManifestEntry> => {
  let next = manifest.firstRowId
  return entries.map((entry) => {
    const { dataFile, status } = entry
    if (next === undefined || status === "deleted" || dataFile.firstRowId !== undefined) return entry
    const firstRowId = next
    next += dataFile.recordCount
    return { ...entry, dataFile: { ...dataFile, firstRowId } }
  })
}

/** The same of a manifest of delete files. */
export const decodeDeleteManifest = (
  bytes: Uint8Array,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>,
  trust: ManifestTrust = "list"
): ReadonlyArray<ManifestEntry<DeleteFile>> => decodeEntries(bytes, manifest, partition, readDeleteFile, trust)

/** A file as an entry of any manifest names it, data or deletes. */
export interface NamedFile {
  readonly uri: string
  readonly sizeBytes: number
}

/** The live files of a manifest, whatever their format and content: what keeps them from being removed. */
export const decodeManifestFiles = (bytes: Uint8Array, manifest: ManifestFile): ReadonlyArray<NamedFile> => {
  if (BigInt(bytes.length) !== manifest.manifestLength) {
    corrupt("manifest", `has ${bytes.length} bytes, but the manifest list says ${manifest.manifestLength}`)
  }
  const nameOf = nameById([])
  return decodeAvroFile(bytes, (type) => renameById(type, nameOf)).values.flatMap((value, i) => {
    const record = asRecord(value, `entry ${i}`)
    if (entryStatuses[asInt(record["status"], `entry ${i}.status`)] === "deleted") return []
    const file = asRecord(record["data_file"], `entry ${i}.data_file`)
    return {
      uri: asText(file["file_path"], `entry ${i}.file_path`),
      sizeBytes: Number(asLong(file["file_size_in_bytes"], `entry ${i}.file_size_in_bytes`))
    }
  })
}
