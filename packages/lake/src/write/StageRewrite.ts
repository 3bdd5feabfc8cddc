/**
 * Stages a rewrite on a base: new files in the place of old ones that hold the same rows (specification, "Snapshots", `replace`).
 *
 * Called by the commit loop for each attempt. Files that were only appended beside are kept as they are.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import type { LakeError } from "../LakeError.ts"
import { liveFiles, type ManifestFile } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { headOf } from "../spec/TableMetadata.ts"
import { dropDeletes } from "./DropDeletes.ts"
import { mergeManifests } from "./MergeManifests.ts"
import { refuseNewDeletes, replaceIn } from "./ReplaceFiles.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { RewriteFiles } from "./TableAction.ts"
import { manifestsOfNewFiles } from "./WriteManifest.ts"

/** The least sequence number that a data file of these manifests may have. */
const oldestOf = (manifests: ReadonlyArray<ManifestFile>, sequenceNumber: bigint): bigint =>
  manifests.reduce(
    (least, manifest) =>
      liveFiles(manifest) > 0 && manifest.minSequenceNumber < least ? manifest.minSequenceNumber : least,
    sequenceNumber
  )

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageRewrite = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: RewriteFiles,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const parent = headOf(base.metadata, memory.branch)
  const { added, removed, startingSequenceNumber, summary } = action
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const listed = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  yield* refuseNewDeletes(memory, base, listed, removed, startingSequenceNumber)
  const data = listed.filter(({ content }) => content === "data")
  const { rewritten, untouched } = yield* replaceIn(memory, base, data, removed, sequenceNumber)
  const dataNow = [
    ...(yield* manifestsOfNewFiles(memory, base, added, startingSequenceNumber, sequenceNumber)),
    ...rewritten,
    ...(yield* mergeManifests(memory, base, untouched, sequenceNumber))
  ]
  const dropping = { removed, replaced: [], oldestData: oldestOf(dataNow, sequenceNumber) }
  const deletes = yield* dropDeletes(memory, base, listed, dropping, sequenceNumber)
  const manifests = [...dataNow, ...deletes.manifests]
  const draft = {
    operation: "replace",
    sequenceNumber,
    manifests,
    change: { added, removed, deletes: [], droppedDeletes: deletes.dropped },
    summary
  } as const
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
