/**
 * Merges small manifests into larger ones when a list has grown long, so that lists stay short over many small commits.
 *
 * **Bounds**: a commit merges at most `commit.manifest.min-count-to-merge` (100) manifests of a size, rarely of two, to at
 * most `commit.manifest.target-size-bytes`; each file's entry is written again once per tenfold to hundredfold growth; a list holds fewer
 * than 100 manifests of each size, plus the large ones. Files keep their sequence numbers and the snapshot that added them.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import type { LakeError } from "../LakeError.ts"
import { asExisting, isLive, liveFiles, type ManifestFile } from "../spec/Manifest.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import { manifestBytesTarget } from "./PlanManifests.ts"
import { unknownField } from "../spec/PartitionSpec.ts"
import type { StagingMemory } from "./StagingMemory.ts"
import { writeManifest } from "./WriteManifest.ts"

/** Java's default of `commit.manifest.min-count-to-merge`. */
const manifestsMergeMinDefault = 100

/** Manifests read at once. */
const readsMax = 8

/** So many of a size are merged; never any where the table's `commit.manifest-merge.enabled` is false. */
const manifestsMergeMin = (metadata: TableMetadata): number => {
  if (metadata.properties.get("commit.manifest-merge.enabled")?.toLowerCase() === "false")
    return Number.POSITIVE_INFINITY
  const count = Number(metadata.properties.get("commit.manifest.min-count-to-merge") ?? manifestsMergeMinDefault)
  // one alone is as good as merged
  return Number.isSafeInteger(count) ? Math.max(2, count) : manifestsMergeMinDefault
}

/** Manifests are merged with their like: one with ten times as many files is of the next tier. */
const tierOf = (manifest: ManifestFile): string =>
  `${manifest.partitionSpecId}/${Math.floor(Math.log10(liveFiles(manifest)))}`

/** Manifests of one tier that fit into one of the target size, oldest first; undefined when there are too few. */
const candidates = (
  tier: ReadonlyArray<ManifestFile>,
  countMin: number,
  bytesTarget: number
): ReadonlyArray<ManifestFile> | undefined => {
  const small = tier.filter(
    (manifest) => manifest.content === "data" && Number(manifest.manifestLength) < bytesTarget / 2
  )
  if (small.length < countMin) return undefined
  let bytes = 0
  return small.toReversed().filter((manifest) => {
    bytes += Number(manifest.manifestLength)
    return bytes <= bytesTarget
  })
}

/** Of a spec whose values only another engine can write. */
const isForeign = ({ metadata }: Table, [first]: ReadonlyArray<ManifestFile>): boolean => {
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === first?.partitionSpecId)
  return spec !== undefined && unknownField(spec) !== undefined
}

const writeMerged = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  group: ReadonlyArray<ManifestFile>,
  sequenceNumber: bigint
): Effect.fn.Return<ManifestFile, LakeError> {
  const specId = group[0]?.partitionSpecId ?? base.metadata.defaultSpecId
  const { partition } = yield* specOf(base, specId)
  const read = yield* Effect.forEach(group, (manifest) => memory.fileIO.readManifest(manifest, partition), {
    concurrency: readsMax
  })
  // What earlier snapshots deleted is told by their own lists.
  const entries = read.flat().filter(isLive).map(asExisting)
  return yield* writeManifest(memory, base, specId, entries, sequenceNumber, "m1")
})

/** The manifests to list: `kept` as they are, or with small ones of a spec merged. */
export const mergeManifests = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  kept: ReadonlyArray<ManifestFile>,
  sequenceNumber: bigint
): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError> {
  const countMin = manifestsMergeMin(base.metadata)
  const bytesTarget = manifestBytesTarget(base.metadata)
  // Manifests without live files serve no scan of the new snapshot.
  let manifests = kept.filter((manifest) => liveFiles(manifest) > 0)
  for (const tier of Map.groupBy(manifests, tierOf).values()) {
    const group = candidates(tier, countMin, bytesTarget)
    if (group === undefined || isForeign(base, group)) continue
    const key = group.map((manifest) => manifest.manifestPath).join("\n")
    const merged = memory.merged.get(key) ?? (yield* writeMerged(memory, base, group, sequenceNumber))
    memory.merged.set(key, merged)
    const gone = new Set(group)
    manifests = [{ ...merged, sequenceNumber }, ...manifests.filter((manifest) => !gone.has(manifest))]
  }
  return manifests
})
