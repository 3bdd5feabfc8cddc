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

export type TableAction = Append | SetProperties

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
