/**
 * Manifests as Avro files, version 2 (specification, "Manifest Entry Fields", "Data File Fields").
 *
 * Encoded by the append action, decoded by scans; decoding also takes manifests of version 1 that a table kept when it was upgraded.
 */
import { corrupt, unsupported } from "../spec/FormatError.ts"
import { printJson, type JsonValue } from "../spec/Json.ts"
import type { DataFile, PartitionValue } from "../spec/DataFile.ts"
import type { ManifestEntry, ManifestFile } from "../spec/Manifest.ts"
import { partitionFieldsToJson, type BoundPartitionField, type PartitionSpec } from "../spec/PartitionSpec.ts"
import { schemaToJson, type TableSchema } from "../spec/Schema.ts"
import { bigintFromBytes, bigintToBytes, uuidFromBytes, uuidToBytes } from "../spec/SingleValue.ts"
import type { MapType, NestedField, PrimitiveType, Type } from "../spec/Type.ts"
import { avroSchemaOf, decimalBytes } from "./AvroSchemaOf.ts"
import { asBytes, asInt, asIntMap, asList, asLong, asOptional, asRecord, asText, renameById } from "./AvroFields.ts"
import { decodeAvroFile, encodeAvroFile } from "./avro/AvroFile.ts"
import type { AvroRecord, AvroValue } from "./avro/AvroValue.ts"

const statuses = ["existing", "added", "deleted"] as const

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

const entryFields = (partition: ReadonlyArray<NestedField>): ReadonlyArray<NestedField> => [
  field(0, "status", true, int),
  field(1, "snapshot_id", false, long),
  field(3, "sequence_number", false, long),
  field(4, "file_sequence_number", false, long),
  field(2, "data_file", true, { _tag: "struct", fields: dataFileFields(partition) })
]

const names: ReadonlyMap<number, string> = new Map(
  [...entryFields([]), ...dataFileFields([])].map((each) => [each.id, each.name])
)

/** Partition fields are named by their ids in memory: their names in a file are sanitised, and may have changed since. */
const partitionKey = (fieldId: number): string => `partition-${fieldId}`

const nameById = (partition: ReadonlyArray<{ readonly fieldId: number }>) => {
  const partitionIds = new Set(partition.map((each) => each.fieldId))
  return (id: number) => (partitionIds.has(id) ? partitionKey(id) : names.get(id))
}

/** The Avro schema of a manifest of a spec. A partition field of an unknown transform cannot be written. */
const manifestSchema = (partition: ReadonlyArray<BoundPartitionField>): JsonValue =>
  avroSchemaOf(
    "manifest_entry",
    entryFields(
      partition.map((each) => {
        if (each.type === undefined) throw new TypeError(`partition field ${each.name} has no known type`)
        return field(each.fieldId, each.name, false, each.type)
      })
    )
  )

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

const dataFileToAvro = (file: DataFile, partition: ReadonlyArray<BoundPartitionField>): AvroRecord => ({
  content: 0,
  file_path: file.filePath,
  file_format: file.fileFormat,
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
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  readonly partition: ReadonlyArray<BoundPartitionField>
}

/** Encodes a manifest of data files, all of the layout's spec. */
export const encodeManifest = (layout: ManifestLayout, entries: ReadonlyArray<ManifestEntry>): Uint8Array => {
  const header = new Map([
    ["schema", printJson(schemaToJson(layout.schema))],
    ["schema-id", String(layout.schema.schemaId)],
    ["partition-spec", printJson(partitionFieldsToJson(layout.spec))],
    ["partition-spec-id", String(layout.spec.specId)],
    ["format-version", "2"],
    ["content", "data"]
  ])
  const values = entries.map((entry) => ({
    status: statuses.indexOf(entry.status),
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequenceNumber,
    file_sequence_number: entry.fileSequenceNumber,
    data_file: dataFileToAvro(entry.dataFile, layout.partition)
  }))
  const nameOf = nameById(layout.partition)
  return encodeAvroFile(manifestSchema(layout.partition), header, values, (type) => renameById(type, nameOf))
}

const readDataFile = (
  record: AvroRecord,
  where: string,
  specId: number,
  partition: ReadonlyArray<BoundPartitionField>
): DataFile => {
  const format = asText(record["file_format"], `${where}.file_format`).toUpperCase()
  if (format !== "PARQUET") unsupported(`${where}: a data file of format ${format}; Parquet is read here`)
  const values = asRecord(record["partition"], `${where}.partition`)
  return {
    filePath: asText(record["file_path"], `${where}.file_path`),
    fileFormat: "PARQUET",
    specId,
    partition: partition.map((each) => partitionFromAvro(each.type, values[partitionKey(each.fieldId)])),
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

/** A sequence number as it stands, or inherited from the list: by added entries only. */
const inherited = (value: AvroValue | undefined, status: string, manifest: ManifestFile, where: string): bigint => {
  const own = asOptional(value, where, asLong)
  if (own !== null) return own
  if (status === "added" || manifest.sequenceNumber === 0n) return manifest.sequenceNumber
  return corrupt(where, `is null in an entry that is ${status}`)
}

const readEntry = (
  value: AvroValue,
  where: string,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>
): ManifestEntry => {
  const record = asRecord(value, where)
  const status =
    statuses[asInt(record["status"], `${where}.status`)] ?? corrupt(`${where}.status`, "is none of 0, 1, 2")
  const file = asRecord(record["data_file"], `${where}.data_file`)
  const content = asOptional(file["content"], `${where}.content`, asInt) ?? 0
  if (content !== 0) unsupported(`${where}: a delete file among data files`)
  return {
    status,
    snapshotId: asOptional(record["snapshot_id"], `${where}.snapshot_id`, asLong) ?? manifest.addedSnapshotId,
    sequenceNumber: inherited(record["sequence_number"], status, manifest, `${where}.sequence_number`),
    fileSequenceNumber: inherited(record["file_sequence_number"], status, manifest, `${where}.file_sequence_number`),
    dataFile: readDataFile(file, `${where}.data_file`, manifest.partitionSpecId, partition)
  }
}

const countOf = (entries: ReadonlyArray<ManifestEntry>, status: ManifestEntry["status"]): number =>
  entries.reduce((count, entry) => (entry.status === status ? count + 1 : count), 0)

/** The list's counts must hold: readers skip manifests by them, and a manifest cut at a block's end still decodes. */
const checkCounts = (entries: ReadonlyArray<ManifestEntry>, manifest: ManifestFile): void => {
  const expected = [manifest.existingFilesCount, manifest.addedFilesCount, manifest.deletedFilesCount]
  statuses.forEach((status, i) => {
    const found = countOf(entries, status)
    if (found !== expected[i]) {
      corrupt("manifest", `holds ${found} entries that are ${status}, but the manifest list says ${expected[i]}`)
    }
  })
}

/**
 * Decodes a manifest of data files that a list names as `manifest`, sequence numbers and snapshot ids inherited.
 * FormatError when it is damaged, is not the file that the list means, or holds what is not read here.
 */
export const decodeManifest = (
  bytes: Uint8Array,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>
): ReadonlyArray<ManifestEntry> => {
  if (BigInt(bytes.length) !== manifest.manifestLength) {
    corrupt("manifest", `has ${bytes.length} bytes, but the manifest list says ${manifest.manifestLength}`)
  }
  const nameOf = nameById(partition)
  const file = decodeAvroFile(bytes, (type) => renameById(type, nameOf))
  const entries = file.values.map((value, i) => readEntry(value, `entry ${i}`, manifest, partition))
  checkCounts(entries, manifest)
  return entries
}

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
    if (statuses[asInt(record["status"], `entry ${i}.status`)] === "deleted") return []
    const file = asRecord(record["data_file"], `entry ${i}.data_file`)
    return {
      uri: asText(file["file_path"], `entry ${i}.file_path`),
      sizeBytes: Number(asLong(file["file_size_in_bytes"], `entry ${i}.file_size_in_bytes`))
    }
  })
}
