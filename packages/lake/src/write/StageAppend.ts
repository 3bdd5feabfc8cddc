/**
 * Stages an append on a base: manifests and the manifest list are written, nothing is committed (specification, "Manifests").
 *
 * Called by the commit loop for each attempt. A manifest of new files is written once and used again on the next base; the
 * list is written anew. Nothing that was written is ever deleted here (protocol, rule 12).
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import type { LakeError } from "../LakeError.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { headOf } from "../spec/TableMetadata.ts"
import { mergeManifests } from "./MergeManifests.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { Append } from "./TableAction.ts"
import { manifestsOfNewFiles } from "./WriteManifest.ts"

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageAppend = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: Append,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const parent = headOf(base.metadata, memory.branch)
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const added = yield* manifestsOfNewFiles(memory, base, action.files, null, sequenceNumber)
  const kept = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  const manifests = [...added, ...(yield* mergeManifests(memory, base, kept, sequenceNumber))]
  const change = { added: action.files, removed: [], deletes: [], droppedDeletes: [] }
  const draft = { operation: "append", sequenceNumber, manifests, change, summary: action.summary } as const
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
