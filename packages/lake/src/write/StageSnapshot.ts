/**
 * The last step of every stage that makes a snapshot: its manifest list, and the updates that make it the branch's head.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { LakeError } from "../LakeError.ts"
import type { StringMap } from "../spec/JsonRead.ts"
import { metadataFolder } from "../spec/Locations.ts"
import type { ManifestFile } from "../spec/Manifest.ts"
import { changeTimeMs, type MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { branchAt, type Snapshot } from "../spec/Snapshot.ts"
import { giveRowIds } from "../spec/RowLineage.ts"
import { snapshotSummary, type FileChange } from "../spec/SnapshotSummary.ts"
import { headOf, specById } from "../spec/TableMetadata.ts"
import type { StagingMemory } from "./StagingMemory.ts"

export interface SnapshotDraft {
  readonly operation: "append" | "replace" | "overwrite" | "delete"
  readonly sequenceNumber: bigint
  /** The whole list. */
  readonly manifests: ReadonlyArray<ManifestFile>
  readonly change: FileChange
  /** Entries of the summary besides the counts. */
  readonly summary: StringMap
}

/** Makes the list; it is written before the swap, and nothing is committed here. */
export const stageSnapshot = Effect.fnUntraced(function* (
  memory: StagingMemory,
  { metadata }: Table,
  draft: SnapshotDraft,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const { branch, fileIO, snapshotId, staged } = memory
  const { operation, sequenceNumber } = draft
  const firstRowId = metadata.nextRowId
  const given = metadata.formatVersion < 3 ? undefined : giveRowIds(draft.manifests, firstRowId)
  const manifests = given?.manifests ?? draft.manifests
  const parent = headOf(metadata, branch)
  const parentSnapshotId = parent?.snapshotId ?? null
  const manifestList = `${metadataFolder(metadata)}/snap-${snapshotId}-${attempt}-${yield* randomUuid}.avro`
  const lineage = given === undefined ? {} : { firstRowId, addedRows: given.addedRows }
  const owner = { snapshotId, parentSnapshotId, sequenceNumber, ...lineage }
  yield* staged.add(yield* fileIO.stageManifestList(manifestList, owner, manifests))
  const counts = snapshotSummary(parent, draft.change, manifests, (specId) => specById(metadata, specId))
  const snapshot: Snapshot = {
    snapshotId,
    parentSnapshotId,
    sequenceNumber,
    timestampMs: changeTimeMs(metadata, nowMs),
    manifestList,
    operation,
    // Counts last: a caller's entry cannot change what readers rely on.
    summary: new Map([...draft.summary, ...counts]),
    schemaId: metadata.currentSchemaId,
    ...lineage
  }
  const ref = metadata.refs.get(branch)
  if (ref?.type === "tag") {
    return yield* new LakeError({ reason: "Invalid", message: `${branch} is a tag: nothing is committed to it` })
  }
  return [
    { _tag: "AddSnapshot", snapshot },
    {
      _tag: "SetSnapshotRef",
      name: branch,
      ref: ref === undefined ? branchAt(snapshotId) : { ...ref, snapshotId }
    }
  ]
})
