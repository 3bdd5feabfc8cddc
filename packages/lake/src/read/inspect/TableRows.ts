/**
 * Rows of the metadata tables that tell of a whole table: snapshots, history, refs, metadata log.
 *
 * Pure, from the table's metadata alone.
 */
import type { Table } from "../../catalog/Catalog.ts"
import type { JsonObject, JsonValue } from "../../spec/Json.ts"
import { type StringMap, stringMapToJson } from "../../spec/JsonRead.ts"
import { snapshotById } from "../../spec/TableMetadata.ts"
import { listHistory, listSnapshots } from "../TableHistory.ts"
import { castText } from "./ValueText.ts"

/** An instant as DuckDB casts it. */
export const instantJson = (ms: number): JsonValue => castText({ _tag: "timestamptz" }, BigInt(ms) * 1000n)

/** Without what Java writes of each partition, where partition values are hidden. */
const summaryJson = (summary: StringMap, hidden: boolean): JsonObject =>
  stringMapToJson(hidden ? new Map([...summary].filter(([key]) => !key.startsWith("partitions."))) : summary)

export const snapshotRows = ({ metadata }: Table, partitionsHidden: boolean): ReadonlyArray<JsonObject> =>
  listSnapshots(metadata).map((row) => ({
    committed_at: instantJson(row.committedMs),
    snapshot_id: row.snapshotId,
    parent_id: row.parentSnapshotId,
    operation: row.operation,
    manifest_list: row.manifestList,
    summary: summaryJson(row.summary, partitionsHidden)
  }))

export const historyRows = ({ metadata }: Table): ReadonlyArray<JsonObject> =>
  listHistory(metadata).map((row) => ({
    made_current_at: instantJson(row.madeCurrentMs),
    snapshot_id: row.snapshotId,
    parent_id: row.parentSnapshotId,
    is_current_ancestor: row.currentAncestor
  }))

export const refRows = ({ metadata }: Table): ReadonlyArray<JsonObject> =>
  [...metadata.refs].map(([name, ref]) => ({
    name,
    type: ref.type.toUpperCase(),
    snapshot_id: ref.snapshotId,
    max_reference_age_in_ms: ref.maxRefAgeMs,
    min_snapshots_to_keep: ref.minSnapshotsToKeep,
    max_snapshot_age_in_ms: ref.maxSnapshotAgeMs
  }))

/** The earlier metadata files that the table remembers, and the one in force. */
export const metadataLogRows = ({ metadata, metadataLocation }: Table): ReadonlyArray<JsonObject> => {
  const inForce = { timestampMs: metadata.lastUpdatedMs, metadataFile: metadataLocation }
  return [...metadata.metadataLog, inForce].map(({ metadataFile, timestampMs }) => {
    const current = metadata.snapshotLog.findLast((entry) => entry.timestampMs <= timestampMs)
    const snapshot = current === undefined ? undefined : snapshotById(metadata, current.snapshotId)
    return {
      timestamp: instantJson(timestampMs),
      file: metadataFile,
      latest_snapshot_id: snapshot?.snapshotId ?? null,
      latest_schema_id: snapshot?.schemaId ?? null,
      latest_sequence_number: snapshot?.sequenceNumber ?? null
    }
  })
}
