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
import { entriesMax, writeManifest } from "./WriteManifest.ts"

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
  paths: ReadonlySet<string>,
  sequenceNumber: bigint
): Effect.fn.Return<RewrittenManifest | undefined, LakeError> {
  const { partition } = yield* specOf(base, manifest.partitionSpecId)
  // what earlier snapshots deleted is told by their own manifests
  const live = (yield* memory.fileIO.readManifest(manifest, partition)).filter(isLive)
  const replaced: Array<ManifestEntry> = []
  const changed = live.map((entry): ManifestEntry => {
    if (!paths.has(entry.dataFile.filePath)) return asExisting(entry)
    const deleted: ManifestEntry = { ...entry, status: "deleted", snapshotId: memory.snapshotId }
    replaced.push(deleted)
    return deleted
  })
  if (replaced.length === 0) return undefined
  if (replaced.length === live.length) return { manifest: undefined, replaced }
  const written = yield* writeManifest(memory, base, manifest.partitionSpecId, changed, sequenceNumber, "m1")
  return { manifest: written, replaced }
})

/** A manifest that a commit rewrites, and what of it was replaced. */
interface Emptied {
  readonly manifest: ManifestFile
  readonly replaced: ReadonlyArray<ManifestEntry>
}

/**
 * Of manifests of which nothing is left: manifests that tell what the commit deletes, as few as hold it. A compaction of many small
 * commits would otherwise write one for each of them, and its snapshot would list them all.
 */
const writeEmptied = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  emptied: ReadonlyArray<Emptied>,
  sequenceNumber: bigint
): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError> {
  const key = emptied.map(({ manifest }) => manifest.manifestPath).join("\n")
  const known = memory.emptied.get(key)
  if (known !== undefined) return known
  const written: Array<ManifestFile> = []
  for (const [specId, group] of Map.groupBy(emptied, ({ manifest }) => manifest.partitionSpecId)) {
    const entries = group.flatMap(({ replaced }) => replaced)
    for (let from = 0; from < entries.length; from += entriesMax) {
      const some = entries.slice(from, from + entriesMax)
      written.push(yield* writeManifest(memory, base, specId, some, sequenceNumber, "m1"))
    }
  }
  memory.emptied.set(key, written)
  return written
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
  const emptied: Array<Emptied> = []
  let missing = paths.size
  for (const manifest of listed) {
    const mayName = missing > 0 && manifest.content === "data" && liveFiles(manifest) > 0
    if (mayName && !known.has(manifest.manifestPath)) {
      known.set(manifest.manifestPath, yield* withoutReplaced(memory, base, manifest, paths, sequenceNumber))
    }
    const found = mayName ? known.get(manifest.manifestPath) : undefined
    if (found === undefined) untouched.push(manifest)
    else {
      if (found.manifest === undefined) emptied.push({ manifest, replaced: found.replaced })
      else rewritten.push(found.manifest)
      missing -= found.replaced.length
    }
  }
  if (missing !== 0) return yield* moved(base, `${missing} of ${paths.size} files to be replaced have gone`)
  rewritten.push(...(yield* writeEmptied(memory, base, emptied, sequenceNumber)))
  return { untouched, rewritten: rewritten.map((manifest) => ({ ...manifest, sequenceNumber })) }
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
