/**
 * Manifests and their entries in a manifest list (specification, "Manifests", "Manifest Lists").
 *
 * A manifest lists files of one partition spec; a snapshot's list names its manifests with what a scan needs to skip them.
 */
import type { ContentFile, DataFile, DeleteFile, PartitionValue } from "./DataFile.ts"
import { singleValueToBytes } from "./SingleValue.ts"
import type { PrimitiveType } from "./Type.ts"

/** One file in a manifest. */
export interface ManifestEntry<File extends ContentFile = DataFile> {
  /** Deleted entries tell what a snapshot removed; scans pass over them. */
  readonly status: "existing" | "added" | "deleted"
  readonly snapshotId: bigint
  /**
   * Data sequence number. Null only in an added entry to be written: it inherits the number of the commit that succeeds,
   * so that a retry reuses the manifest. Java and DuckDB fail on null in any other entry.
   */
  readonly sequenceNumber: bigint | null
  readonly fileSequenceNumber: bigint | null
  readonly dataFile: File
}

/** Of a manifest of data files, or of one of deletes. */
export type AnyEntry = ManifestEntry<DataFile | DeleteFile>

/** In the order of their numbers in a manifest. */
export const entryStatuses = ["existing", "added", "deleted"] as const satisfies ReadonlyArray<ManifestEntry["status"]>

/** Its file is in the table. */
export const isLive = ({ status }: Pick<ManifestEntry, "status">): boolean => status !== "deleted"

/** A live entry as a manifest that is written anew has it: its numbers and its snapshot stay. */
export const asExisting = <Entry extends ManifestEntry<ContentFile>>(entry: Entry): Entry => ({
  ...entry,
  status: "existing"
})

/** What a manifest list says of one partition field over all files of a manifest. */
export interface FieldSummary {
  readonly containsNull: boolean
  readonly containsNan: boolean | null
  /** Null when no file has a value (all null or NaN). */
  readonly lowerBound: Uint8Array | null
  readonly upperBound: Uint8Array | null
}

/** A manifest as a list names it. Counts are of entries; wrong ones make readers skip the manifest. */
export interface ManifestFile {
  readonly manifestPath: string
  /** The file's exact size. */
  readonly manifestLength: bigint
  readonly partitionSpecId: number
  readonly content: "data" | "deletes"
  readonly sequenceNumber: bigint
  /** The lowest data sequence number of a live file in it. */
  readonly minSequenceNumber: bigint
  readonly addedSnapshotId: bigint
  readonly addedFilesCount: number
  readonly existingFilesCount: number
  readonly deletedFilesCount: number
  readonly addedRowsCount: bigint
  readonly existingRowsCount: bigint
  readonly deletedRowsCount: bigint
  /** One for each field of the spec, in its order; null when the writer gave none. */
  readonly partitions: ReadonlyArray<FieldSummary> | null
  readonly keyMetadata: Uint8Array | null
  /** Of format version 3, of data: the first row id that its files without one of their own have. */
  readonly firstRowId?: bigint
}

/** Files that are in the table by this manifest. */
export const liveFiles = (manifest: ManifestFile): number => manifest.addedFilesCount + manifest.existingFilesCount

/** Rows of those files. */
export const liveRows = (manifest: ManifestFile): bigint => manifest.addedRowsCount + manifest.existingRowsCount

/** Orders two values of one type as Iceberg does: text and bytes by unsigned bytes. */
export const compareValues = (a: NonNullable<PartitionValue>, b: NonNullable<PartitionValue>): number => {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** The same, where equal numbers are told apart: −0.0 before 0.0, NaN behind all (specification, "Sorting"). */
const compareExactly = (a: NonNullable<PartitionValue>, b: NonNullable<PartitionValue>): number => {
  const order = compareValues(a, b)
  if (order !== 0 || typeof a !== "number" || typeof b !== "number") return order
  if (isNan(a) || isNan(b)) return Number(isNan(a)) - Number(isNan(b))
  return Number(Object.is(b, -0)) - Number(Object.is(a, -0))
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const differs = a.findIndex((byte, i) => byte !== b[i])
  return differs < 0 ? a.length - b.length : (a[differs] ?? 0) - (b[differs] ?? -1)
}

// UTF-8 sorts by code point, JavaScript's < by UTF-16 unit: they differ once surrogates meet U+E000 and above.
const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) {
      const [xHigh, yHigh] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff]
      return xHigh === yHigh ? x - y : xHigh ? 1 : -1
    }
  }
  return a.length - b.length
}

const compareNullable = (a: PartitionValue, b: PartitionValue): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return compareExactly(a, b)
}

/** By partition: entries of one partition lie together in a manifest, so that readers of it pass over the rest. */
export const comparePartitions = (a: ManifestEntry<ContentFile>, b: ManifestEntry<ContentFile>): number => {
  for (const [i, value] of a.dataFile.partition.entries()) {
    const order = compareNullable(value, b.dataFile.partition[i] ?? null)
    if (order !== 0) return order
  }
  return 0
}

const isNan = (value: PartitionValue): boolean => typeof value === "number" && Number.isNaN(value)

/** The summary of one partition field over the values of a manifest's files. */
export const summariseField = (type: PrimitiveType, values: ReadonlyArray<PartitionValue>): FieldSummary => {
  let least: NonNullable<PartitionValue> | null = null
  let greatest: NonNullable<PartitionValue> | null = null
  for (const value of values) {
    if (value === null || isNan(value)) continue
    if (least === null || compareExactly(value, least) < 0) least = value
    if (greatest === null || compareExactly(value, greatest) > 0) greatest = value
  }
  return {
    containsNull: values.includes(null),
    containsNan: values.some(isNan),
    lowerBound: least === null ? null : singleValueToBytes(type, least),
    upperBound: greatest === null ? null : singleValueToBytes(type, greatest)
  }
}
