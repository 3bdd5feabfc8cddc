/**
 * Stages a rewrite of manifests on a base: the same files under fewer and better filled manifests (specification, "Snapshots",
 * `replace`).
 *
 * Called by the commit loop for each attempt, and by dry runs. Entries are written as existing, with their own sequence numbers
 * and the snapshot that added each; those that tell of deletes are left out. What was written stays good for a base on which its
 * sources are still listed: appends beside it are kept as they are.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import type { LakeError } from "../LakeError.ts"
import { asExisting, isLive, liveFiles, type ManifestFile } from "../spec/Manifest.ts"
import type { MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { noChange } from "../spec/SnapshotSummary.ts"
import { headOf } from "../spec/TableMetadata.ts"
import { divideEntries, manifestBytesTarget, type ManifestGroup, planManifests } from "./PlanManifests.ts"
import { stageSnapshot } from "./StageSnapshot.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import type { RewriteManifests } from "./TableAction.ts"
import { writeManifest } from "./WriteManifest.ts"

/** Manifests read at once. */
const readsMax = 8

/** A list with some of its manifests written anew. */
export interface RewrittenList {
  readonly replaced: ReadonlyArray<ManifestFile>
  readonly written: ReadonlyArray<ManifestFile>
  /** Without manifests that have no live file. */
  readonly kept: ReadonlyArray<ManifestFile>
}

const writeGroup = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  group: ManifestGroup,
  sequenceNumber: bigint
): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError> {
  const [first] = group
  if (first === undefined) return []
  const { content, partitionSpecId } = first
  const { partition } = yield* specOf(base, partitionSpecId)
  const read = yield* Effect.forEach(group, (manifest) => memory.fileIO.readEntries(manifest, partition), {
    concurrency: readsMax
  })
  const live = read.flat().filter(isLive).map(asExisting)
  return yield* Effect.forEach(divideEntries(group, live, manifestBytesTarget(base.metadata)), (piece) =>
    writeManifest(memory, base, partitionSpecId, piece, sequenceNumber, "m1", content)
  )
})

/** What an earlier attempt wrote, when all that it was made of is still listed. */
const known = (memory: StagingMemory, listed: ReadonlyArray<ManifestFile>): RewrittenList | undefined => {
  const { rewrittenList } = memory
  if (rewrittenList === undefined) return undefined
  const byPath = new Map(listed.map((manifest) => [manifest.manifestPath, manifest]))
  const { replaced, written } = rewrittenList
  if (!replaced.every(({ manifestPath }) => byPath.has(manifestPath))) return undefined
  const gone = new Set(replaced.map(({ manifestPath }) => manifestPath))
  const kept = listed.filter((manifest) => liveFiles(manifest) > 0 && !gone.has(manifest.manifestPath))
  return { replaced, written, kept }
}

/** The list of a base's branch as the action leaves it. */
export const rewriteListed = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  { all }: Pick<RewriteManifests, "all">
): Effect.fn.Return<RewrittenList, LakeError> {
  const parent = headOf(base.metadata, memory.branch)
  const listed = parent === undefined ? [] : yield* memory.fileIO.readManifestList(parent.manifestList)
  const before = known(memory, listed)
  if (before !== undefined) return before
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const groups = planManifests(listed, manifestBytesTarget(base.metadata), all)
  const written = yield* Effect.forEach(groups, (group) => writeGroup(memory, base, group, sequenceNumber))
  const replaced = groups.flat()
  memory.rewrittenList = { replaced, written: written.flat() }
  const gone = new Set(replaced)
  const kept = listed.filter((manifest) => liveFiles(manifest) > 0 && !gone.has(manifest))
  return { replaced, written: written.flat(), kept }
})

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageManifests = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: RewriteManifests,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const { kept, replaced, written } = yield* rewriteListed(memory, base, action)
  const manifests = [...written.map((manifest) => ({ ...manifest, sequenceNumber })), ...kept]
  const entries = written.reduce((sum, manifest) => sum + liveFiles(manifest), 0)
  const summary = new Map([
    ...action.summary,
    ["manifests-created", String(written.length)],
    ["manifests-kept", String(kept.length)],
    ["manifests-replaced", String(replaced.length)],
    ["entries-processed", String(entries)]
  ])
  const draft = { operation: "replace", sequenceNumber, manifests, change: noChange, summary } as const
  return yield* stageSnapshot(memory, base, draft, attempt, nowMs)
})
