/**
 * The entries of small manifests that were decoded lately: between two scans most of a table's manifests stay, and a table of
 * many small commits has many of one file each.
 *
 * **Guarantees**: what is remembered is what decoding would give: all that it depends on, the list's words and the spec's
 * fields, is compared. **Bounds**: so many manifests of so many bytes.
 */
import type { FieldSummary, ManifestEntry, ManifestFile } from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import { typeEquals } from "../spec/Type.ts"
import { Recent } from "./Recent.ts"

const manifestsMax = 256
const manifestBytesMax = 8 * 1024

type Partition = ReadonlyArray<Pick<BoundPartitionField, "fieldId" | "type">>

interface Decoded {
  manifest: ManifestFile
  readonly partition: Partition
  readonly entries: ReadonlyArray<ManifestEntry>
}

const sameBytes = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
  a === b || (a !== null && b !== null && a.length === b.length && a.every((byte, i) => byte === b[i]))

const sameSummary = (a: FieldSummary, b: FieldSummary | undefined): boolean =>
  b !== undefined &&
  a.containsNull === b.containsNull &&
  a.containsNan === b.containsNan &&
  sameBytes(a.lowerBound, b.lowerBound) &&
  sameBytes(a.upperBound, b.upperBound)

type Summaries = ManifestFile["partitions"]

const sameSummaries = (a: Summaries, b: Summaries): boolean =>
  a === b || (a !== null && b !== null && a.length === b.length && a.every((summary, i) => sameSummary(summary, b[i])))

/** Fields that hold one value. An encrypted manifest is not read. */
const single = [
  ...(["manifestPath", "manifestLength", "partitionSpecId", "content", "sequenceNumber", "minSequenceNumber"] as const),
  ...(["addedSnapshotId", "addedFilesCount", "existingFilesCount", "deletedFilesCount"] as const),
  ...(["addedRowsCount", "existingRowsCount", "deletedRowsCount", "firstRowId"] as const)
] satisfies ReadonlyArray<Exclude<keyof ManifestFile, "partitions" | "keyMetadata">>

const sameListed = (a: ManifestFile, b: ManifestFile): boolean =>
  a === b || (single.every((name) => a[name] === b[name]) && sameSummaries(a.partitions, b.partitions))

const samePartition = (a: Partition, b: Partition): boolean =>
  a.length === b.length &&
  a.every(({ fieldId, type }, i) => {
    const other = b[i]
    if (fieldId !== other?.fieldId) return false
    return type === undefined || other.type === undefined ? type === other.type : typeEquals(type, other.type)
  })

export class RecentEntries {
  private readonly recent = new Recent<Decoded>(manifestsMax)

  /** Its entries are remembered. */
  takes(manifest: ManifestFile): boolean {
    return manifest.content === "data" && manifest.manifestLength <= manifestBytesMax
  }

  get(manifest: ManifestFile, partition: Partition): ReadonlyArray<ManifestEntry> | undefined {
    const known = this.recent.get(manifest.manifestPath)
    if (known === undefined || !sameListed(known.manifest, manifest) || !samePartition(known.partition, partition))
      return undefined
    // the next scan has it of the same list
    known.manifest = manifest
    return known.entries
  }

  set(manifest: ManifestFile, partition: Partition, entries: ReadonlyArray<ManifestEntry>): void {
    this.recent.set(manifest.manifestPath, { manifest, partition, entries })
  }
}
