/**
 * The last step of every stage that makes a snapshot: its manifest list, and the updates that make it current on `main`.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { randomUuid } from "../io/RandomIds.ts"
import type { LakeError } from "../LakeError.ts"
import type { StringMap } from "../spec/JsonRead.ts"
import { metadataFolder } from "../spec/Locations.ts"
import type { ManifestFile } from "../spec/Manifest.ts"
import { changeTimeMs, type MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { branchAt, mainBranch, type Snapshot } from "../spec/Snapshot.ts"
import { snapshotSummary, type FileChange } from "../spec/SnapshotSummary.ts"
import { currentSnapshot, specById } from "../spec/TableMetadata.ts"
import type { StagingMemory } from "./StagingMemory.ts"

export interface SnapshotDraft {
  readonly operation: "append" | "replace"
  readonly sequenceNumber: bigint
  /** The whole list. */
  readonly manifests: ReadonlyArray<ManifestFile>
  readonly change: FileChange
  /** Entries of the summary besides the counts. */
  readonly summary: StringMap
}

/** Writes the list; nothing is committed. */
export const stageSnapshot = Effect.fnUntraced(function* (
  memory: StagingMemory,
  { metadata }: Table,
  draft: SnapshotDraft,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const { fileIO, snapshotId } = memory
  const { manifests, operation, sequenceNumber } = draft
  const parent = currentSnapshot(metadata)
  const parentSnapshotId = parent?.snapshotId ?? null
  const manifestList = `${metadataFolder(metadata)}/snap-${snapshotId}-${attempt}-${yield* randomUuid}.avro`
  yield* fileIO.writeManifestList(manifestList, { snapshotId, parentSnapshotId, sequenceNumber }, manifests)
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
    schemaId: metadata.currentSchemaId
  }
  const main = metadata.refs.get(mainBranch)
  return [
    { _tag: "AddSnapshot", snapshot },
    {
      _tag: "SetSnapshotRef",
      name: mainBranch,
      ref: main === undefined ? branchAt(snapshotId) : { ...main, snapshotId }
    }
  ]
})
