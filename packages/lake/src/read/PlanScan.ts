/**
 * From a table and a moment to the data files to read: manifests and files that cannot hold a match are left out.
 *
 * Called by readers of tables and by the listing of files. Damage in any manifest is an error that names it, never fewer files.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { FileIO } from "../io/FileIO.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import { filesPromised } from "../spec/SnapshotSummary.ts"
import { liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import { bindInTable } from "../spec/PartitionSpec.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { specById, type TableMetadata } from "../spec/TableMetadata.ts"
import { resolveAsOf, type AsOf, type TableMoment } from "./AsOf.ts"
import { mayMatch, type Filter } from "./Filter.ts"
import { pruner } from "./Prune.ts"

/** Manifests read at once. */
const readsMax = 8

export interface ScanOptions {
  /** The current snapshot when left out. */
  readonly asOf?: AsOf
  /** Only leaves out files: rows are to be filtered by whoever reads them. */
  readonly filter?: Filter
}

export interface ScanPlan extends TableMoment {
  readonly metadata: TableMetadata
  /** Live files that may hold a match, with the snapshot that added each. */
  readonly entries: ReadonlyArray<ManifestEntry>
  /** Live files in the snapshot, left-out ones included. */
  readonly filesTotal: number
}

const checkTotal = (snapshot: Snapshot, manifests: ReadonlyArray<ManifestFile>): Effect.Effect<number, LakeError> => {
  const total = manifests.reduce((files, manifest) => files + liveFiles(manifest), 0)
  const promised = filesPromised(snapshot)
  return promised === undefined || promised === BigInt(total)
    ? Effect.succeed(total)
    : Effect.fail(
        new LakeError({
          reason: "Corrupt",
          message: `manifest list ${snapshot.manifestList}: names ${total} files, but snapshot ${snapshot.snapshotId} has ${promised}`
        })
      )
}

const refuseDeletes = (manifests: ReadonlyArray<ManifestFile>): Effect.Effect<void, LakeError> => {
  const deletes = manifests.find((manifest) => manifest.content === "deletes" && liveFiles(manifest) > 0)
  return deletes === undefined
    ? Effect.void
    : Effect.fail(
        new LakeError({
          reason: "Unsupported",
          message: `manifest ${deletes.manifestPath}: delete files are not applied here; read the table with another engine`
        })
      )
}

/** Plans a scan. Its only effect is reading the manifest list and the manifests that may matter. */
export const planScan = Effect.fn("planScan")(function* (
  table: Table,
  options: ScanOptions = {}
): Effect.fn.Return<ScanPlan, LakeError, FileIO> {
  const { metadata } = table
  const fileIO = yield* FileIO
  const moment = yield* Effect.fromResult(resolveAsOf(metadata, options.asOf ?? { _tag: "Current" }))
  if (moment.snapshot === undefined) return { ...moment, metadata, entries: [], filesTotal: 0 }
  const listed = yield* fileIO.readManifestList(moment.snapshot.manifestList)
  yield* refuseDeletes(listed)
  const manifests = listed.filter((manifest) => manifest.content === "data")
  const filesTotal = yield* checkTotal(moment.snapshot, manifests)

  const { filter } = options
  const prune = pruner(moment.schema)
  const readLive = Effect.fnUntraced(function* (manifest: ManifestFile) {
    const wrong = fromFormat("manifest", manifest.manifestPath)
    const partition = yield* Effect.try({
      try: () => bindInTable(specById(metadata, manifest.partitionSpecId), metadata.schemas),
      catch: fromFormat("table metadata", table.metadataLocation)
    })
    const wanted = yield* Effect.try({
      try: () => filter === undefined || mayMatch(filter, prune.manifest(partition, manifest.partitions)),
      catch: wrong
    })
    if (!wanted || liveFiles(manifest) === 0) return []
    const entries = yield* fileIO.readManifest(manifest, partition)
    const live = entries.filter((entry) => entry.status !== "deleted")
    if (filter === undefined) return live
    return yield* Effect.try({
      try: () => live.filter((entry) => mayMatch(filter, prune.file(partition, entry.dataFile))),
      catch: wrong
    })
  })
  const read = yield* Effect.forEach(manifests, readLive, { concurrency: readsMax })
  return { ...moment, metadata, entries: read.flat(), filesTotal }
})
