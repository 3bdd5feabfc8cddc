/**
 * Stages the picking of a snapshot onto a branch: what another branch, or a write-audit-publish, holds ready comes in.
 *
 * Called by the commit loop for each attempt. As the reference implementation has it: a child of the branch's head becomes the
 * head itself; files of an append come in by a new snapshot that names its source; anything else was decided on other rows and
 * is refused with Invalid. **Guarantee**: the same snapshot, or the same `wap.id`, is in a branch at most once.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { LakeError } from "../LakeError.ts"
import type { DataFile } from "../spec/DataFile.ts"
import type { StringMap } from "../spec/JsonRead.ts"
import { isLive, liveFiles } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { branchAt, type Snapshot } from "../spec/Snapshot.ts"
import { ancestorsOf, headOf, snapshotById } from "../spec/TableMetadata.ts"
import { stageAppend } from "./StageAppend.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { CherryPick } from "./TableAction.ts"
import { specOf } from "./WriteManifest.ts"

/** In summaries: under which id a snapshot waits to be published, and what published it came from. */
const wapId = "wap.id"
const publishedWapId = "published-wap-id"
const sourceSnapshotId = "source-snapshot-id"

/** Why it cannot be picked, whatever it holds. */
const refusal = (picked: Snapshot, ancestors: ReadonlyArray<Snapshot>): string | undefined => {
  const { snapshotId, summary } = picked
  if (ancestors.some((each) => each.snapshotId === snapshotId)) return "it is in the branch already"
  const again = ancestors.find((each) => each.summary.get(sourceSnapshotId) === String(snapshotId))
  if (again !== undefined) return `snapshot ${again.snapshotId} was picked from it already`
  const id = summary.get(wapId)
  if (id === undefined) return undefined
  const published = ancestors.find((each) => each.summary.get(wapId) === id || each.summary.get(publishedWapId) === id)
  return published === undefined ? undefined : `snapshot ${published.snapshotId} has published ${wapId} ${id} already`
}

/** Data files that the snapshot itself added. */
const filesAddedBy = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  picked: Snapshot
): Effect.fn.Return<ReadonlyArray<DataFile>, LakeError> {
  const known = memory.picked
  if (known !== undefined) return known
  const files: Array<DataFile> = []
  for (const manifest of yield* memory.fileIO.readManifestList(picked.manifestList)) {
    if (manifest.content !== "data" || manifest.addedSnapshotId !== picked.snapshotId) continue
    const { partition } = yield* specOf(base, manifest.partitionSpecId)
    for (const { dataFile, snapshotId, status } of yield* memory.fileIO.readManifest(manifest, partition))
      if (status === "added" && snapshotId === picked.snapshotId) files.push(dataFile)
  }
  // the same array for every attempt: its manifest is written once
  memory.picked = files
  return files
})

/** Whether the branch has one of the files: a table lists a file once. */
const hasAny = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  head: Snapshot | undefined,
  files: ReadonlyArray<DataFile>
): Effect.fn.Return<boolean, LakeError> {
  if (head === undefined) return false
  const paths = new Set(files.map(({ filePath }) => filePath))
  for (const manifest of yield* memory.fileIO.readManifestList(head.manifestList)) {
    if (manifest.content !== "data" || liveFiles(manifest) === 0) continue
    const { partition } = yield* specOf(base, manifest.partitionSpecId)
    const entries = yield* memory.fileIO.readManifest(manifest, partition)
    if (entries.some((entry) => isLive(entry) && paths.has(entry.dataFile.filePath))) return true
  }
  return false
})

const summaryOf = ({ snapshotId, summary }: Snapshot): StringMap => {
  const id = summary.get(wapId)
  return new Map([
    [sourceSnapshotId, String(snapshotId)],
    ...(id === undefined ? [] : ([[publishedWapId, id]] as const))
  ])
}

/** The updates that bring the snapshot in: to the branch as it is, or by a new snapshot that is written here. */
export const stageCherryPick = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  { snapshotId }: CherryPick,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const { metadata } = base
  const { branch } = memory
  const refuse = (why: string) =>
    new LakeError({
      reason: "Invalid",
      message: `table ${identifierText(base.identifier)}: snapshot ${snapshotId} cannot be picked onto ${branch}: ${why}`
    })
  const picked = snapshotById(metadata, snapshotId)
  if (picked === undefined) return yield* refuse("the table does not have it")
  const ref = metadata.refs.get(branch)
  if (ref?.type === "tag") return yield* refuse("that is a tag")
  const head = headOf(metadata, branch)
  const why = refusal(picked, Array.from(ancestorsOf(metadata, head?.snapshotId ?? null)))
  if (why !== undefined) return yield* refuse(why)
  if (picked.parentSnapshotId === (head?.snapshotId ?? null)) {
    return [
      {
        _tag: "SetSnapshotRef",
        name: branch,
        ref: ref === undefined ? branchAt(snapshotId) : { ...ref, snapshotId }
      }
    ]
  }
  if (picked.operation !== "append") {
    return yield* refuse(
      `it is a change of operation ${picked.operation} on another state than the branch's; do it anew there`
    )
  }
  const files = yield* filesAddedBy(memory, base, picked)
  // by way of a snapshot that was picked from it, and picked itself
  if (yield* hasAny(memory, base, head, files)) return yield* refuse("files of it are in the branch already")
  return yield* stageAppend(memory, base, { _tag: "Append", files, summary: summaryOf(picked) }, attempt, nowMs)
})
