/**
 * Stages a rewrite on a base: new files in the place of old ones that hold the same rows (specification, "Snapshots", `replace`).
 *
 * Called by the commit loop for each attempt. Every replaced file must still be live in the base: one that another commit
 * rewrote or deleted fails the attempt with RequirementFailed, and so do delete files that came after the rows were read.
 * Files that were only appended beside are kept as they are.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { LakeError } from "../LakeError.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { currentSnapshot } from "../spec/TableMetadata.ts"
import { mergeManifests } from "./MergeManifests.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { RewrittenManifest, StagingMemory } from "./StagingMemory.ts"
import type { RewriteFiles } from "./TableAction.ts"
import { manifestsOfNewFiles, specOf, writeManifest } from "./WriteManifest.ts"

const moved = (base: Table, what: string): LakeError =>
  new LakeError({
    reason: "RequirementFailed",
    message: `table ${identifierText(base.identifier)}: ${what} since its files were read: plan anew`
  })

/** Without position deletes read here, any that came later may mean a replaced file. */
const refuseNewDeletes = (
  base: Table,
  manifests: ReadonlyArray<ManifestFile>,
  startingSequenceNumber: bigint
): Effect.Effect<void, LakeError> =>
  manifests.some(
    (manifest) =>
      manifest.content === "deletes" && liveFiles(manifest) > 0 && manifest.sequenceNumber > startingSequenceNumber
  )
    ? Effect.fail(moved(base, "delete files were added"))
    : Effect.void

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
    .filter((entry) => entry.status !== "deleted")
    .map((entry): ManifestEntry => {
      if (!replaced.has(entry.dataFile.filePath)) return { ...entry, status: "existing" }
      count++
      return { ...entry, status: "deleted", snapshotId: memory.snapshotId }
    })
  if (count === 0) return undefined
  const written = yield* writeManifest(memory, base, manifest.partitionSpecId, changed, sequenceNumber, "m1")
  return { manifest: written, replaced: count }
})

interface Replaced {
  /** Manifests that name no replaced file. */
  readonly untouched: ReadonlyArray<ManifestFile>
  readonly rewritten: ReadonlyArray<ManifestFile>
}

const replaceIn = Effect.fnUntraced(function* (
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

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageRewrite = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: RewriteFiles,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const parent = currentSnapshot(base.metadata)
  const { added, removed, startingSequenceNumber, summary } = action
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const listed = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  yield* refuseNewDeletes(base, listed, startingSequenceNumber)
  const { rewritten, untouched } = yield* replaceIn(memory, base, listed, removed, sequenceNumber)
  const manifests = [
    ...(yield* manifestsOfNewFiles(memory, base, added, startingSequenceNumber, sequenceNumber)),
    ...rewritten,
    ...(yield* mergeManifests(memory, base, untouched, sequenceNumber))
  ]
  const draft = { operation: "replace", sequenceNumber, manifests, change: { added, removed }, summary } as const
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
