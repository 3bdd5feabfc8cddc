/**
 * Table metadata: everything about a table except its files (specification, "Table Metadata").
 *
 * One immutable JSON file per change; the catalog holds the location of the one in force. Here are its shape and the
 * questions asked of it; `TableMetadataJson.ts` reads and writes it, `MetadataUpdate.ts` changes it.
 */
import { corrupt } from "./FormatError.ts"
import type { FormatVersion } from "./FormatVersion.ts"
import type { JsonValue } from "./Json.ts"
import type { StringMap } from "./JsonRead.ts"
import type { PartitionSpec } from "./PartitionSpec.ts"
import type { TableSchema } from "./Schema.ts"
import type { Snapshot, SnapshotRef } from "./Snapshot.ts"
import type { SortOrder } from "./SortOrder.ts"

/** When which snapshot became current. */
export interface SnapshotLogEntry {
  readonly timestampMs: number
  readonly snapshotId: bigint
}

/** Where the table's metadata was before. */
export interface MetadataLogEntry {
  readonly timestampMs: number
  readonly metadataFile: string
}

export interface TableMetadata {
  readonly formatVersion: FormatVersion
  readonly tableUuid: string
  /** Without a slash at the end. */
  readonly location: string
  readonly lastSequenceNumber: bigint
  readonly lastUpdatedMs: number
  readonly lastColumnId: number
  readonly schemas: ReadonlyArray<TableSchema>
  readonly currentSchemaId: number
  readonly partitionSpecs: ReadonlyArray<PartitionSpec>
  readonly defaultSpecId: number
  readonly lastPartitionId: number
  readonly sortOrders: ReadonlyArray<SortOrder>
  readonly defaultSortOrderId: number
  readonly properties: StringMap
  readonly currentSnapshotId: bigint | null
  readonly snapshots: ReadonlyArray<Snapshot>
  /** Oldest first. */
  readonly snapshotLog: ReadonlyArray<SnapshotLogEntry>
  /** Oldest first, at most `metadataLogMax` entries. */
  readonly metadataLog: ReadonlyArray<MetadataLogEntry>
  readonly refs: ReadonlyMap<string, SnapshotRef>
  /** Statistics files of other writers, kept as they are. */
  readonly statistics: ReadonlyArray<JsonValue>
  readonly partitionStatistics: ReadonlyArray<JsonValue>
  /** Higher than every row id that was given; 0 below format version 3, which gives none. */
  readonly nextRowId: bigint
}

/** Java's default of `write.metadata.previous-versions-max`. */
const previousVersionsMaxDefault = 100

const byId = <A>(items: ReadonlyArray<A>, id: number, idOf: (item: A) => number, what: string): A =>
  items.find((item) => idOf(item) === id) ?? corrupt("table metadata", `${what} ${id} is not in it`)

/** The schema with this id; FormatError when the metadata lacks it. */
export const schemaById = (metadata: TableMetadata, id: number): TableSchema =>
  byId(metadata.schemas, id, (schema) => schema.schemaId, "schema")

export const currentSchema = (metadata: TableMetadata): TableSchema => schemaById(metadata, metadata.currentSchemaId)

/** The spec with this id; FormatError when the metadata lacks it. */
export const specById = (metadata: TableMetadata, id: number): PartitionSpec =>
  byId(metadata.partitionSpecs, id, (spec) => spec.specId, "partition spec")

/** The spec that new files are written by. */
export const defaultSpec = (metadata: TableMetadata): PartitionSpec => specById(metadata, metadata.defaultSpecId)

/** The order that new files are sorted by. */
export const defaultSortOrder = (metadata: TableMetadata): SortOrder =>
  byId(metadata.sortOrders, metadata.defaultSortOrderId, (order) => order.orderId, "sort order")

type SnapshotOf = (id: bigint) => Snapshot | undefined

/** Of metadata whose snapshots may still be text: one of them, without the others. */
const snapshotsKept = new WeakMap<TableMetadata, SnapshotOf>()

/** Metadata whose snapshots `of` finds, the same ones as are in its list. It is kept beside it: a copy has only the list. */
export const keepSnapshotOf = (metadata: TableMetadata, of: SnapshotOf): TableMetadata => {
  snapshotsKept.set(metadata, of)
  return metadata
}

export const snapshotById = (metadata: TableMetadata, id: bigint): Snapshot | undefined => {
  const kept = snapshotsKept.get(metadata)
  // mostly asked about new ones, which are the last
  return kept === undefined ? metadata.snapshots.findLast((snapshot) => snapshot.snapshotId === id) : kept(id)
}

/** The head of `main`; undefined for a table that never had a snapshot. */
export const currentSnapshot = (metadata: TableMetadata): Snapshot | undefined =>
  metadata.currentSnapshotId === null ? undefined : snapshotById(metadata, metadata.currentSnapshotId)

const indexed = (snapshots: ReadonlyArray<Snapshot>): SnapshotOf => {
  const index = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
  return (id) => index.get(id)
}

/** What a branch stands at: one that is not there yet begins at the head of `main`. */
export const headOf = (metadata: TableMetadata, branch: string): Snapshot | undefined => {
  const ref = metadata.refs.get(branch)
  return ref === undefined ? currentSnapshot(metadata) : snapshotById(metadata, ref.snapshotId)
}

/** The snapshot and its ancestors, newest first, as far back as they have not been expired. */
export function* ancestorsOf(metadata: TableMetadata, snapshotId: bigint | null): Generator<Snapshot> {
  const snapshotOf = snapshotsKept.get(metadata) ?? indexed(metadata.snapshots)
  // so that damaged metadata with a cycle of parents ends too
  const seen = new Set<bigint>()
  let at = snapshotId
  while (at !== null) {
    const snapshot = seen.has(at) ? undefined : snapshotOf(at)
    if (snapshot === undefined) return
    seen.add(at)
    yield snapshot
    at = snapshot.parentSnapshotId
  }
}

/** How many earlier metadata files the table remembers: property `write.metadata.previous-versions-max`. */
export const metadataLogMax = (metadata: TableMetadata): number => {
  const text = metadata.properties.get("write.metadata.previous-versions-max")
  const value = text === undefined ? previousVersionsMaxDefault : Number(text)
  return Number.isSafeInteger(value) && value >= 1 ? value : previousVersionsMaxDefault
}
