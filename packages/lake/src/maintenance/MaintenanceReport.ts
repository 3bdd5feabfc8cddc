/**
 * What a maintenance action did to a table, or would do: the same figures for a dry run and for the real one.
 *
 * Printed by `apps/maintenance` and appended to the topic `maintenance`.
 */
export type MaintenanceAction = "compact" | "manifests" | "expire" | "orphans"

export interface MaintenanceReport {
  /** `namespace.table`. */
  readonly table: string
  readonly action: MaintenanceAction
  readonly dryRun: boolean
  readonly startedAtMs: number
  readonly finishedAtMs: number
  /**
   * compact: live data files of the current snapshot. manifests: its manifests. expire: files of all kinds that some snapshot names, and superseded
   * metadata files that may go. orphans: the orphans.
   */
  readonly filesBefore: number
  readonly filesAfter: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Swaps that others won, and groups of files given up because others had changed them. */
  readonly conflicts: number
  /** Snapshots that expiry removed; 0 for other actions. */
  readonly snapshotsExpired: number
  /** The last snapshot that a compaction made, or a rewrite of manifests. */
  readonly snapshotId: string | undefined
  /** Groups of files that the budget of a compaction leaves to the next run. */
  readonly groupsLeft?: number
  /** Files that were, or would be, removed: the first `namedFilesMax` in order of their URIs. Not those a compaction replaces. */
  readonly removed: ReadonlyArray<string>
  /** What stopped it, or could not be removed. */
  readonly error: string | undefined
}

/** URIs that a report names. */
export const namedFilesMax = 100
