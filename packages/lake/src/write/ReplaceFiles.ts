/**
 * Takes files out of a base's manifests: how rewrites and changes of rows replace them.
 *
 * Called by their stages. Every file must still be live in the base, and none of its rows may have been deleted since it was
 * read: else RequirementFailed. A manifest without any of the files is kept as it is.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import { LakeError } from "../LakeError.ts"
import { deletesOf } from "../read/DeletesOf.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { asExisting, isLive, liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import { specById } from "../spec/TableMetadata.ts"
import type { RewrittenManifest, StagingMemory } from "./StagingMemory.ts"
import { writeManifest } from "./WriteManifest.ts"

/** The table is not as it was when its files were read. */
export const moved = (base: Table, what: string): LakeError =>
  new LakeError({
    reason: "RequirementFailed",
    message: `table ${identifierText(base.identifier)}: ${what} since its files were read: plan anew`
  })

/** The manifest with the replaced files marked as deleted; undefined when it names none of them. */
const withoutReplaced = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  manifest: ManifestFile,
  replaced: ReadonlySet<string>,
  sequenceNumber: bigint
): Effect.fn.Return<RewrittenManifest | undefined, LakeError> {
  const { partition } = yield* specOf(base, manifest.partitionSpecId)
  const entries = yield* memory.fileIO.readManifest(manifest, partition)
  let count = 0
  const changed = entries
    // what earlier snapshots deleted is told by their own manifests
    .filter(isLive)
    .map((entry): ManifestEntry => {
      if (!replaced.has(entry.dataFile.filePath)) return asExisting(entry)
      count++
      return { ...entry, status: "deleted", snapshotId: memory.snapshotId }
    })
  if (count === 0) return undefined
  const written = yield* writeManifest(memory, base, manifest.partitionSpecId, changed, sequenceNumber, "m1")
  return { manifest: written, replaced: count }
})

export interface Replaced {
  /** Manifests that name no replaced file. */
  readonly untouched: ReadonlyArray<ManifestFile>
  readonly rewritten: ReadonlyArray<ManifestFile>
}

export const replaceIn = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  removed: ReadonlyArray<DataFile>,
  sequenceNumber: bigint
): Effect.fn.Return<Replaced, LakeError> {
  const paths = new Set(removed.map((file) => file.filePath))
  const known = memory.rewritten.get(removed) ?? new Map<string, RewrittenManifest | undefined>()
  memory.rewritten.set(removed, known)
  const untouched: Array<ManifestFile> = []
  const rewritten: Array<ManifestFile> = []
  let missing = paths.size
  for (const manifest of listed) {
    const mayName = missing > 0 && manifest.content === "data" && liveFiles(manifest) > 0
    if (mayName && !known.has(manifest.manifestPath)) {
      known.set(manifest.manifestPath, yield* withoutReplaced(memory, base, manifest, paths, sequenceNumber))
    }
    const found = mayName ? known.get(manifest.manifestPath) : undefined
    if (found === undefined) untouched.push(manifest)
    else {
      rewritten.push({ ...found.manifest, sequenceNumber })
      missing -= found.replaced
    }
  }
  if (missing !== 0) return yield* moved(base, `${missing} of ${paths.size} files to be replaced have gone`)
  return { untouched, rewritten }
})

/** Deletes that came after the rows were read and mean a replaced file would be lost with it. */
export const refuseNewDeletes = Effect.fnUntraced(function* (
  { fileIO }: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  removed: ReadonlyArray<DataFile>,
  startingSequenceNumber: bigint
): Effect.fn.Return<void, LakeError> {
  const newer = listed.filter(
    (manifest) =>
      manifest.content === "deletes" && liveFiles(manifest) > 0 && manifest.sequenceNumber > startingSequenceNumber
  )
  if (newer.length === 0) return
  const read = yield* Effect.forEach(newer, (manifest) =>
    Effect.flatMap(specOf(base, manifest.partitionSpecId), ({ partition }) =>
      fileIO.readDeleteManifest(manifest, partition)
    )
  )
  const came = read.flat().filter(({ sequenceNumber, status }) => {
    return status !== "deleted" && sequenceNumber !== null && sequenceNumber > startingSequenceNumber
  })
  const applying = deletesOf(came, (specId) => specById(base.metadata, specId))
  const meant = removed.filter((dataFile) => {
    const sequenceNumber = startingSequenceNumber
    return (
      applying({ status: "existing", snapshotId: 0n, sequenceNumber, fileSequenceNumber: null, dataFile }).length > 0
    )
  })
  if (meant.length > 0) return yield* moved(base, `rows of ${meant.length} files to be replaced were deleted`)
})
