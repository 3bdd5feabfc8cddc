/**
 * Takes delete files out of a base's manifests: those that a deletion vector replaces, and vectors of data files that go
 * (specification, "Deletion Vectors": at most one for a data file).
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
import { moved } from "./ReplaceFiles.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import { writeManifest } from "./WriteManifest.ts"

export interface Dropped {
  /** All that the new list names. */
  readonly manifests: ReadonlyArray<ManifestFile>
  readonly dropped: ReadonlyArray<DeleteFile>
}

/** `listed` are the base's manifests; those of data are passed over. `removed` are data files that go. */
export const dropDeletes = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  removed: ReadonlyArray<DataFile>,
  replaced: ReadonlyArray<DeleteFile>,
  sequenceNumber: bigint
): Effect.fn.Return<Dropped, LakeError> {
  const live = listed.filter((manifest) => manifest.content === "deletes" && liveFiles(manifest) > 0)
  if (base.metadata.formatVersion < 3 || removed.length + replaced.length === 0) return { manifests: live, dropped: [] }
  const wanted = new Set(replaced.map(contentKey))
  const gone = new Set(removed.map(({ filePath }) => normaliseUri(filePath)))
  const dropped: Array<DeleteFile> = []
  const goes = (file: DeleteFile): boolean =>
    wanted.has(contentKey(file)) || (isVector(file) && gone.has(normaliseUri(file.referencedDataFile ?? "")))
  const manifests = yield* Effect.forEach(live, (manifest) =>
    Effect.gen(function* () {
      const { partition } = yield* specOf(base, manifest.partitionSpecId)
      const entries = yield* memory.fileIO.readDeleteManifest(manifest, partition)
      const now = entries.filter(isLive)
      const going = now.filter(({ dataFile }) => goes(dataFile))
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
