/**
 * Rows of the metadata tables that tell of one snapshot: manifests, files, entries, partitions.
 *
 * Pure: from a manifest of its list, and from the manifest's entries.
 */
import type { DataFile, DeleteFile } from "../../spec/DataFile.ts"
import type { JsonObject, JsonValue } from "../../spec/Json.ts"
import { type AnyEntry, entryStatuses, type ManifestFile } from "../../spec/Manifest.ts"
import type { BoundPartitionField } from "../../spec/PartitionSpec.ts"
import { singleValueFromBytes } from "../../spec/SingleValue.ts"
import { snapshotById } from "../../spec/TableMetadata.ts"
import { contentJson, type FileColumns, metricsJson, partitionJson } from "./FileColumns.ts"
import { instantJson } from "./TableRows.ts"
import { partitionText } from "./ValueText.ts"

type Bound = ReadonlyArray<BoundPartitionField>

const summaryRows = ({ hidden }: FileColumns, { partitions }: ManifestFile, bound: Bound): JsonValue =>
  (partitions ?? []).map((summary, i) => {
    const field = bound[i]
    const text = (bytes: Uint8Array | null): JsonValue =>
      bytes === null || field?.type === undefined || hidden.has(field.sourceId)
        ? null
        : partitionText(field.transform, field.type, singleValueFromBytes(field.type, bytes))
    return {
      contains_null: summary.containsNull,
      contains_nan: summary.containsNan,
      lower_bound: text(summary.lowerBound),
      upper_bound: text(summary.upperBound)
    }
  })

export const manifestRow = (columns: FileColumns, manifest: ManifestFile, bound: Bound): JsonObject => {
  const data = manifest.content === "data"
  const of = (isOwn: boolean, count: number) => (isOwn ? count : 0)
  return {
    content: data ? 0 : 1,
    path: manifest.manifestPath,
    length: manifest.manifestLength,
    partition_spec_id: manifest.partitionSpecId,
    added_snapshot_id: manifest.addedSnapshotId,
    added_data_files_count: of(data, manifest.addedFilesCount),
    existing_data_files_count: of(data, manifest.existingFilesCount),
    deleted_data_files_count: of(data, manifest.deletedFilesCount),
    added_delete_files_count: of(!data, manifest.addedFilesCount),
    existing_delete_files_count: of(!data, manifest.existingFilesCount),
    deleted_delete_files_count: of(!data, manifest.deletedFilesCount),
    partition_summaries: summaryRows(columns, manifest, bound)
  }
}

export const fileRow = (columns: FileColumns, { dataFile }: AnyEntry, bound: Bound): JsonObject => ({
  ...contentJson(columns, bound, dataFile),
  readable_metrics: metricsJson(columns, dataFile)
})

export const entryRow = (columns: FileColumns, entry: AnyEntry, bound: Bound): JsonObject => ({
  status: entryStatuses.indexOf(entry.status),
  snapshot_id: entry.snapshotId,
  sequence_number: entry.sequenceNumber,
  file_sequence_number: entry.fileSequenceNumber,
  data_file: contentJson(columns, bound, entry.dataFile),
  readable_metrics: metricsJson(columns, entry.dataFile)
})

interface PartitionCounts {
  readonly partition: JsonObject
  readonly specId: number
  records: bigint
  files: number
  bytes: bigint
  positionRecords: bigint
  positionFiles: number
  equalityRecords: bigint
  equalityFiles: number
  updatedMs: number | null
  updatedId: bigint | null
}

/** Counts files by partition: one row for each, in the order in which they are met. **Bounds**: memory by partitions. */
export class PartitionRows {
  private readonly counts = new Map<string, PartitionCounts>()
  private readonly columns: FileColumns
  /** Partitions are told apart by what is hidden too. */
  private readonly seen: FileColumns

  constructor(columns: FileColumns) {
    this.columns = columns
    this.seen = { ...columns, hidden: new Set() }
  }

  add({ dataFile, snapshotId }: AnyEntry, bound: Bound): void {
    const key = JSON.stringify([
      bound.map(({ fieldId }) => fieldId),
      partitionJson(this.seen, bound, dataFile.partition)
    ])
    let at = this.counts.get(key)
    if (at === undefined) {
      at = {
        partition: partitionJson(this.columns, bound, dataFile.partition),
        specId: dataFile.specId,
        records: 0n,
        files: 0,
        bytes: 0n,
        positionRecords: 0n,
        positionFiles: 0,
        equalityRecords: 0n,
        equalityFiles: 0,
        updatedMs: null,
        updatedId: null
      }
      this.counts.set(key, at)
    }
    count(at, dataFile)
    const snapshot = snapshotById(this.columns.metadata, snapshotId)
    if (snapshot !== undefined && (at.updatedMs === null || at.updatedMs < snapshot.timestampMs)) {
      at.updatedMs = snapshot.timestampMs
      at.updatedId = snapshot.snapshotId
    }
  }

  rows(): ReadonlyArray<JsonObject> {
    return Array.from(this.counts.values(), (at) => ({
      partition: at.partition,
      spec_id: at.specId,
      record_count: at.records,
      file_count: at.files,
      total_data_file_size_in_bytes: at.bytes,
      position_delete_record_count: at.positionRecords,
      position_delete_file_count: at.positionFiles,
      equality_delete_record_count: at.equalityRecords,
      equality_delete_file_count: at.equalityFiles,
      last_updated_at: at.updatedMs === null ? null : instantJson(at.updatedMs),
      last_updated_snapshot_id: at.updatedId
    }))
  }
}

const count = (at: PartitionCounts, file: DataFile | DeleteFile): void => {
  if (!("content" in file)) {
    at.records += file.recordCount
    at.files += 1
    at.bytes += file.fileSizeInBytes
  } else if (file.content === "position-deletes") {
    at.positionRecords += file.recordCount
    at.positionFiles += 1
  } else {
    at.equalityRecords += file.recordCount
    at.equalityFiles += 1
  }
}
