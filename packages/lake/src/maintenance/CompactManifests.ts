/**
 * Puts a table's manifests in order: few, well filled, each of neighbouring partitions, so that planning reads little.
 *
 * **Guarantees**: every file stays listed with its sequence numbers and the snapshot that added it; commits beside it are kept.
 * Where nothing is gained, no snapshot is made. **Bounds**: the entries of the manifests that are written anew are in memory.
 */
import { Clock, Effect, Schema } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { liveFiles, type ManifestFile } from "../spec/Manifest.ts"
import { mainBranch } from "../spec/Snapshot.ts"
import { currentSnapshot } from "../spec/TableMetadata.ts"
import { commitTable } from "../write/CommitTable.ts"
import { manifestBytesTarget, planManifests } from "../write/PlanManifests.ts"
import { rewriteListed } from "../write/StageManifests.ts"
import { rewriteManifests } from "../write/TableAction.ts"
import { carriedMarks } from "./CarriedMarks.ts"
import type { MaintenanceReport } from "./MaintenanceReport.ts"

export interface ManifestOptions {
  /** Every manifest, whatever its size: after commits that each touched many partitions. */
  readonly all?: boolean
  readonly dryRun?: boolean
}

/** A live writer commits every few seconds, and a swap takes milliseconds. */
const retriesMax = 10

class NothingToGain extends Schema.TaggedError<NothingToGain>()("NothingToGain", {}) {}

const listOf = Effect.fnUntraced(function* ({
  metadata
}: Table): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError, FileIO> {
  const fileIO = yield* FileIO
  const snapshot = currentSnapshot(metadata)
  if (snapshot === undefined) return []
  return (yield* fileIO.readManifestList(snapshot.manifestList)).filter((manifest) => liveFiles(manifest) > 0)
})

const bytesOf = (manifests: ReadonlyArray<ManifestFile>): number =>
  manifests.reduce((sum, manifest) => sum + Number(manifest.manifestLength), 0)

/** What the list would be: manifests are made and measured, and none is written. */
const rehearse = Effect.fnUntraced(function* (base: Table, all: boolean) {
  const fileIO = yield* FileIO
  const staged = { add: () => Effect.void }
  const maps = { manifests: new Map(), merged: new Map(), rewritten: new Map(), emptied: new Map() }
  const memory = { fileIO, staged, branch: mainBranch, snapshotId: 0n, ...maps }
  const { kept, written } = yield* rewriteListed(memory, base, { all })
  return [...written, ...kept]
})

interface Done {
  readonly before: ReadonlyArray<ManifestFile>
  readonly after: ReadonlyArray<ManifestFile>
  readonly conflicts: number
  readonly snapshotId: string | undefined
}

/** **The commit point** is the commit loop's. */
const swapIn = Effect.fnUntraced(function* (identifier: TableIdentifier, start: Table, all: boolean) {
  let attempts = 0
  let before = yield* listOf(start)
  const actions = Effect.fnUntraced(function* (base: Table) {
    attempts++
    before = yield* listOf(base)
    const worth = planManifests(before, manifestBytesTarget(base.metadata), all).length > 0
    if (!worth) return yield* new NothingToGain()
    return [rewriteManifests({ all, summary: carriedMarks(base.metadata).marks })]
  })
  const committed = yield* commitTable({ table: identifier, retriesMax, actions }).pipe(
    Effect.catchTag("NothingToGain", () => Effect.undefined)
  )
  const conflicts = Math.max(0, attempts - 1)
  if (committed === undefined) return { before, after: before, conflicts, snapshotId: undefined } satisfies Done
  const snapshotId = String(committed.snapshot?.snapshotId)
  return { before, after: yield* listOf(committed.table), conflicts, snapshotId } satisfies Done
})

/** Rewrites the current snapshot's manifests where that makes them fewer, or smaller when they are too large. */
export const compactManifests = Effect.fn("compactManifests")(function* (
  identifier: TableIdentifier,
  { all = false, dryRun = false }: ManifestOptions = {}
): Effect.fn.Return<MaintenanceReport, LakeError, Catalog | FileIO> {
  const startedAtMs = yield* Clock.currentTimeMillis
  const catalog = yield* Catalog
  const start = yield* catalog.loadTable(identifier)
  const done: Done = dryRun
    ? { before: yield* listOf(start), after: yield* rehearse(start, all), conflicts: 0, snapshotId: undefined }
    : yield* swapIn(identifier, start, all)
  return {
    table: identifierText(identifier),
    action: "manifests",
    dryRun,
    startedAtMs,
    finishedAtMs: yield* Clock.currentTimeMillis,
    filesBefore: done.before.length,
    filesAfter: done.after.length,
    bytesBefore: bytesOf(done.before),
    bytesAfter: bytesOf(done.after),
    conflicts: done.conflicts,
    snapshotsExpired: 0,
    snapshotId: done.snapshotId,
    removed: [],
    error: undefined
  }
})
