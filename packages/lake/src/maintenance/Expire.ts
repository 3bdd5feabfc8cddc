/**
 * Expires snapshots: forgets old ones by one swap, then deletes the files that only they reached.
 *
 * **Guarantees**: beside live writers, and whatever stops it, no file that a kept snapshot reaches is deleted: deletes come
 * after the swap, and no later commit can name what no kept snapshot has. **Gotchas**: a reader that is still on an expired
 * snapshot fails.
 */
import { Storage } from "@frazil/core"
import { Clock, Effect, Schema } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import type { FileIO } from "../io/FileIO.ts"
import type { NamedFile } from "../io/ManifestCodec.ts"
import type { LakeError } from "../LakeError.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { commitTable } from "../write/CommitTable.ts"
import { removeSnapshots } from "../write/TableAction.ts"
import { FileSet } from "./FileSet.ts"
import type { MaintenanceReport } from "./MaintenanceReport.ts"
import { supersededMetadata } from "./MetadataFiles.ts"
import { planExpiry, retentionOf, type ExpiryPlan, type Retention } from "./PlanExpiry.ts"
import { statisticsFiles, unreachable } from "./Reachable.ts"
import { bytesOf, namesOf, refuseWithoutCollection, removeFiles, sortedFiles } from "./RemoveFiles.ts"

export interface ExpireOptions extends Retention {
  readonly dryRun?: boolean
}

class NothingExpires extends Schema.TaggedError<NothingExpires>()("NothingExpires", {}) {}

/** A live writer commits every few seconds, and a swap takes milliseconds. */
const retriesMax = 10

interface Doomed {
  readonly files: ReadonlyArray<NamedFile>
  readonly filesTotal: number
  readonly bytesTotal: number
}

/** Manifest lists, as large as they are; one that is gone already is none. */
const listsOf = Effect.fnUntraced(function* (snapshots: ReadonlyArray<Snapshot>) {
  const storage = yield* Storage
  const found = yield* Effect.forEach(snapshots, ({ manifestList }) => Effect.option(storage.stat(manifestList)), {
    concurrency: 8
  })
  return found.flatMap((object) => (object._tag === "Some" ? [object.value] : []))
})

/** What may be deleted once `plan` is in force, and figures of all there is. */
const findDoomed = Effect.fnUntraced(function* (
  table: Table,
  plan: ExpiryPlan,
  ageMsMax: number,
  nowMs: number
): Effect.fn.Return<Doomed, LakeError, FileIO | Storage> {
  const { metadata } = table
  const ids = new Set(plan.snapshotIds)
  const kept = metadata.snapshots.filter(({ snapshotId }) => !ids.has(snapshotId))
  const gone = metadata.snapshots.filter(({ snapshotId }) => ids.has(snapshotId))
  const found = yield* unreachable(kept, gone, new FileSet())
  const [keptLists, goneLists] = [yield* listsOf(kept), yield* listsOf(gone)]
  const superseded = yield* supersededMetadata(table, ageMsMax, nowMs)
  const keptNames = new FileSet()
  for (const file of [...keptLists, ...statisticsOf(table, (id) => !ids.has(id))]) keptNames.add(file.uri)
  const statistics = statisticsOf(table, (id) => ids.has(id)).filter(({ uri }) => !keptNames.has(uri))
  const lists = goneLists.filter(({ uri }) => !keptNames.has(uri))
  const others = [...lists, ...statistics, ...superseded]
  return {
    files: sortedFiles([...found.files.values(), ...others]),
    filesTotal: found.filesTotal + keptLists.length + others.length,
    bytesTotal: found.bytesTotal + bytesOf(keptLists) + bytesOf(others)
  }
})

const statisticsOf = ({ metadata }: Table, of: (snapshotId: bigint) => boolean): ReadonlyArray<NamedFile> =>
  statisticsFiles(metadata).filter(({ snapshotId }) => of(snapshotId))

interface Swapped {
  /** The base of the swap, or of the decision that there is nothing to expire. */
  readonly base: Table
  readonly plan: ExpiryPlan
  readonly conflicts: number
}

/** **The commit point**: after it the snapshots are gone. */
const swap = Effect.fnUntraced(function* (identifier: TableIdentifier, options: ExpireOptions, start: Table) {
  let last: { base: Table; plan: ExpiryPlan } = { base: start, plan: { snapshotIds: [], refs: [] } }
  let attempts = 0
  const decide = Effect.fnUntraced(function* (base: Table) {
    attempts++
    const plan = planExpiry(base.metadata, options, yield* Clock.currentTimeMillis)
    last = { base, plan }
    if (plan.snapshotIds.length + plan.refs.length === 0) return yield* new NothingExpires()
    return [removeSnapshots(plan.snapshotIds, plan.refs)]
  })
  yield* commitTable({ table: identifier, retriesMax, actions: decide }).pipe(
    Effect.catchTag("NothingExpires", () => Effect.void)
  )
  return { ...last, conflicts: Math.max(0, attempts - 1) } satisfies Swapped
})

/** Expires the table's old snapshots. What could not be deleted is in the report; a failed swap is a failure. */
export const expireSnapshots = Effect.fn("expireSnapshots")(function* (
  identifier: TableIdentifier,
  options: ExpireOptions = {}
): Effect.fn.Return<MaintenanceReport, LakeError, Catalog | FileIO | Storage> {
  const startedAtMs = yield* Clock.currentTimeMillis
  const catalog = yield* Catalog
  const start = yield* catalog.loadTable(identifier)
  yield* refuseWithoutCollection(start)
  const dryRun = options.dryRun ?? false
  const decided: Swapped = dryRun
    ? { base: start, plan: planExpiry(start.metadata, options, startedAtMs), conflicts: 0 }
    : yield* swap(identifier, options, start)
  const { snapshotAgeMsMax } = retentionOf(decided.base.metadata, options)
  const doomed = yield* findDoomed(decided.base, decided.plan, snapshotAgeMsMax, startedAtMs)
  const left = dryRun ? { filesLeft: 0, bytesLeft: 0, error: undefined } : yield* removeFiles(doomed.files)
  return {
    table: identifierText(identifier),
    action: "expire",
    dryRun,
    startedAtMs,
    finishedAtMs: yield* Clock.currentTimeMillis,
    filesBefore: doomed.filesTotal,
    filesAfter: doomed.filesTotal - doomed.files.length + left.filesLeft,
    bytesBefore: doomed.bytesTotal,
    bytesAfter: doomed.bytesTotal - bytesOf(doomed.files) + left.bytesLeft,
    conflicts: decided.conflicts,
    snapshotsExpired: decided.plan.snapshotIds.length,
    snapshotId: undefined,
    removed: namesOf(doomed.files),
    error: left.error
  }
})
