/**
 * Table actions as values: what a commit is to do, independent of the base that it will be done on.
 *
 * `commitTable` stages and commits them; each further kind of change is one more value here and one more stage.
 */
import type { Filter } from "../read/Filter.ts"
import type { ContentFile, DataFile, DeleteFile } from "../spec/DataFile.ts"
import type { JsonObject } from "../spec/Json.ts"
import type { StringMap } from "../spec/JsonRead.ts"
import type { PartitionChange } from "../spec/PartitionChange.ts"
import type { SchemaChange } from "../spec/SchemaChange.ts"
import type { SnapshotRef } from "../spec/Snapshot.ts"
import type { SortField } from "../spec/SortOrder.ts"

/** Adds data files in a new snapshot; without files, the snapshot has its parent's content (a mark moves only with one). */
export interface Append {
  readonly _tag: "Append"
  readonly files: ReadonlyArray<DataFile>
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary: StringMap
}

/** Sets and removes table properties. */
export interface SetProperties {
  readonly _tag: "SetProperties"
  readonly properties: StringMap
  readonly removed: ReadonlyArray<string>
}

/**
 * Puts files in the place of others that hold the same rows: a new snapshot of operation `replace`. Fails with
 * RequirementFailed when a replaced file is gone, or when delete files came that may mean it; appends beside it are fine.
 */
export interface RewriteFiles {
  readonly _tag: "RewriteFiles"
  /** As a scan of the starting snapshot gave them. */
  readonly removed: ReadonlyArray<DataFile>
  readonly added: ReadonlyArray<DataFile>
  /** The sequence number of the snapshot that the rows were read from: later deletes still apply to them. */
  readonly startingSequenceNumber: bigint
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary: StringMap
}

/**
 * Rows that go and rows that come, in one new snapshot: `delete`, `overwrite` or `append` by what it does.
 *
 * It was decided by what a snapshot said. Commits since then are compared with it: a file whose rows it changes must be as it
 * was read, else RequirementFailed; with `serializable` no rows may have come either that the decision would have been about.
 */
export interface ChangeRows {
  readonly _tag: "ChangeRows"
  /** Files that go with all their rows, as a scan of the read snapshot gave them. */
  readonly removed: ReadonlyArray<DataFile>
  readonly added: ReadonlyArray<DataFile>
  /** Rows that go of files that stay. Positions must say their one data file. */
  readonly deletes: ReadonlyArray<DeleteFile>
  /** Delete files that those stand in the place of. */
  readonly replacedDeletes: ReadonlyArray<DeleteFile>
  /** What the change was decided by; null: the branch had no snapshot. */
  readonly readSnapshotId: bigint | null
  readonly isolation: "serializable" | "snapshot"
  /** The rows that the decision was about; every row when left out. */
  readonly filter?: Filter
  /** The partitions that it was about, by `partitionKey`; files of other specs may hold rows of them. Every one when left out. */
  readonly partitions?: { readonly specId: number; readonly keys: ReadonlySet<string> }
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary: StringMap
}

/**
 * Lists the same files in fewer and better filled manifests: a new snapshot of operation `replace`. Done anew for each base;
 * commits beside it are kept.
 */
export interface RewriteManifests {
  readonly _tag: "RewriteManifests"
  /** Every manifest, ordered by partition; else those that are worth it. */
  readonly all: boolean
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary: StringMap
}

/** Writes manifests anew with the facts that an audit found of their files: a new snapshot of operation `replace`. */
export interface RepairManifests {
  readonly _tag: "RepairManifests"
  /** Paths; every one must still be listed. */
  readonly manifests: ReadonlySet<string>
  /** By path of a file, or by `contentKey` of a deletion vector, what is to be said of it. */
  readonly facts: ReadonlyMap<string, Partial<ContentFile>>
  /** Entries of the snapshot's summary besides the counts. */
  readonly summary: StringMap
}

/**
 * Brings a snapshot that the table has into the branch: as its head where it is the head's child, else by appending the files
 * that it appended. Fails with Invalid when it is in already, or is no append.
 */
export interface CherryPick {
  readonly _tag: "CherryPick"
  readonly snapshotId: bigint
}

/** Forgets snapshots, and refs whose time is over. Files are not touched. */
export interface RemoveSnapshots {
  readonly _tag: "RemoveSnapshots"
  readonly snapshotIds: ReadonlyArray<bigint>
  readonly refs: ReadonlyArray<string>
}

/** Makes the schema that comes of the changes current. Rows that exist read with it from then on. */
export interface UpdateSchema {
  readonly _tag: "UpdateSchema"
  readonly changes: ReadonlyArray<SchemaChange>
}

/** New files are divided by the spec that comes of the changes; files that exist keep theirs. */
export interface UpdatePartitionSpec {
  readonly _tag: "UpdatePartitionSpec"
  readonly changes: ReadonlyArray<PartitionChange>
}

/** A column by its full name, and how it is sorted by. */
export interface SortBy extends Omit<SortField, "sourceId"> {
  readonly column: string
}

/** What new files are sorted by; none: unsorted. */
export interface ReplaceSortOrder {
  readonly _tag: "ReplaceSortOrder"
  readonly by: ReadonlyArray<SortBy>
}

/** Makes a branch or tag, or moves one: to any snapshot that the table has. */
export interface SetRef {
  readonly _tag: "SetRef"
  readonly name: string
  readonly ref: SnapshotRef
}

/** Forgets a branch or tag, never `main`. Its snapshots stay until they expire. */
export interface RemoveRef {
  readonly _tag: "RemoveRef"
  readonly name: string
}

/** Takes a branch back to one of its ancestors. A landing into it stops then, until somebody accepts it. */
export interface Rollback {
  readonly _tag: "Rollback"
  readonly snapshotId: bigint
}

/** Names a statistics file, of the table or of its partitions, in place of what its snapshot has (specification, "Statistics"). */
export interface SetStatistics {
  readonly _tag: "SetStatistics"
  readonly of: "table" | "partitions"
  /** As metadata has it: `snapshot-id`, `statistics-path`, `file-size-in-bytes` and more. */
  readonly statistics: JsonObject
}

/** Forgets a snapshot's statistics files. They stay until orphan removal takes them. */
export interface RemoveStatistics {
  readonly _tag: "RemoveStatistics"
  readonly snapshotId: bigint
}

/**
 * Makes the table one of a later format version, alone in its commit. Readers of the earlier version only cannot read it any
 * more; nothing makes it go back.
 */
export interface UpgradeFormat {
  readonly _tag: "UpgradeFormat"
  readonly formatVersion: 2 | 3
}

/** Changes of what the table is, not of its rows: they need no snapshot. */
export type StructureAction =
  | UpgradeFormat
  | UpdateSchema
  | UpdatePartitionSpec
  | ReplaceSortOrder
  | SetProperties
  | SetRef
  | RemoveRef
  | Rollback
  | RemoveSnapshots
  | SetStatistics
  | RemoveStatistics

export type TableAction =
  | Append
  | RewriteFiles
  | ChangeRows
  | RewriteManifests
  | RepairManifests
  | CherryPick
  | StructureAction

/**
 * **Gotchas**: the files must exist and be synced. Give every attempt the same array: its manifest is then written once
 * and used again after a conflict.
 */
export const append = (files: ReadonlyArray<DataFile>, summary: StringMap = new Map()): Append => ({
  _tag: "Append",
  files,
  summary
})

export const setProperties = (properties: StringMap, removed: ReadonlyArray<string> = []): SetProperties => ({
  _tag: "SetProperties",
  properties,
  removed
})

/** **Gotchas**: as with `append`, the same arrays for every attempt let manifests be used again. */
export const rewriteFiles = (rewrite: Omit<RewriteFiles, "_tag">): RewriteFiles => ({
  _tag: "RewriteFiles",
  ...rewrite
})

/** **Gotchas**: as with `append`, the same arrays for every attempt let manifests be used again. */
export const changeRows = (change: Omit<ChangeRows, "_tag">): ChangeRows => ({ _tag: "ChangeRows", ...change })

export const rewriteManifests = (rewrite: Omit<RewriteManifests, "_tag">): RewriteManifests => ({
  _tag: "RewriteManifests",
  ...rewrite
})

export const repairManifests = (repair: Omit<RepairManifests, "_tag">): RepairManifests => ({
  _tag: "RepairManifests",
  ...repair
})

export const setStatistics = (of: SetStatistics["of"], statistics: JsonObject): SetStatistics => ({
  _tag: "SetStatistics",
  of,
  statistics
})

export const removeStatistics = (snapshotId: bigint): RemoveStatistics => ({ _tag: "RemoveStatistics", snapshotId })

export const cherryPick = (snapshotId: bigint): CherryPick => ({ _tag: "CherryPick", snapshotId })

export const removeSnapshots = (
  snapshotIds: ReadonlyArray<bigint>,
  refs: ReadonlyArray<string> = []
): RemoveSnapshots => ({
  _tag: "RemoveSnapshots",
  snapshotIds,
  refs
})

export const updateSchema = (...changes: ReadonlyArray<SchemaChange>): UpdateSchema => ({
  _tag: "UpdateSchema",
  changes
})

export const updatePartitionSpec = (...changes: ReadonlyArray<PartitionChange>): UpdatePartitionSpec => ({
  _tag: "UpdatePartitionSpec",
  changes
})

export const replaceSortOrder = (...by: ReadonlyArray<SortBy>): ReplaceSortOrder => ({ _tag: "ReplaceSortOrder", by })

export const setRef = (name: string, ref: SnapshotRef): SetRef => ({ _tag: "SetRef", name, ref })

export const removeRef = (name: string): RemoveRef => ({ _tag: "RemoveRef", name })

export const upgradeFormat = (formatVersion: UpgradeFormat["formatVersion"]): UpgradeFormat => ({
  _tag: "UpgradeFormat",
  formatVersion
})

export const rollback = (snapshotId: bigint): Rollback => ({ _tag: "Rollback", snapshotId })
