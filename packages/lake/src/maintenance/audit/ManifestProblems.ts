/**
 * What a manifest list says of a manifest, against the manifest's own entries. Pure.
 *
 * A summary may be wider than the partitions are, and a least sequence number lower: no reader loses rows by it.
 */
import type { ContentFile, PartitionValue } from "../../spec/DataFile.ts"
import { compareValues, isLive, type FieldSummary, type ManifestEntry, type ManifestFile } from "../../spec/Manifest.ts"
import type { BoundPartitionField } from "../../spec/PartitionSpec.ts"
import { singleValueFromBytes } from "../../spec/SingleValue.ts"
import type { PrimitiveType } from "../../spec/Type.ts"
import type { FactKind, FactProblem } from "./FactProblem.ts"

type Entries = ReadonlyArray<ManifestEntry<ContentFile>>

const ofStatus = (entries: Entries, status: ManifestEntry["status"]) => {
  const chosen = entries.filter((entry) => entry.status === status)
  return { files: chosen.length, rows: chosen.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0n) }
}

const countProblems = (manifest: ManifestFile, entries: Entries): ReadonlyArray<string> => {
  const [added, existing, deleted] = [
    ofStatus(entries, "added"),
    ofStatus(entries, "existing"),
    ofStatus(entries, "deleted")
  ]
  const compared: ReadonlyArray<readonly [string, number | bigint, number | bigint]> = [
    ["added files", manifest.addedFilesCount, added.files],
    ["existing files", manifest.existingFilesCount, existing.files],
    ["deleted files", manifest.deletedFilesCount, deleted.files],
    ["added rows", manifest.addedRowsCount, added.rows],
    ["existing rows", manifest.existingRowsCount, existing.rows],
    ["deleted rows", manifest.deletedRowsCount, deleted.rows]
  ]
  return compared
    .filter(([, listed, found]) => listed !== found)
    .map(([what, listed, found]) => `the list says ${listed} ${what}, it has ${found}`)
}

const isNan = (value: PartitionValue): boolean => typeof value === "number" && Number.isNaN(value)

/** Whether the summary leaves room for every value. */
const holds = (summary: FieldSummary, type: PrimitiveType, values: ReadonlyArray<PartitionValue>): boolean => {
  if (values.includes(null) && !summary.containsNull) return false
  if (values.some(isNan) && summary.containsNan === false) return false
  const known = values.filter((value) => value !== null && !isNan(value)) as ReadonlyArray<NonNullable<PartitionValue>> // filtered
  const { lowerBound, upperBound } = summary
  if (known.length > 0 && (lowerBound === null || upperBound === null)) return false
  // Java orders UUIDs as signed numbers, others by their bytes
  if (type._tag === "uuid") return true
  const [lower, upper] = [lowerBound, upperBound].map((bytes) =>
    bytes === null ? undefined : singleValueFromBytes(type, bytes)
  )
  return known.every(
    (value) =>
      (lower === undefined || compareValues(lower, value) <= 0) &&
      (upper === undefined || compareValues(upper, value) >= 0)
  )
}

const summaryProblems = (
  manifest: ManifestFile,
  entries: Entries,
  partition: ReadonlyArray<BoundPartitionField>
): ReadonlyArray<string> => {
  const { partitions } = manifest
  if (partitions === null) return []
  if (partitions.length !== partition.length) {
    return [`the list summarises ${partitions.length} partition fields, its spec has ${partition.length}`]
  }
  return partition.flatMap(({ name, type }, i) => {
    const summary = partitions[i]
    const values = entries.map(({ dataFile }) => dataFile.partition[i] ?? null)
    const right = summary === undefined || type === undefined || holds(summary, type, values)
    return right ? [] : [`the list's summary of partition field ${name} leaves out partitions that it has`]
  })
}

const sequenceProblems = (manifest: ManifestFile, live: Entries): ReadonlyArray<string> =>
  live.flatMap(({ dataFile, fileSequenceNumber, sequenceNumber }) => {
    const [data, file] = [sequenceNumber ?? manifest.sequenceNumber, fileSequenceNumber ?? manifest.sequenceNumber]
    if (file > manifest.sequenceNumber) {
      return [`${dataFile.filePath} has file sequence number ${file}, above the manifest's ${manifest.sequenceNumber}`]
    }
    return data > file ? [`${dataFile.filePath} has sequence number ${data}, above that of its file, ${file}`] : []
  })

/** What is wrong with a manifest of a list that belongs to a snapshot of this sequence number. */
export const manifestProblems = (
  manifest: ManifestFile,
  entries: Entries,
  partition: ReadonlyArray<BoundPartitionField>,
  snapshotSequenceNumber: bigint
): ReadonlyArray<FactProblem> => {
  const as =
    (kind: FactKind) =>
    (message: string): FactProblem => ({ kind, where: manifest.manifestPath, message })
  const live = entries.filter(isLive)
  const lowest = live.reduce<bigint | undefined>((least, { sequenceNumber }) => {
    return sequenceNumber !== null && (least === undefined || sequenceNumber < least) ? sequenceNumber : least
  }, undefined)
  const tooHigh = lowest !== undefined && manifest.minSequenceNumber > lowest
  return [
    ...countProblems(manifest, entries).map(as("manifest-counts")),
    ...summaryProblems(manifest, entries, partition).map(as("manifest-summary")),
    ...(tooHigh
      ? [
          as("manifest-summary")(
            `the list says that no sequence number is below ${manifest.minSequenceNumber}, it has ${lowest}`
          )
        ]
      : []),
    ...(manifest.sequenceNumber > snapshotSequenceNumber
      ? [
          as("sequence")(
            `has sequence number ${manifest.sequenceNumber}, above its snapshot's ${snapshotSequenceNumber}`
          )
        ]
      : []),
    ...sequenceProblems(manifest, live).map(as("sequence"))
  ]
}
