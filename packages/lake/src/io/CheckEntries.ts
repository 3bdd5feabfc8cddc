/**
 * Whether a manifest's entries are what the manifest list says of them: rows, sequence numbers and partition values.
 *
 * Avro's deflate has no checksum, so a damaged block may still decode; and readers leave manifests out by what the list says.
 * What contradicts it is damage, told before a row is missing. Pure.
 */
import { type ContentFile, type DeleteFile, deletePathId } from "../spec/DataFile.ts"
import { corrupt } from "../spec/FormatError.ts"
import {
  compareValues,
  entryStatuses,
  isLive,
  type FieldSummary,
  type ManifestEntry,
  type ManifestFile
} from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import { singleValueFromBytes } from "../spec/SingleValue.ts"

type Entries = ReadonlyArray<ManifestEntry<ContentFile>>

/** All entries of the manifest: the list's rows must hold, as readers count by them. */
export const checkRows = (entries: Entries, manifest: ManifestFile): void => {
  const expected = [manifest.existingRowsCount, manifest.addedRowsCount, manifest.deletedRowsCount]
  entryStatuses.forEach((status, i) => {
    const found = entries.reduce((rows, each) => (each.status === status ? rows + each.dataFile.recordCount : rows), 0n)
    if (found !== expected[i]) {
      corrupt("manifest", `holds ${found} rows that are ${status}, but the manifest list says ${expected[i]}`)
    }
  })
}

const checkNumber = (entry: ManifestEntry<ContentFile>, manifest: ManifestFile, where: string): void => {
  const number = entry.sequenceNumber ?? 0n
  if (number >= manifest.minSequenceNumber && number <= manifest.sequenceNumber) return
  const said = `${manifest.minSequenceNumber} to ${manifest.sequenceNumber}`
  corrupt(`${where}.sequence_number`, `is ${number}, but the manifest list says ${said}`)
}

type CheckPartition = (file: ContentFile, where: string) => void

/** Of floating numbers and UUIDs, writers' orders differ. */
const partitionCheck = (
  partition: ReadonlyArray<BoundPartitionField>,
  summaries: ReadonlyArray<FieldSummary> | null
): CheckPartition => {
  const fields = partition.map(({ name, type }, i) => {
    const summary = summaries?.[i]
    if (summary === undefined || type === undefined || ["float", "double", "uuid"].includes(type._tag)) return undefined
    const { containsNull, lowerBound, upperBound } = summary
    const bound = (bytes: Uint8Array | null) => (bytes === null ? undefined : singleValueFromBytes(type, bytes))
    return { name, containsNull, lower: bound(lowerBound), upper: bound(upperBound) }
  })
  return (file, where) =>
    fields.forEach((field, i) => {
      if (field === undefined) return
      const value = file.partition[i] ?? null
      const fits =
        value === null
          ? field.containsNull
          : field.lower !== undefined &&
            field.upper !== undefined &&
            compareValues(field.lower, value) <= 0 &&
            compareValues(value, field.upper) <= 0
      if (!fits) corrupt(`${where}.partition.${field.name}`, "is not among the values that the manifest list says")
    })
}

const utf8 = new TextDecoder()

/** A file of positions that names its one data file has no paths but that one: shortened bounds still enclose it. */
const checkReference = (file: ContentFile | DeleteFile, where: string): void => {
  const path = "referencedDataFile" in file ? file.referencedDataFile : null
  const [lower, upper] = [file.lowerBounds.get(deletePathId), file.upperBounds.get(deletePathId)]
  if (path === null || lower === undefined || upper === undefined) return
  if (utf8.decode(lower) <= path && path <= utf8.decode(upper)) return
  corrupt(`${where}.referenced_data_file`, "is not among the paths that the file has by its bounds")
}

/** FormatError for the first live entry, of all or some, that is not as the list says. */
export const checkEntries = (
  entries: Entries,
  manifest: ManifestFile,
  partition: ReadonlyArray<BoundPartitionField>
): void => {
  const checkPartition = partitionCheck(partition, manifest.partitions)
  entries.forEach((entry, i) => {
    if (!isLive(entry)) return
    checkNumber(entry, manifest, `entry ${i}`)
    checkPartition(entry.dataFile, `entry ${i}`)
    checkReference(entry.dataFile, `entry ${i}`)
  })
}
