/**
 * The summary of a snapshot: counts as Java writes them, all text (specification, "Optional Snapshot Summary Fields").
 *
 * Totals of files and rows are counted from the manifest list, so that they hold whatever an earlier writer's summary
 * said; a reader can then tell a list that lost entries.
 */
import { isVector, type DataFile, type DeleteFile } from "./DataFile.ts"
import type { StringMap } from "./JsonRead.ts"
import { liveFiles, liveRows, type ManifestFile } from "./Manifest.ts"
import { partitionKey, type PartitionSpec } from "./PartitionSpec.ts"
import type { Snapshot } from "./Snapshot.ts"

/** Names this library in the summaries of its snapshots. */
const engineName = "frazil"

/** What a snapshot changes. */
export interface FileChange {
  readonly added: ReadonlyArray<DataFile>
  readonly removed: ReadonlyArray<DataFile>
  /** Delete files that come. */
  readonly deletes: ReadonlyArray<DeleteFile>
  /** Delete files that go. */
  readonly droppedDeletes: ReadonlyArray<DeleteFile>
}

/** Of snapshots that only tell otherwise what is there. */
export const noChange: FileChange = { added: [], removed: [], deletes: [], droppedDeletes: [] }

/** Of a vector, its own bytes: the file has others. */
const sizeOf = (file: DataFile | DeleteFile): bigint =>
  "contentSizeInBytes" in file ? (file.contentSizeInBytes ?? file.fileSizeInBytes) : file.fileSizeInBytes

const arePositions = ({ content }: DeleteFile): boolean => content === "position-deletes"

const sum = <A>(items: ReadonlyArray<A>, of: (item: A) => bigint): bigint =>
  items.reduce((total, item) => total + of(item), 0n)

const parentTotal = (parent: Snapshot | undefined, key: string): bigint => {
  const text = parent === undefined ? "0" : parent.summary.get(key)
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : 0n
}

const atLeastZero = (count: bigint): bigint => (count < 0n ? 0n : count)

/** `manifests` is the new snapshot's whole list, `specOf` finds the spec of a file. */
export const snapshotSummary = (
  parent: Snapshot | undefined,
  { added, deletes: newDeletes, droppedDeletes, removed }: FileChange,
  manifests: ReadonlyArray<ManifestFile>,
  specOf: (specId: number) => PartitionSpec
): StringMap => {
  const data = manifests.filter((manifest) => manifest.content === "data")
  const deletes = manifests.filter((manifest) => manifest.content === "deletes")
  const partitions = new Set(
    [...added, ...removed, ...newDeletes, ...droppedDeletes].map((file) =>
      partitionKey(specOf(file.specId).specId, file.partition)
    )
  )
  const positions = newDeletes.filter(arePositions)
  const removedPositions = sum(droppedDeletes.filter(arePositions), (file) => file.recordCount)
  const removedEqualities = droppedDeletes.filter((file) => !arePositions(file))
  const removedEqualityRows = sum(removedEqualities, (file) => file.recordCount)
  const addedPositions = sum(positions, (file) => file.recordCount)
  const addedSize = sum([...added, ...newDeletes], sizeOf)
  const removedSize = sum([...removed, ...droppedDeletes], sizeOf)
  const changes: ReadonlyArray<readonly [string, bigint]> = [
    ["added-data-files", BigInt(added.length)],
    ["deleted-data-files", BigInt(removed.length)],
    ["added-records", sum(added, (file) => file.recordCount)],
    ["deleted-records", sum(removed, (file) => file.recordCount)],
    ["added-files-size", addedSize],
    ["removed-files-size", removedSize],
    ["added-delete-files", BigInt(newDeletes.length)],
    ["removed-delete-files", BigInt(droppedDeletes.length)],
    ["added-position-delete-files", BigInt(positions.filter((file) => !isVector(file)).length)],
    [
      "removed-position-delete-files",
      BigInt(droppedDeletes.filter((file) => arePositions(file) && !isVector(file)).length)
    ],
    ["removed-equality-delete-files", BigInt(removedEqualities.length)],
    ["added-dvs", BigInt(newDeletes.filter(isVector).length)],
    ["removed-dvs", BigInt(droppedDeletes.filter(isVector).length)],
    ["added-position-deletes", addedPositions],
    ["removed-position-deletes", removedPositions],
    ["removed-equality-deletes", removedEqualityRows]
  ]
  const totals: ReadonlyArray<readonly [string, bigint]> = [
    ["changed-partition-count", BigInt(partitions.size)],
    ["total-records", sum(data, liveRows)],
    ["total-files-size", atLeastZero(parentTotal(parent, "total-files-size") + addedSize - removedSize)],
    ["total-data-files", sum(data, (manifest) => BigInt(liveFiles(manifest)))],
    ["total-delete-files", sum(deletes, (manifest) => BigInt(liveFiles(manifest)))],
    [
      "total-position-deletes",
      atLeastZero(parentTotal(parent, "total-position-deletes") + addedPositions - removedPositions)
    ],
    ["total-equality-deletes", atLeastZero(parentTotal(parent, "total-equality-deletes") - removedEqualityRows)]
  ]
  const counts = [...changes.filter(([, count]) => count > 0n), ...totals]
  return new Map([...counts.map(([key, count]) => [key, String(count)] as const), ["engine-name", engineName]])
}

/** The files that `snapshot` must have by its own summary; undefined when the summary is not ours and may be wrong. */
export const filesPromised = (snapshot: Snapshot): bigint | undefined =>
  snapshot.summary.get("engine-name") === engineName ? parentTotal(snapshot, "total-data-files") : undefined
