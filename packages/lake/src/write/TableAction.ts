/**
 * Table actions as values: what a commit is to do, independent of the base that it will be done on.
 *
 * `commitTable` stages and commits them; each further kind of change is one more value here and one more stage.
 */
import type { DataFile } from "../spec/DataFile.ts"
import type { StringMap } from "../spec/JsonRead.ts"

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

/** Forgets snapshots, and refs whose time is over. Files are not touched. */
export interface RemoveSnapshots {
  readonly _tag: "RemoveSnapshots"
  readonly snapshotIds: ReadonlyArray<bigint>
  readonly refs: ReadonlyArray<string>
}

export type TableAction = Append | SetProperties | RewriteFiles | RemoveSnapshots

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

export const removeSnapshots = (
  snapshotIds: ReadonlyArray<bigint>,
  refs: ReadonlyArray<string> = []
): RemoveSnapshots => ({
  _tag: "RemoveSnapshots",
  snapshotIds,
  refs
})
