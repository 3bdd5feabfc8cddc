/**
 * Stages a repair on a base: manifests written anew with the facts that files have (specification, "Snapshots", `replace`).
 *
 * Called by the commit loop for each attempt. No row comes or goes: files stay listed, with their numbers and the snapshot that
 * added each. A manifest that is listed no more fails with RequirementFailed: audit again.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import type { LakeError } from "../LakeError.ts"
import { contentKey, type DeleteFile } from "../spec/DataFile.ts"
import { asExisting, isLive, liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { noChange } from "../spec/SnapshotSummary.ts"
import { headOf } from "../spec/TableMetadata.ts"
import { moved } from "./ReplaceFiles.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { RepairManifests } from "./TableAction.ts"
import { specOf, writeManifest } from "./WriteManifest.ts"

const writeAnew = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  manifest: ManifestFile,
  { facts }: RepairManifests,
  sequenceNumber: bigint
): Effect.fn.Return<ManifestFile, LakeError> {
  const { content, partitionSpecId } = manifest
  const { partition } = yield* specOf(base, partitionSpecId)
  const live = <Entry extends ManifestEntry | ManifestEntry<DeleteFile>>(entries: ReadonlyArray<Entry>) =>
    entries.filter(isLive).map((entry): Entry => ({
      ...asExisting(entry),
      dataFile: { ...entry.dataFile, ...facts.get(entry.dataFile.filePath), ...facts.get(contentKey(entry.dataFile)) }
    }))
  const entries =
    content === "data"
      ? live(yield* memory.fileIO.readManifest(manifest, partition, undefined, "manifest"))
      : live(yield* memory.fileIO.readDeleteManifest(manifest, partition, "manifest"))
  return yield* writeManifest(memory, base, partitionSpecId, entries, sequenceNumber, "m1", content)
})

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageRepair = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: RepairManifests,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const parent = headOf(base.metadata, memory.branch)
  const listed = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  const wrong = listed.filter(({ manifestPath }) => action.manifests.has(manifestPath))
  if (wrong.length < action.manifests.size) {
    return yield* moved(base, `${action.manifests.size - wrong.length} manifests to be repaired have gone`)
  }
  const written: Array<ManifestFile> = []
  for (const manifest of wrong) {
    const known = memory.merged.get(manifest.manifestPath)
    const anew = known ?? (yield* writeAnew(memory, base, manifest, action, sequenceNumber))
    memory.merged.set(manifest.manifestPath, anew)
    if (liveFiles(anew) > 0) written.push({ ...anew, sequenceNumber })
  }
  const gone = new Set(wrong)
  const manifests = [...written, ...listed.filter((manifest) => !gone.has(manifest) && liveFiles(manifest) > 0)]
  const draft = { operation: "replace", sequenceNumber, manifests, change: noChange, summary: action.summary } as const
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
