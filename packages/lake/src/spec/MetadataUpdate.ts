/**
 * Changes to table metadata as values, named as the REST catalog protocol names them, and how they apply.
 *
 * Table actions make them, a catalog commits them: the SQLite catalog applies them here and writes a metadata file, a REST
 * catalog sends them. Applying is pure, so an attempt can be repeated on another base.
 */
import type { StringMap } from "./JsonRead.ts"
import { partitionIdNone, partitionProblems, type PartitionSpec } from "./PartitionSpec.ts"
import { highestFieldId, schemaProblems, type TableSchema } from "./Schema.ts"
import { mainBranch, type Snapshot, type SnapshotRef } from "./Snapshot.ts"
import { sortProblems, type SortOrder } from "./SortOrder.ts"
import { applyStructure, type StructureUpdate, withoutStatisticsOf } from "./StructureUpdate.ts"
import { metadataLogMax, snapshotById, type TableMetadata } from "./TableMetadata.ts"

export type MetadataUpdate =
  | { readonly _tag: "AddSnapshot"; readonly snapshot: Snapshot }
  | { readonly _tag: "SetSnapshotRef"; readonly name: string; readonly ref: SnapshotRef }
  | { readonly _tag: "SetProperties"; readonly properties: StringMap }
  | { readonly _tag: "RemoveProperties"; readonly names: ReadonlyArray<string> }
  /** No ref may point to one of them. */
  | { readonly _tag: "RemoveSnapshots"; readonly snapshotIds: ReadonlyArray<bigint> }
  | { readonly _tag: "RemoveSnapshotRef"; readonly name: string }
  | StructureUpdate

/** What a new table is made of; ids in schema, spec and sort order are taken as they are. */
export interface NewTable {
  /** 2 when left out. */
  readonly formatVersion?: 2 | 3
  readonly tableUuid: string
  readonly location: string
  readonly schema: TableSchema
  readonly partitionSpec: PartitionSpec
  readonly sortOrder: SortOrder
  readonly properties: StringMap
  readonly createdMs: number
}

/** What is wrong with a table to be made; empty when nothing is. */
export const newTableProblems = (
  table: Omit<NewTable, "tableUuid" | "location" | "createdMs" | "formatVersion">
): ReadonlyArray<string> => [
  ...schemaProblems(table.schema),
  ...partitionProblems(table.partitionSpec, table.schema),
  ...sortProblems(table.sortOrder, table.schema)
]

/** The first metadata of a table; `newTableProblems` must have found none. */
export const newTableMetadata = (table: NewTable): TableMetadata => ({
  formatVersion: table.formatVersion ?? 2,
  tableUuid: table.tableUuid,
  location: table.location.replace(/\/+$/, ""),
  lastSequenceNumber: 0n,
  lastUpdatedMs: Math.floor(table.createdMs),
  lastColumnId: highestFieldId(table.schema),
  schemas: [table.schema],
  currentSchemaId: table.schema.schemaId,
  partitionSpecs: [table.partitionSpec],
  defaultSpecId: table.partitionSpec.specId,
  lastPartitionId: Math.max(partitionIdNone, ...table.partitionSpec.fields.map((field) => field.fieldId)),
  sortOrders: [table.sortOrder],
  defaultSortOrderId: table.sortOrder.orderId,
  properties: table.properties,
  currentSnapshotId: null,
  snapshots: [],
  snapshotLog: [],
  metadataLog: [],
  refs: new Map(),
  statistics: [],
  partitionStatistics: [],
  nextRowId: 0n
})

const addSnapshot = (metadata: TableMetadata, snapshot: Snapshot): TableMetadata => {
  if (snapshotById(metadata, snapshot.snapshotId) !== undefined) {
    throw new Error(`snapshot ${snapshot.snapshotId} is in the table already`)
  }
  if (snapshot.sequenceNumber <= metadata.lastSequenceNumber) {
    throw new Error(`sequence number ${snapshot.sequenceNumber} is not above ${metadata.lastSequenceNumber}`)
  }
  if (metadata.formatVersion >= 3 && snapshot.firstRowId !== metadata.nextRowId) {
    throw new Error(`first row id ${snapshot.firstRowId} is not the table's next, ${metadata.nextRowId}`)
  }
  return {
    ...metadata,
    nextRowId: metadata.nextRowId + (snapshot.addedRows ?? 0n),
    lastSequenceNumber: snapshot.sequenceNumber,
    lastUpdatedMs: Math.max(metadata.lastUpdatedMs, snapshot.timestampMs),
    snapshots: [...metadata.snapshots, snapshot]
  }
}

const setRef = (metadata: TableMetadata, name: string, ref: SnapshotRef, base: TableMetadata): TableMetadata => {
  const snapshot = snapshotById(metadata, ref.snapshotId)
  if (snapshot === undefined) throw new Error(`ref ${name}: snapshot ${ref.snapshotId} is not in the table`)
  const changed = { ...metadata, refs: new Map([...metadata.refs, [name, ref]]) }
  if (name !== mainBranch || metadata.currentSnapshotId === ref.snapshotId) return changed
  // A snapshot made in this very change became current when it was made; going back to an old one happens now.
  const added = snapshotById(base, ref.snapshotId) === undefined
  const timestampMs = added ? snapshot.timestampMs : metadata.lastUpdatedMs
  return {
    ...changed,
    currentSnapshotId: ref.snapshotId,
    snapshotLog: [...metadata.snapshotLog, { timestampMs, snapshotId: ref.snapshotId }]
  }
}

const removeSnapshots = (metadata: TableMetadata, snapshotIds: ReadonlyArray<bigint>): TableMetadata => {
  const gone = new Set(snapshotIds)
  for (const [name, ref] of metadata.refs) {
    if (gone.has(ref.snapshotId)) throw new Error(`snapshot ${ref.snapshotId} cannot be removed: ${name} points to it`)
  }
  // what was current before a snapshot that is gone can no longer be told: the history begins after it, as Java has it
  const lastGone = metadata.snapshotLog.findLastIndex((entry) => gone.has(entry.snapshotId))
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter((snapshot) => !gone.has(snapshot.snapshotId)),
    snapshotLog: metadata.snapshotLog.slice(lastGone + 1),
    statistics: withoutStatisticsOf(metadata.statistics, gone),
    partitionStatistics: withoutStatisticsOf(metadata.partitionStatistics, gone)
  }
}

const removeRef = (metadata: TableMetadata, name: string): TableMetadata => {
  if (name === mainBranch) throw new Error(`${mainBranch} cannot be removed`)
  const refs = new Map(metadata.refs)
  refs.delete(name)
  return { ...metadata, refs }
}

const applyUpdate = (metadata: TableMetadata, update: MetadataUpdate, base: TableMetadata): TableMetadata => {
  switch (update._tag) {
    case "AddSnapshot":
      return addSnapshot(metadata, update.snapshot)
    case "SetSnapshotRef":
      return setRef(metadata, update.name, update.ref, base)
    case "SetProperties":
      return { ...metadata, properties: new Map([...metadata.properties, ...update.properties]) }
    case "RemoveProperties": {
      const properties = new Map(metadata.properties)
      for (const name of update.names) properties.delete(name)
      return { ...metadata, properties }
    }
    case "RemoveSnapshots":
      return removeSnapshots(metadata, update.snapshotIds)
    case "RemoveSnapshotRef":
      return removeRef(metadata, update.name)
    default:
      return applyStructure(metadata, update)
  }
}

/**
 * The time of a change on `base`: the clock's in whole milliseconds (a test's may have fractions), but never before what
 * the table says already, which Java rejects.
 */
export const changeTimeMs = (base: TableMetadata, nowMs: number): number =>
  Math.max(Math.floor(nowMs), base.lastUpdatedMs, base.snapshotLog.at(-1)?.timestampMs ?? 0)

/**
 * The metadata after `updates`, which follows `base` as stored in `baseLocation`.
 *
 * An update that does not fit its base (a snapshot id in use, an old sequence number) is a bug of the action: it throws.
 */
export const applyUpdates = (
  base: TableMetadata,
  baseLocation: string,
  updates: ReadonlyArray<MetadataUpdate>,
  nowMs: number
): TableMetadata => {
  const stamped = { ...base, lastUpdatedMs: changeTimeMs(base, nowMs) }
  const changed = updates.reduce((metadata, update) => applyUpdate(metadata, update, base), stamped)
  const log = [...base.metadataLog, { timestampMs: base.lastUpdatedMs, metadataFile: baseLocation }]
  return { ...changed, metadataLog: log.slice(-metadataLogMax(changed)) }
}
