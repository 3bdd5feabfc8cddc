/**
 * The snapshots of a line from one, which is left out, to another, which is in: what incremental reads go through.
 *
 * Pure. **Guarantee**: the line is whole, or it fails with SnapshotMissing; a snapshot that has expired is never passed over.
 */
import { Result } from "effect"
import { identifierText, type Table } from "../../catalog/Catalog.ts"
import { LakeError } from "../../LakeError.ts"
import type { Snapshot } from "../../spec/Snapshot.ts"
import { ancestorsOf, snapshotById } from "../../spec/TableMetadata.ts"
import { type AsOf, resolveAsOf, type TableMoment } from "../AsOf.ts"

export interface Between {
  /** Left out, with all before it; undefined: from the table's beginning. */
  readonly fromSnapshotId?: bigint
  /** The last one. The current snapshot when left out; rows are read with its schema. */
  readonly to?: AsOf
}

export interface SnapshotLine {
  readonly moment: TableMoment
  /** Oldest first. */
  readonly snapshots: ReadonlyArray<Snapshot>
}

const missing = (table: Table, what: string): Result.Result<never, LakeError> =>
  Result.fail(
    new LakeError({ reason: "SnapshotMissing", message: `table ${identifierText(table.identifier)}: ${what}` })
  )

export const snapshotsBetween = (
  table: Table,
  { fromSnapshotId, to }: Between
): Result.Result<SnapshotLine, LakeError> =>
  Result.flatMap(resolveAsOf(table.metadata, to ?? { _tag: "Current" }), (moment) => {
    const newest: Array<Snapshot> = []
    for (const snapshot of ancestorsOf(table.metadata, moment.snapshot?.snapshotId ?? null)) {
      if (snapshot.snapshotId === fromSnapshotId) return Result.succeed({ moment, snapshots: newest.toReversed() })
      newest.push(snapshot)
    }
    const oldest = newest.at(-1)
    const before = oldest?.parentSnapshotId ?? undefined
    // the one to begin after may have expired, as long as the next one is there
    if (before === fromSnapshotId) return Result.succeed({ moment, snapshots: newest.toReversed() })
    if (fromSnapshotId === undefined) {
      return missing(table, `snapshots before ${oldest?.snapshotId} have expired: give one to begin after`)
    }
    const gone = snapshotById(table.metadata, fromSnapshotId) === undefined
    return missing(
      table,
      `snapshot ${fromSnapshotId} ${gone ? "never was, or it has expired" : `is no ancestor of ${moment.snapshot?.snapshotId ?? "anything"}`}`
    )
  })
