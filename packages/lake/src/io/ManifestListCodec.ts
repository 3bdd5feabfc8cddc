/**
 * Manifest lists as Avro files, versions 2 and 3; those of version 1 are read (specification, "Manifest Lists").
 *
 * One list per snapshot: the append action writes the new manifests and all of the parent's into it.
 */
import { corrupt } from "../spec/FormatError.ts"
import type { FieldSummary, ManifestFile } from "../spec/Manifest.ts"
import type { NestedField, Type } from "../spec/Type.ts"
import { avroSchemaOf } from "./AvroSchemaOf.ts"
import {
  asBoolean,
  asBytes,
  asInt,
  asList,
  asLong,
  asOptional,
  asRecord,
  asText,
  refuseEncrypted,
  renameById
} from "./AvroFields.ts"
import type { UncountedManifest } from "./CountManifest.ts"
import { ByteWriter } from "./avro/AvroEncode.ts"
import { type AvroLayout, avroLayout, decodeAvroFile, encodeAvroFile } from "./avro/AvroFile.ts"
import type { AvroType } from "./avro/AvroType.ts"
import type { AvroRecord, AvroValue } from "./avro/AvroValue.ts"

const field = (id: number, name: string, required: boolean, type: Type): NestedField => ({ id, name, required, type })

const int: Type = { _tag: "int" }
const long: Type = { _tag: "long" }
const binary: Type = { _tag: "binary" }
const boolean: Type = { _tag: "boolean" }

const summaryFields: ReadonlyArray<NestedField> = [
  field(509, "contains_null", true, boolean),
  field(518, "contains_nan", false, boolean),
  field(510, "lower_bound", false, binary),
  field(511, "upper_bound", false, binary)
]

const listFields: ReadonlyArray<NestedField> = [
  field(500, "manifest_path", true, { _tag: "string" }),
  field(501, "manifest_length", true, long),
  field(502, "partition_spec_id", true, int),
  field(517, "content", true, int),
  field(515, "sequence_number", true, long),
  field(516, "min_sequence_number", true, long),
  field(503, "added_snapshot_id", true, long),
  field(504, "added_files_count", true, int),
  field(505, "existing_files_count", true, int),
  field(506, "deleted_files_count", true, int),
  field(512, "added_rows_count", true, long),
  field(513, "existing_rows_count", true, long),
  field(514, "deleted_rows_count", true, long),
  field(507, "partitions", false, {
    _tag: "list",
    elementId: 508,
    elementRequired: true,
    element: { _tag: "struct", fields: summaryFields }
  }),
  field(519, "key_metadata", false, binary)
]
const rowIdField = field(520, "first_row_id", false, long)

const names: ReadonlyMap<number, string> = new Map(
  [...listFields, rowIdField, ...summaryFields].map((each) => [each.id, each.name])
)

const resolve = (type: AvroType): AvroType => renameById(type, (id) => names.get(id))

const summaryToAvro = (summary: FieldSummary): AvroRecord => ({
  contains_null: summary.containsNull,
  contains_nan: summary.containsNan,
  lower_bound: summary.lowerBound,
  upper_bound: summary.upperBound
})

const manifestToAvro = (manifest: ManifestFile): AvroRecord => ({
  manifest_path: manifest.manifestPath,
  manifest_length: manifest.manifestLength,
  partition_spec_id: manifest.partitionSpecId,
  content: manifest.content === "data" ? 0 : 1,
  sequence_number: manifest.sequenceNumber,
  min_sequence_number: manifest.minSequenceNumber,
  added_snapshot_id: manifest.addedSnapshotId,
  added_files_count: manifest.addedFilesCount,
  existing_files_count: manifest.existingFilesCount,
  deleted_files_count: manifest.deletedFilesCount,
  added_rows_count: manifest.addedRowsCount,
  existing_rows_count: manifest.existingRowsCount,
  deleted_rows_count: manifest.deletedRowsCount,
  partitions: manifest.partitions?.map(summaryToAvro) ?? null,
  key_metadata: manifest.keyMetadata,
  first_row_id: manifest.firstRowId ?? null
})

/** How lists are written; made when the first one is, since many processes only read. */
const listLayout = (fields: ReadonlyArray<NestedField>): (() => AvroLayout<ManifestFile>) => {
  let made: AvroLayout<ManifestFile> | undefined
  return () => (made ??= writtenOnce(avroLayout(avroSchemaOf("manifest_file", fields), resolve)))
}

/** Keeps the bytes of each manifest: a list repeats nearly all of the one before it. */
const writtenOnce = ({ schemaText, write }: AvroLayout<AvroValue>): AvroLayout<ManifestFile> => {
  const written = new WeakMap<ManifestFile, Uint8Array>()
  const own = new ByteWriter()
  const encode = (manifest: ManifestFile): Uint8Array => {
    own.clear()
    write(own, manifestToAvro(manifest))
    const bytes = own.written.slice()
    written.set(manifest, bytes)
    return bytes
  }
  return { schemaText, write: (out, manifest) => out.raw(written.get(manifest) ?? encode(manifest)) }
}

const layout = listLayout(listFields)
const layoutWithRowIds = listLayout([...listFields, rowIdField])

/** Which snapshot a list belongs to; goes into its header as Java writes it. */
export interface ManifestListOwner {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | null
  readonly sequenceNumber: bigint
  /** Of format version 3: the first row id that the snapshot gives. */
  readonly firstRowId?: bigint
}

export const encodeManifestList = (owner: ManifestListOwner, manifests: ReadonlyArray<ManifestFile>): Uint8Array => {
  const header = new Map([
    ["snapshot-id", String(owner.snapshotId)],
    ["parent-snapshot-id", String(owner.parentSnapshotId)],
    ["sequence-number", String(owner.sequenceNumber)],
    ...(owner.firstRowId === undefined ? [] : ([["first-row-id", String(owner.firstRowId)]] as const)),
    ["format-version", owner.firstRowId === undefined ? "2" : "3"]
  ])
  return encodeAvroFile(owner.firstRowId === undefined ? layout() : layoutWithRowIds(), header, manifests)
}

const readSummary = (value: AvroValue, where: string): FieldSummary => {
  const record = asRecord(value, where)
  return {
    containsNull: asBoolean(record["contains_null"], `${where}.contains_null`),
    containsNan: asOptional(record["contains_nan"], `${where}.contains_nan`, asBoolean),
    lowerBound: asOptional(record["lower_bound"], `${where}.lower_bound`, asBytes),
    upperBound: asOptional(record["upper_bound"], `${where}.upper_bound`, asBytes)
  }
}

/** Lists of version 1 may leave counts out: such a manifest has to be counted. */
export type ListedManifest = ManifestFile | UncountedManifest

export const isCounted = (manifest: ListedManifest): manifest is ManifestFile => "content" in manifest

const countNames = ["added", "existing", "deleted"].flatMap((status) => [
  `${status}_files_count`,
  `${status}_rows_count`
])

const readManifest = (value: AvroValue, i: number): ListedManifest => {
  const where = `manifest ${i}`
  const record = asRecord(value, where)
  const content = asOptional(record["content"], `${where}.content`, asInt) ?? 0
  if (content !== 0 && content !== 1) corrupt(`${where}.content`, "is neither data nor deletes")
  const long = (name: string) => asLong(record[name], `${where}.${name}`)
  const int = (name: string) => asInt(record[name], `${where}.${name}`)
  const partitions =
    asOptional(record["partitions"], `${where}.partitions`, asList)?.map((item) =>
      readSummary(item, `${where}.partitions`)
    ) ?? null
  const manifestPath = asText(record["manifest_path"], `${where}.manifest_path`)
  const keyMetadata = refuseEncrypted(record["key_metadata"], where, "manifest", manifestPath)
  if (content === 0 && countNames.some((name) => (record[name] ?? null) === null)) {
    const addedSnapshotId = asOptional(record["added_snapshot_id"], `${where}.added_snapshot_id`, asLong)
    return { manifestPath, partitions, partitionSpecId: int("partition_spec_id"), addedSnapshotId }
  }
  const firstRowId = asOptional(record["first_row_id"], `${where}.first_row_id`, asLong)
  return {
    ...(firstRowId === null ? {} : { firstRowId }),
    manifestPath,
    manifestLength: long("manifest_length"),
    partitionSpecId: int("partition_spec_id"),
    content: content === 0 ? "data" : "deletes",
    // Lists of version 1, kept when a table was upgraded, have no sequence numbers: 0 (specification, appendix E).
    sequenceNumber: asOptional(record["sequence_number"], `${where}.sequence_number`, asLong) ?? 0n,
    minSequenceNumber: asOptional(record["min_sequence_number"], `${where}.min_sequence_number`, asLong) ?? 0n,
    addedSnapshotId: long("added_snapshot_id"),
    addedFilesCount: int("added_files_count"),
    existingFilesCount: int("existing_files_count"),
    deletedFilesCount: int("deleted_files_count"),
    addedRowsCount: long("added_rows_count"),
    existingRowsCount: long("existing_rows_count"),
    deletedRowsCount: long("deleted_rows_count"),
    partitions,
    keyMetadata
  }
}

/** Decodes a list; FormatError when it is damaged. */
export const decodeManifestList = (bytes: Uint8Array): ReadonlyArray<ListedManifest> =>
  decodeAvroFile(bytes, resolve).values.map(readManifest)
