/**
 * Which manifests of a list to write anew, and how their entries are divided. Pure.
 *
 * By value: small ones that make fewer, too large ones, and those most of whose entries tell of deletes. **Guarantee**: what was
 * written anew is not chosen again, so that repeated runs come to an end.
 */
import type { ContentFile } from "../spec/DataFile.ts"
import { comparePartitions, liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"

/** Java's default of `commit.manifest.target-size-bytes`. */
const bytesTargetDefault = 8 * 1024 * 1024

/** How large a table's manifests are to be. */
export const manifestBytesTarget = (metadata: TableMetadata): number => {
  const bytes = Number(metadata.properties.get("commit.manifest.target-size-bytes") ?? bytesTargetDefault)
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : bytesTargetDefault
}

/** Smaller than this share of the target is small, larger than that is large. */
const smallShare = 0.5
const largeShare = 1.8

/** More of a manifest's entries tell of deletes, which no scan of a later snapshot needs. */
const deletedShareMax = 0.5

/** Manifests of one content and spec that are written anew together. */
export type ManifestGroup = ReadonlyArray<ManifestFile>

const bytesOf = (manifests: ReadonlyArray<ManifestFile>): number =>
  manifests.reduce((sum, manifest) => sum + Number(manifest.manifestLength), 0)

const entriesOf = (manifest: ManifestFile): number => liveFiles(manifest) + manifest.deletedFilesCount

/** What its live entries take. */
const liveBytes = (manifest: ManifestFile): number =>
  entriesOf(manifest) === 0 ? 0 : (Number(manifest.manifestLength) * liveFiles(manifest)) / entriesOf(manifest)

const chosenOf = (manifests: ManifestGroup, bytesTarget: number): ManifestGroup => {
  const small = manifests.filter((manifest) => Number(manifest.manifestLength) < smallShare * bytesTarget)
  const fewer = small.length > Math.max(1, Math.ceil(bytesOf(small) / bytesTarget))
  const others = manifests.filter(
    (manifest) =>
      // one file cannot be divided
      (liveFiles(manifest) > 1 && Number(manifest.manifestLength) > largeShare * bytesTarget) ||
      manifest.deletedFilesCount > deletedShareMax * entriesOf(manifest)
  )
  const chosen = new Set([...(fewer ? small : []), ...others])
  return manifests.filter((manifest) => chosen.has(manifest))
}

/**
 * The groups to be written anew, those of delete files apart. `all`: every manifest, so that each holds neighbouring partitions.
 */
export const planManifests = (
  listed: ReadonlyArray<ManifestFile>,
  bytesTarget: number,
  all: boolean
): ReadonlyArray<ManifestGroup> => {
  const live = listed.filter((manifest) => liveFiles(manifest) > 0)
  const groups = Map.groupBy(live, ({ content, partitionSpecId }) => `${content}/${partitionSpecId}`)
  return Array.from(groups.values(), (group) => (all ? group : chosenOf(group, bytesTarget))).filter(
    (group) => group.length > 0
  )
}

const compareEntries = (a: ManifestEntry<ContentFile>, b: ManifestEntry<ContentFile>): number => {
  const order = comparePartitions(a, b)
  if (order !== 0) return order
  const [x, y] = [a.sequenceNumber ?? 0n, b.sequenceNumber ?? 0n]
  if (x !== y) return x < y ? -1 : 1
  return a.dataFile.filePath < b.dataFile.filePath ? -1 : a.dataFile.filePath > b.dataFile.filePath ? 1 : 0
}

/** A group's live entries in order of their partitions, divided into manifests of about the target size. */
export const divideEntries = <Entry extends ManifestEntry<ContentFile>>(
  group: ManifestGroup,
  live: ReadonlyArray<Entry>,
  bytesTarget: number
): ReadonlyArray<ReadonlyArray<Entry>> => {
  const bytes = group.reduce((sum, manifest) => sum + liveBytes(manifest), 0)
  const pieces = Math.min(live.length, Math.max(1, Math.ceil(bytes / bytesTarget)))
  const sorted = live.toSorted(compareEntries)
  const starts = Array.from({ length: pieces + 1 }, (_, i) => Math.floor((sorted.length * i) / pieces))
  return starts.slice(0, -1).map((from, i) => sorted.slice(from, starts[i + 1]))
}
