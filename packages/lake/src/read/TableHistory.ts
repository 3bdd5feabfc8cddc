/**
 * A table's snapshots and history as values: what commands and the gateway list, and what the metadata tables `snapshots` and
 * `history` (`inspect/`) are made of.
 *
 * Pure.
 */
import type { StringMap } from "../spec/JsonRead.ts"
import { ancestorsOf, snapshotById, type TableMetadata } from "../spec/TableMetadata.ts"

export interface SnapshotRow {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | null
  readonly committedMs: number
  readonly operation: string
  /** Branches and tags that point to it. */
  readonly refs: ReadonlyArray<string>
  readonly manifestList: string
  readonly summary: StringMap
}

export interface HistoryRow {
  readonly madeCurrentMs: number
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | null
  /** False for a snapshot that was rolled back. */
  readonly currentAncestor: boolean
}

/** Every snapshot that has not expired, oldest first. */
export const listSnapshots = (metadata: TableMetadata): ReadonlyArray<SnapshotRow> => {
  const refs = Array.from(metadata.refs)
  return metadata.snapshots.map((snapshot) => ({
    snapshotId: snapshot.snapshotId,
    parentSnapshotId: snapshot.parentSnapshotId,
    committedMs: snapshot.timestampMs,
    operation: snapshot.operation,
    refs: refs.filter(([, ref]) => ref.snapshotId === snapshot.snapshotId).map(([name]) => name),
    manifestList: snapshot.manifestList,
    summary: snapshot.summary
  }))
}

/** Which snapshot was current when, oldest first. */
export const listHistory = (metadata: TableMetadata): ReadonlyArray<HistoryRow> => {
  const line = new Set(Array.from(ancestorsOf(metadata, metadata.currentSnapshotId), (snapshot) => snapshot.snapshotId))
  return metadata.snapshotLog.map((entry) => ({
    madeCurrentMs: entry.timestampMs,
    snapshotId: entry.snapshotId,
    parentSnapshotId: snapshotById(metadata, entry.snapshotId)?.parentSnapshotId ?? null,
    currentAncestor: line.has(entry.snapshotId)
  }))
}
