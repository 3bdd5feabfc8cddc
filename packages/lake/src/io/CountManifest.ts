/**
 * Counts a manifest of format version 1 whose list does not: lists of it may leave counts out, and a snapshot that names its
 * manifests itself says nothing of them but where they are.
 */
import { entryStatuses, type ManifestFile } from "../spec/Manifest.ts"
import { corrupt } from "../spec/FormatError.ts"
import { asInt, asLong, asOptional, asRecord, renameById } from "./AvroFields.ts"
import { decodeAvroFile } from "./avro/AvroFile.ts"

/** What is known of such a manifest before it is read. */
export interface UncountedManifest extends Pick<ManifestFile, "manifestPath" | "partitions"> {
  readonly partitionSpecId: number | null
  readonly addedSnapshotId: bigint | null
}

/** Of what is counted, by field id. */
const names: ReadonlyMap<number, string> = new Map([
  [0, "status"],
  [1, "snapshot_id"],
  [2, "data_file"],
  [103, "record_count"]
])

/** What a list would say of the manifest, from its entries. */
export const countManifest = (bytes: Uint8Array, listed: UncountedManifest): ManifestFile => {
  const { header, values } = decodeAvroFile(bytes, (type) => renameById(type, (id) => names.get(id)))
  const files = { existing: 0, added: 0, deleted: 0 }
  const rows = { existing: 0n, added: 0n, deleted: 0n }
  let { addedSnapshotId } = listed
  for (const [i, value] of values.entries()) {
    const where = `entry ${i}`
    const record = asRecord(value, where)
    const status =
      entryStatuses[asInt(record["status"], `${where}.status`)] ?? corrupt(`${where}.status`, "is none of 0, 1, 2")
    files[status]++
    rows[status] += asLong(asRecord(record["data_file"], `${where}.data_file`)["record_count"], `${where}.record_count`)
    if (status === "added") addedSnapshotId ??= asOptional(record["snapshot_id"], `${where}.snapshot_id`, asLong)
  }
  return {
    manifestPath: listed.manifestPath,
    manifestLength: BigInt(bytes.length),
    // writers that leave the id out knew one spec a table only
    partitionSpecId: listed.partitionSpecId ?? Number(header.get("partition-spec-id") ?? 0),
    content: "data",
    sequenceNumber: 0n,
    minSequenceNumber: 0n,
    addedSnapshotId: addedSnapshotId ?? 0n,
    addedFilesCount: files.added,
    existingFilesCount: files.existing,
    deletedFilesCount: files.deleted,
    addedRowsCount: rows.added,
    existingRowsCount: rows.existing,
    deletedRowsCount: rows.deleted,
    partitions: listed.partitions,
    keyMetadata: null
  }
}
