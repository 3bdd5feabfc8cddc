/**
 * What came between two snapshots, as a scan: the files of snapshots that append (Java's incremental append scan).
 *
 * Compactions between are passed over, since they bring no rows: what they replaced is read from the snapshots that brought
 * it. Rows that were appended and deleted since come too. **Guarantee**: each appended row once.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../../catalog/Catalog.ts"
import { specOf } from "../../catalog/SpecOf.ts"
import { FileIO } from "../../io/FileIO.ts"
import { LakeError } from "../../LakeError.ts"
import type { ManifestEntry } from "../../spec/Manifest.ts"
import type { Snapshot } from "../../spec/Snapshot.ts"
import { readPhysical, type ScanPlan } from "../PlanScan.ts"
import { type Between, snapshotsBetween } from "./SnapshotsBetween.ts"

export interface AppendsOptions extends Between {
  /**
   * What becomes of snapshots between that overwrite or delete. fail (default): Invalid. skip: what they did is left out, as
   * Java does.
   */
  readonly otherSnapshots?: "fail" | "skip"
}

/** Snapshots read at once. */
const readsMax = 8

/** Entries that a snapshot's own manifests have of it, with their state. */
export const ownEntries = Effect.fnUntraced(function* (
  table: Table,
  { manifestList, snapshotId }: Snapshot
): Effect.fn.Return<ReadonlyArray<ManifestEntry>, LakeError, FileIO> {
  const fileIO = yield* FileIO
  const listed = yield* fileIO.readManifestList(manifestList)
  const own = listed.filter(({ addedSnapshotId, content }) => content === "data" && addedSnapshotId === snapshotId)
  const read = yield* Effect.forEach(own, (manifest) =>
    Effect.flatMap(specOf(table, manifest.partitionSpecId), ({ partition }) => fileIO.readManifest(manifest, partition))
  )
  return read.flat().filter((entry) => entry.snapshotId === snapshotId)
})

/** Plans the scan; `tableRelation` gives its rows. */
export const planAppends = Effect.fn("planAppends")(function* (
  table: Table,
  options: AppendsOptions = {}
): Effect.fn.Return<ScanPlan, LakeError, FileIO> {
  const { metadata } = table
  const { moment, snapshots } = yield* Effect.fromResult(snapshotsBetween(table, options))
  const other = snapshots.find(({ operation }) => operation !== "append" && operation !== "replace")
  if (other !== undefined && options.otherSnapshots !== "skip") {
    const message = `table ${identifierText(table.identifier)}: snapshot ${other.snapshotId} is no append (${other.operation}): read changes instead, or skip such snapshots`
    return yield* new LakeError({ reason: "Invalid", message })
  }
  const appends = snapshots.filter(({ operation }) => operation === "append")
  const read = yield* Effect.forEach(appends, (snapshot) => ownEntries(table, snapshot), { concurrency: readsMax })
  const entries = read.flat().filter(({ status }) => status === "added")
  const physical = yield* readPhysical(metadata, moment.schema, entries)
  return { ...moment, metadata, entries, deletes: new Map(), physical, filesTotal: entries.length }
})
