/**
 * Which files each snapshot between two changed, and which of their rows lived before and after: the plan of a changelog.
 *
 * A snapshot without new delete files is told by its own manifests; otherwise the files of both snapshots are compared.
 * Compactions change no row: they have no step. **Bounds**: `snapshotsMax` snapshots.
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../../catalog/Catalog.ts"
import { FileIO } from "../../io/FileIO.ts"
import { LakeError } from "../../LakeError.ts"
import { contentKey } from "../../spec/DataFile.ts"
import type { ManifestEntry, ManifestFile } from "../../spec/Manifest.ts"
import { liveFiles } from "../../spec/Manifest.ts"
import type { Snapshot } from "../../spec/Snapshot.ts"
import { snapshotById } from "../../spec/TableMetadata.ts"
import type { TableMoment } from "../AsOf.ts"
import { planScan, readDeletes, readPhysical, type ScanPlan } from "../PlanScan.ts"
import { readVectors } from "../Vectors.ts"
import { ownEntries } from "./PlanAppends.ts"
import { type Between, snapshotsBetween } from "./SnapshotsBetween.ts"

/** What one snapshot did: the rows of `before` went, those of `after` came; a row of both was only carried over. */
export interface ChangeStep {
  readonly snapshot: Snapshot
  /** Counts the snapshots between that are no compactions, from 0. */
  readonly ordinal: number
  readonly before: ScanPlan
  readonly after: ScanPlan
}

export interface ChangesPlan extends TableMoment {
  /** Oldest first; snapshots that changed nothing have none. */
  readonly steps: ReadonlyArray<ChangeStep>
}

const snapshotsMax = 1_000
/** Snapshots read at once. */
const readsMax = 4

interface Side {
  readonly entries: ReadonlyArray<ManifestEntry>
  readonly deletes: ScanPlan["deletes"]
}

const deletePaths = (listed: ReadonlyArray<ManifestFile>): string =>
  listed
    .filter((manifest) => manifest.content === "deletes" && liveFiles(manifest) > 0)
    .map(({ manifestPath }) => manifestPath)
    .sort()
    .join("\n")

/** By the snapshot's own manifests; its delete files are those of its parent. */
const sidesByEntries = Effect.fnUntraced(function* (
  table: Table,
  snapshot: Snapshot,
  before: ReadonlyArray<ManifestFile>,
  after: ReadonlyArray<ManifestFile>
): Effect.fn.Return<readonly [Side, Side], LakeError, FileIO> {
  const own = yield* ownEntries(table, snapshot)
  const side = Effect.fnUntraced(function* (status: "added" | "deleted", listed: ReadonlyArray<ManifestFile>) {
    const entries = own.filter((entry) => entry.status === status)
    return { entries, deletes: yield* readDeletes(table, entries, listed) }
  })
  return [yield* side("deleted", before), yield* side("added", after)]
})

const stateOf = ({ deletes }: Side, entry: ManifestEntry): string =>
  (deletes.get(entry) ?? [])
    .map(({ dataFile }) => contentKey(dataFile))
    .sort()
    .join("\n")

const without = (side: Side, other: Side): Side => {
  const states = new Map(other.entries.map((entry) => [entry.dataFile.filePath, stateOf(other, entry)]))
  return {
    ...side,
    entries: side.entries.filter((entry) => states.get(entry.dataFile.filePath) !== stateOf(side, entry))
  }
}

const planOf = (table: Table, snapshot: Snapshot | undefined): Effect.Effect<Side, LakeError, FileIO> =>
  snapshot === undefined
    ? Effect.succeed({ entries: [], deletes: new Map() })
    : planScan(table, { asOf: { _tag: "SnapshotId", snapshotId: snapshot.snapshotId } })

/** By all files of both snapshots: those that are not in both, or of which other rows are deleted. */
export const sidesByFiles = Effect.fnUntraced(function* (
  table: Table,
  parent: Snapshot | undefined,
  snapshot: Snapshot
): Effect.fn.Return<readonly [Side, Side], LakeError, FileIO> {
  const [before, after] = [yield* planOf(table, parent), yield* planOf(table, snapshot)]
  return [without(before, after), without(after, before)]
})

const parentOf = Effect.fnUntraced(function* (table: Table, { parentSnapshotId, snapshotId }: Snapshot) {
  if (parentSnapshotId === null) return undefined
  const parent = snapshotById(table.metadata, parentSnapshotId)
  if (parent !== undefined) return parent
  const message = `table ${identifierText(table.identifier)}: what snapshot ${snapshotId} changed cannot be told, since the one before it has expired: begin after ${snapshotId}`
  return yield* new LakeError({ reason: "SnapshotMissing", message })
})

const sidesOf = Effect.fnUntraced(function* (table: Table, snapshot: Snapshot) {
  const fileIO = yield* FileIO
  const parent = yield* parentOf(table, snapshot)
  const before = parent === undefined ? [] : yield* fileIO.readManifestList(parent.manifestList)
  const after = yield* fileIO.readManifestList(snapshot.manifestList)
  return deletePaths(before) === deletePaths(after)
    ? yield* sidesByEntries(table, snapshot, before, after)
    : yield* sidesByFiles(table, parent, snapshot)
})

/** Plans the changes; `changesRelation` gives their rows. */
export const planChanges = Effect.fn("planChanges")(function* (
  table: Table,
  between: Between = {}
): Effect.fn.Return<ChangesPlan, LakeError, FileIO> {
  const { metadata } = table
  const { moment, snapshots } = yield* Effect.fromResult(snapshotsBetween(table, between))
  if (snapshots.length > snapshotsMax) {
    const message = `table ${identifierText(table.identifier)}: there are ${snapshots.length} snapshots between: read at most ${snapshotsMax} at once`
    return yield* new LakeError({ reason: "Invalid", message })
  }
  const changing = snapshots.filter(({ operation }) => operation !== "replace")
  const planSide = Effect.fnUntraced(function* ({ deletes, entries }: Side) {
    const physical = yield* readPhysical(metadata, moment.schema, entries)
    const own = new Map(entries.flatMap((entry) => (deletes.has(entry) ? [[entry, deletes.get(entry)!] as const] : [])))
    const vectors = yield* readVectors(own)
    const filesTotal = entries.length
    return { ...moment, metadata, entries, deletes: own, vectors, physical, filesTotal } satisfies ScanPlan
  })
  const steps = yield* Effect.forEach(
    changing,
    (snapshot, ordinal) =>
      Effect.gen(function* () {
        const [before, after] = yield* sidesOf(table, snapshot)
        return { snapshot, ordinal, before: yield* planSide(before), after: yield* planSide(after) }
      }),
    { concurrency: readsMax }
  )
  return { ...moment, steps: steps.filter(({ after, before }) => before.entries.length + after.entries.length > 0) }
})
