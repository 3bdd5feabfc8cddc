/**
 * Takes delete files out of a base's manifests: those that a deletion vector replaces, vectors of data files that go
 * (specification, "Deletion Vectors": at most one for a data file), and those that are older than all data that stays, which
 * apply to nothing ("Scan Planning").
 *
 * Stages of changes and rewrites call it. A manifest without any of them is kept as it is; other delete files of data files that
 * go stay, as they may mean files that do not.
 */
import { normaliseUri } from "@frazil/core"
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import type { LakeError } from "../LakeError.ts"
import { contentKey, isVector, type DataFile, type DeleteFile } from "../spec/DataFile.ts"
import { asExisting, isLive, liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import { unknownField } from "../spec/PartitionSpec.ts"
import { moved } from "./ReplaceFiles.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import { writeManifest } from "./WriteManifest.ts"

export interface Dropped {
  /** All that the new list names. */
  readonly manifests: ReadonlyArray<ManifestFile>
  readonly dropped: ReadonlyArray<DeleteFile>
}

/** What makes delete files go. */
export interface Dropping {
  /** Data files that go. */
  readonly removed: ReadonlyArray<DataFile>
  /** Delete files that others replace: each must still be there. */
  readonly replaced: ReadonlyArray<DeleteFile>
  /** No data file that stays has a lower sequence number. 0 where it is not known: then no delete file is too old. */
  readonly oldestData: bigint
}

/** Equality deletes say something of data that is older than they are, the others also of data that is as old. */
const appliesToNone = ({ dataFile, sequenceNumber }: ManifestEntry<DeleteFile>, oldestData: bigint): boolean => {
  // a number is missing only of entries that were not read from a list
  if (sequenceNumber === null) return false
  return dataFile.content === "equality-deletes" ? sequenceNumber <= oldestData : sequenceNumber < oldestData
}

/** `listed` are the base's manifests; those of data are passed over. */
export const dropDeletes = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  { oldestData, removed, replaced }: Dropping,
  sequenceNumber: bigint
): Effect.fn.Return<Dropped, LakeError> {
  const live = listed.filter((manifest) => manifest.content === "deletes" && liveFiles(manifest) > 0)
  // before version 3 none is replaced, and none goes with its data file
  const replaces = base.metadata.formatVersion >= 3 && removed.length + replaced.length > 0
  const wanted = new Set(replaced.map(contentKey))
  const gone = new Set(removed.map(({ filePath }) => normaliseUri(filePath)))
  const dropped: Array<DeleteFile> = []
  const goes = (entry: ManifestEntry<DeleteFile>): boolean => {
    const file = entry.dataFile
    if (appliesToNone(entry, oldestData) || wanted.has(contentKey(file))) return true
    return isVector(file) && gone.has(normaliseUri(file.referencedDataFile ?? ""))
  }
  const manifests = yield* Effect.forEach(live, (manifest) =>
    Effect.gen(function* () {
      if (!replaces && manifest.minSequenceNumber > oldestData) return manifest
      const { partition, spec } = yield* specOf(base, manifest.partitionSpecId)
      // is never written anew here, and does no harm
      if (!replaces && unknownField(spec) !== undefined) return manifest
      const entries = yield* memory.fileIO.readDeleteManifest(manifest, partition)
      const now = entries.filter(isLive)
      const going = now.filter(goes)
      if (going.length === 0) return manifest
      dropped.push(...going.map(({ dataFile }) => dataFile))
      const changed = now.map((entry): ManifestEntry<DeleteFile> =>
        going.includes(entry) ? { ...entry, status: "deleted", snapshotId: memory.snapshotId } : asExisting(entry)
      )
      return yield* writeManifest(memory, base, manifest.partitionSpecId, changed, sequenceNumber, "m1", "deletes")
    })
  )
  const found = new Set(dropped.map(contentKey))
  const missing = replaced.filter((file) => !found.has(contentKey(file))).length
  if (missing > 0) return yield* moved(base, `${missing} delete files to be replaced have gone`)
  return { manifests, dropped }
})
