/**
 * Stages a change of rows on a base: files that go, files that come, deletes of rows (specification, "Snapshots": `delete`,
 * `overwrite`, `append`).
 *
 * Called by the commit loop for each attempt. What was committed since the change was decided is held against it first
 * (Java's snapshot and serializable isolation); a base that does not bear it fails with RequirementFailed: decide anew.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import { fromFormat, type LakeError } from "../LakeError.ts"
import { mayMatch } from "../read/Filter.ts"
import { pruner } from "../read/Prune.ts"
import type { DataFile, DeleteFile } from "../spec/DataFile.ts"
import { liveFiles, type ManifestFile } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { partitionKey } from "../spec/PartitionSpec.ts"
import { ancestorsOf, currentSchema, headOf, snapshotById } from "../spec/TableMetadata.ts"
import { dropDeletes } from "./DropDeletes.ts"
import { mergeManifests } from "./MergeManifests.ts"
import { moved, refuseNewDeletes, replaceIn } from "./ReplaceFiles.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { ChangeRows } from "./TableAction.ts"
import { manifestsOfNewDeletes, manifestsOfNewFiles } from "./WriteManifest.ts"

/** Snapshots of the branch since the one that was read; fails when that one is not in its line any more. */
const snapshotsSince = (
  base: Table,
  head: Snapshot | undefined,
  readSnapshotId: bigint | null
): Effect.Effect<ReadonlyArray<Snapshot>, LakeError> => {
  const since: Array<Snapshot> = []
  for (const snapshot of ancestorsOf(base.metadata, head?.snapshotId ?? null)) {
    if (snapshot.snapshotId === readSnapshotId) return Effect.succeed(since)
    since.push(snapshot)
  }
  return readSnapshotId === null
    ? Effect.succeed(since)
    : Effect.fail(moved(base, `it has been rolled back, or snapshot ${readSnapshotId} has expired,`))
}

/** Rows that came since and that the change would have been about. */
const refuseNewRows = Effect.fnUntraced(function* (
  { fileIO }: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  since: ReadonlyArray<Snapshot>,
  { filter, partitions }: ChangeRows
): Effect.fn.Return<void, LakeError> {
  // rewrites alone move rows, and bring none; beside others they may have moved what those brought
  if (since.every(({ operation }) => operation === "replace")) return
  const made = new Set(since.map(({ snapshotId }) => snapshotId))
  const prune = pruner(currentSchema(base.metadata))
  const isAbout = ({ partition, specId }: DataFile): boolean =>
    partitions === undefined || specId !== partitions.specId || partitions.keys.has(partitionKey(specId, partition))
  for (const manifest of listed) {
    // a manifest that was merged since has no added entries: they tell themselves which snapshot brought them
    if (manifest.content !== "data" || liveFiles(manifest) === 0 || !made.has(manifest.addedSnapshotId)) continue
    const { partition } = yield* specOf(base, manifest.partitionSpecId)
    const entries = yield* fileIO.readManifest(manifest, partition)
    const came = yield* Effect.try({
      try: () =>
        entries.filter(
          ({ dataFile, snapshotId, status }) =>
            status !== "deleted" &&
            made.has(snapshotId) &&
            isAbout(dataFile) &&
            (filter === undefined || mayMatch(filter, prune.file(partition, dataFile)))
        ),
      catch: fromFormat("manifest", manifest.manifestPath)
    })
    if (came.length > 0) return yield* moved(base, `${came.length} files came that it may be about`)
  }
})

/** Data files that new position deletes mean must be there. */
const refuseLostFiles = Effect.fnUntraced(function* (
  { fileIO }: StagingMemory,
  base: Table,
  listed: ReadonlyArray<ManifestFile>,
  { deletes }: ChangeRows
): Effect.fn.Return<void, LakeError> {
  const named = new Set(deletes.flatMap(({ referencedDataFile }) => referencedDataFile ?? []))
  for (const manifest of listed) {
    if (named.size === 0) return
    if (manifest.content !== "data" || liveFiles(manifest) === 0) continue
    const { partition } = yield* specOf(base, manifest.partitionSpecId)
    for (const { dataFile, status } of yield* fileIO.readManifest(manifest, partition))
      if (status !== "deleted") named.delete(dataFile.filePath)
  }
  if (named.size > 0) return yield* moved(base, `${named.size} files of which rows are to be deleted have gone`)
})

/** The data file that a delete file means, as far as deletes are found by it. */
const referencedBy = (file: DeleteFile): DataFile => ({
  ...file,
  filePath: file.referencedDataFile ?? "",
  fileFormat: "PARQUET"
})

const operationOf = ({ added, deletes, removed }: ChangeRows): "append" | "overwrite" | "delete" => {
  if (removed.length + deletes.length === 0) return "append"
  return added.length === 0 ? "delete" : "overwrite"
}

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageChange = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: ChangeRows,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const { metadata } = base
  const { added, deletes, isolation, readSnapshotId, removed, summary } = action
  const parent = headOf(metadata, memory.branch)
  const listed = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  const since = yield* snapshotsSince(base, parent, readSnapshotId)
  const startingSequenceNumber =
    readSnapshotId === null ? 0n : (snapshotById(metadata, readSnapshotId)?.sequenceNumber ?? 0n)
  if (since.length > 0) {
    if (isolation === "serializable") yield* refuseNewRows(memory, base, listed, since, action)
    yield* refuseNewDeletes(memory, base, listed, removed, startingSequenceNumber)
    yield* refuseLostFiles(memory, base, listed, action)
    // whoever deleted rows of the same files was first: a row that both put anew would be there twice, and a vector, which has
    // every deleted row of its file, would lose theirs
    yield* refuseNewDeletes(memory, base, listed, deletes.map(referencedBy), startingSequenceNumber)
  }
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const data = listed.filter(({ content }) => content === "data")
  const { rewritten, untouched } = yield* replaceIn(memory, base, data, removed, sequenceNumber)
  const dropping = { removed, replaced: action.replacedDeletes, oldestData: 0n }
  const known = yield* dropDeletes(memory, base, listed, dropping, sequenceNumber)
  const manifests = [
    ...(yield* manifestsOfNewFiles(memory, base, added, null, sequenceNumber)),
    ...rewritten,
    ...(yield* mergeManifests(memory, base, untouched, sequenceNumber)),
    ...(yield* manifestsOfNewDeletes(memory, base, deletes, sequenceNumber)),
    ...known.manifests
  ]
  const change = { added, removed, deletes, droppedDeletes: known.dropped }
  const draft = { operation: operationOf(action), sequenceNumber, manifests, change, summary }
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
