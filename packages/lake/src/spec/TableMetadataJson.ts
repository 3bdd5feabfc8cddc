/**
 * Table metadata as JSON (specification, appendix C), with everything that Java requires and nothing that it rejects.
 *
 * Reading checks what later code relies on: ids that point somewhere, `current-snapshot-id` equal to `refs.main`. Damaged
 * metadata gives one FormatError with the place; it never gives a table with fewer rows.
 */
import { corrupt, unsupported } from "./FormatError.ts"
import { fromVersion1, readVersion, type FormatVersion } from "./FormatVersion.ts"
import { parseJson, type JsonObject, type JsonValue } from "./Json.ts"
import { growingList, printDocument, printedList, printedOnce } from "./JsonBytes.ts"
import {
  readInt,
  readList,
  readLong,
  readMap,
  readObject,
  readOptional,
  readSafeInteger,
  readString,
  readStringMap,
  stringMapToJson,
  type Read
} from "./JsonRead.ts"
import { partitionIdNone, partitionSpecFromJson, partitionSpecToJson } from "./PartitionSpec.ts"
import { ofVersion3, schemaFromJson, schemaToJson } from "./Schema.ts"
import { branchAt, mainBranch, refFromJson, refToJson, snapshotToJson, type SnapshotRef } from "./Snapshot.ts"
import { sortOrderFromJson, sortOrderToJson } from "./SortOrder.ts"
import { ParsedLists, WrittenLists, type TableLists } from "./TableLists.ts"
import {
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  keepSnapshotOf,
  type MetadataLogEntry,
  type SnapshotLogEntry,
  type TableMetadata
} from "./TableMetadata.ts"

// What Java writes for "no current snapshot" in version 2; readers take it for null.
const noSnapshot = -1

// What never changes, and each commit writes again, is printed once.
const printSchemas = growingList(schemaToJson)
const printSnapshots = growingList(snapshotToJson)
const printSnapshotLog = growingList<SnapshotLogEntry>((entry) => ({
  "timestamp-ms": entry.timestampMs,
  "snapshot-id": entry.snapshotId
}))
// the oldest go as new ones come
const printMetadataLogEntry = printedOnce<MetadataLogEntry>((entry) => ({
  "timestamp-ms": entry.timestampMs,
  "metadata-file": entry.metadataFile
}))

const printTableMetadata = (metadata: TableMetadata): Uint8Array =>
  printDocument({
    "format-version": metadata.formatVersion,
    "table-uuid": metadata.tableUuid,
    location: metadata.location,
    "last-sequence-number": metadata.lastSequenceNumber,
    "last-updated-ms": metadata.lastUpdatedMs,
    "last-column-id": metadata.lastColumnId,
    "current-schema-id": metadata.currentSchemaId,
    schemas: printSchemas(metadata.schemas),
    "default-spec-id": metadata.defaultSpecId,
    "partition-specs": metadata.partitionSpecs.map(partitionSpecToJson),
    "last-partition-id": metadata.lastPartitionId,
    "default-sort-order-id": metadata.defaultSortOrderId,
    "sort-orders": metadata.sortOrders.map(sortOrderToJson),
    properties: stringMapToJson(metadata.properties),
    "current-snapshot-id": metadata.currentSnapshotId ?? noSnapshot,
    refs: Object.fromEntries(Array.from(metadata.refs, ([name, ref]) => [name, refToJson(ref)])),
    statistics: metadata.statistics,
    "partition-statistics": metadata.partitionStatistics,
    ...(metadata.formatVersion < 3 ? {} : { "next-row-id": metadata.nextRowId }),
    // last, so that what is before them can be read without them; whoever changes this order changes `layout` of the checksum
    snapshots: printSnapshots(metadata.snapshots),
    "snapshot-log": printSnapshotLog(metadata.snapshotLog),
    "metadata-log": printedList(metadata.metadataLog.map(printMetadataLogEntry))
  })

const optionalList = <A>(object: JsonObject, key: string, read: Read<A>): ReadonlyArray<A> =>
  readOptional(object[key], key, (value, where) => readList(value, where, read)) ?? []

const readCurrentSnapshot: Read<bigint | null> = (value, where) => {
  const id = readOptional(value, where, readLong)
  return id === undefined || id === BigInt(noSnapshot) ? null : id
}

const readJson: Read<JsonValue> = (value) => value ?? null

const refsWithMain = (
  refs: ReadonlyMap<string, SnapshotRef>,
  current: bigint | null
): ReadonlyMap<string, SnapshotRef> =>
  // `refs` may be absent: `main` then points to the current snapshot all the same.
  refs.has(mainBranch) || current === null ? refs : new Map([...refs, [mainBranch, branchAt(current)]])

const checkStructure = (metadata: TableMetadata): void => {
  currentSchema(metadata)
  defaultSpec(metadata)
  defaultSortOrder(metadata)
  const later =
    metadata.formatVersion < 3 ? metadata.schemas.map(ofVersion3).find((each) => each !== undefined) : undefined
  if (later !== undefined) {
    corrupt("schemas", `has ${later}, which format version ${metadata.formatVersion} does not have`)
  }
  const main = metadata.refs.get(mainBranch)?.snapshotId ?? null
  if (main !== metadata.currentSnapshotId) {
    corrupt("current-snapshot-id", `is ${metadata.currentSnapshotId}, but refs.main is ${main}`)
  }
}

const fromObject = (object: JsonObject, formatVersion: FormatVersion, lists: TableLists): TableMetadata => {
  const currentSnapshotId = readCurrentSnapshot(object["current-snapshot-id"], "current-snapshot-id")
  const refs = readOptional(object["refs"], "refs", (refs, where) => readMap(refs, where, refFromJson)) ?? new Map()
  lists.read(object)
  const metadata: TableMetadata = {
    formatVersion,
    tableUuid: readString(object["table-uuid"], "table-uuid"),
    location: readString(object["location"], "location").replace(/\/+$/, ""),
    lastSequenceNumber: readLong(object["last-sequence-number"], "last-sequence-number"),
    lastUpdatedMs: readSafeInteger(object["last-updated-ms"], "last-updated-ms"),
    lastColumnId: readInt(object["last-column-id"], "last-column-id"),
    schemas: readList(object["schemas"], "schemas", schemaFromJson),
    currentSchemaId: readInt(object["current-schema-id"], "current-schema-id"),
    partitionSpecs: readList(object["partition-specs"], "partition-specs", partitionSpecFromJson),
    defaultSpecId: readInt(object["default-spec-id"], "default-spec-id"),
    lastPartitionId: Math.max(readInt(object["last-partition-id"], "last-partition-id"), partitionIdNone),
    sortOrders: readList(object["sort-orders"], "sort-orders", sortOrderFromJson),
    defaultSortOrderId: readInt(object["default-sort-order-id"], "default-sort-order-id"),
    properties: readOptional(object["properties"], "properties", readStringMap) ?? new Map(),
    currentSnapshotId,
    get snapshots() {
      return lists.snapshots()
    },
    get snapshotLog() {
      return lists.snapshotLog()
    },
    get metadataLog() {
      return lists.metadataLog()
    },
    refs: refsWithMain(refs, currentSnapshotId),
    statistics: optionalList(object, "statistics", readJson),
    partitionStatistics: optionalList(object, "partition-statistics", readJson),
    nextRowId: formatVersion < 3 ? 0n : readLong(object["next-row-id"], "next-row-id")
  }
  checkStructure(metadata)
  lists.check(metadata)
  return keepSnapshotOf(metadata, (snapshotId) => lists.snapshotOf(snapshotId))
}

const fromDocument = (value: JsonValue, lists: TableLists): TableMetadata => {
  const written = readObject(value, "table metadata")
  const formatVersion = readVersion(written)
  const object = formatVersion === 1 ? fromVersion1(written) : written
  if (optionalList(object, "encryption-keys", readJson).length > 0) {
    unsupported("encrypted tables (encryption-keys) are not read here")
  }
  return fromObject(object, formatVersion, lists)
}

/**
 * Reads metadata; FormatError with the place when it is damaged (`Corrupt`) or of a later version (`Unsupported`). The slow
 * twin of `tableMetadataFromBytes`, which leaves snapshots and logs text until they are asked for.
 */
export const tableMetadataFromJson = (value: JsonValue): TableMetadata => fromDocument(value, new ParsedLists())

const utf8Strict = new TextDecoder("utf-8", { fatal: true })

/** Metadata of version 1 is only read: a change that leaves it so is a bug of its caller. */
export const tableMetadataToBytes = (metadata: TableMetadata): Uint8Array => {
  if (metadata.formatVersion === 1) throw new TypeError("metadata of format version 1 is not written")
  return printTableMetadata(metadata)
}

const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8Strict.decode(bytes)
  } catch {
    return corrupt("table metadata", "is not UTF-8")
  }
}

/** Reads a metadata file's bytes; FormatError when they are no table metadata. */
export const tableMetadataFromBytes = (bytes: Uint8Array): TableMetadata => {
  const lists = new ParsedLists()
  return fromDocument(parseJson(textOf(bytes), lists.takers), lists)
}

/** Where the lists begin, and a line with them: nothing else in the document has this text. */
const listsBegin = ',\n"snapshots":['

/** Reads bytes that `tableMetadataToBytes` gave; `tableMetadataFromBytes` is its slow twin. */
export const tableMetadataAsPrinted = (bytes: Uint8Array): TableMetadata => {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(listsBegin)
  if (at < 0) return tableMetadataFromBytes(bytes)
  return fromDocument(parseJson(`${textOf(bytes.subarray(0, at))}}`), new WrittenLists(bytes.subarray(at + 1)))
}
