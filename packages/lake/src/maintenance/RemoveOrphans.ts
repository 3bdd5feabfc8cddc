/**
 * Removes orphans: old files below a table's location that nothing in the table's metadata names, and what writes that were cut
 * off left.
 *
 * **Guarantees**: a file younger than the age, in any spelling of its URI named by any kept snapshot, or in another table's
 * folder stays; a folder that may not be the table's is refused, unless who asks knows whose it was (`formerTables`). Attempts to commit end within an hour, so what is days old
 * and unnamed will never be committed. **Bounds**: memory of 40 bytes a file of the table, and the orphans' names.
 */
import { Storage } from "@frazil/core"
import { Clock, Effect, Stream } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import type { FileIO } from "../io/FileIO.ts"
import type { NamedFile } from "../io/ManifestCodec.ts"
import { fromStorage, LakeError } from "../LakeError.ts"
import { checkLocation, folderPrefix, foldersOfOthers } from "./CheckLocation.ts"
import { type EqualSchemes, fileKey } from "./FileKey.ts"
import { FileSet } from "./FileSet.ts"
import type { MaintenanceReport } from "./MaintenanceReport.ts"
import { addReachable } from "./Reachable.ts"
import { bytesOf, namesOf, refuseWithoutCollection, removeFiles, sortedFiles } from "./RemoveFiles.ts"

export interface OrphanOptions {
  /** Only what was last written longer ago is removed. Default 3 days; less than an hour would race live writers. */
  readonly ageMsMin?: number
  readonly dryRun?: boolean
  /**
   * UUIDs of tables that lay in this one's folder and are in no catalog any more, as after a drop: what they had is an orphan
   * too. Whether another catalog has them nobody here can know.
   */
  readonly formerTables?: ReadonlyArray<string>
  /** Schemes that writers of the table use for the same store: `oss` for `s3`. */
  readonly equalSchemes?: EqualSchemes
}

const orphanAgeMsDefault = 3 * 86_400_000

/** Other tools keep this name for themselves. */
const spared = /\/version-hint\.text$/

const candidates = Effect.fnUntraced(function* (
  table: Table,
  known: FileSet,
  writtenBeforeMs: number,
  former: ReadonlySet<string>,
  equalSchemes: EqualSchemes | undefined
): Effect.fn.Return<Map<string, NamedFile>, LakeError, Catalog | Storage> {
  const storage = yield* Storage
  const keyOf = (uri: string) => fileKey(uri, equalSchemes)
  const others = (yield* foldersOfOthers(table, former)).map((folder) => `${keyOf(folder)}/`)
  const found = new Map<string, NamedFile>()
  yield* Stream.runForEach(
    storage.list(folderPrefix(table.metadata.location), { temporary: true }),
    ({ modifiedMs, sizeBytes, uri }) =>
      Effect.sync(() => {
        const old = modifiedMs < writtenBeforeMs
        if (!old || known.has(uri) || spared.test(uri) || others.some((folder) => keyOf(uri).startsWith(folder))) return
        found.set(uri, { uri, sizeBytes })
      })
  ).pipe(Effect.mapError(fromStorage("listing the table's files")))
  return found
})

/** Takes out what commits since `table` was loaded have named. */
const spareNewlyNamed = Effect.fnUntraced(function* (table: Table, orphans: Map<string, NamedFile>, named: FileSet) {
  const catalog = yield* Catalog
  const now = yield* catalog.loadTable(table.identifier)
  if (now.metadata.tableUuid !== table.metadata.tableUuid) {
    return yield* new LakeError({
      reason: "TableReplaced",
      message: `table ${identifierText(table.identifier)}: it was made anew meanwhile; nothing was removed`
    })
  }
  if (now.metadataLocation === table.metadataLocation) return
  const before = new Set(table.metadata.snapshots.map(({ snapshotId }) => snapshotId))
  named.add(now.metadataLocation)
  yield* addReachable(
    named,
    now.metadata,
    now.metadata.snapshots.filter(({ snapshotId }) => !before.has(snapshotId))
  )
  for (const uri of orphans.keys()) if (named.has(uri)) orphans.delete(uri)
})

/** Removes the table's orphans. What could not be deleted is in the report. */
export const removeOrphans = Effect.fn("removeOrphans")(function* (
  identifier: TableIdentifier,
  options: OrphanOptions = {}
): Effect.fn.Return<MaintenanceReport, LakeError, Catalog | FileIO | Storage> {
  const startedAtMs = yield* Clock.currentTimeMillis
  const former = new Set(options.formerTables)
  const { strangers, table } = yield* checkLocation(identifier, former)
  yield* refuseWithoutCollection(table)
  const { equalSchemes } = options
  const known = new FileSet(equalSchemes)
  for (const uri of [table.metadataLocation, ...strangers]) known.add(uri)
  yield* addReachable(known, table.metadata, table.metadata.snapshots)
  const writtenBeforeMs = startedAtMs - (options.ageMsMin ?? orphanAgeMsDefault)
  const orphans = yield* candidates(table, known, writtenBeforeMs, former, equalSchemes)
  if (orphans.size > 0) yield* spareNewlyNamed(table, orphans, new FileSet(equalSchemes))
  const files = sortedFiles(orphans.values())
  const dryRun = options.dryRun ?? false
  const left = dryRun ? { filesLeft: 0, bytesLeft: 0, error: undefined } : yield* removeFiles(files)
  return {
    table: identifierText(identifier),
    action: "orphans",
    dryRun,
    startedAtMs,
    finishedAtMs: yield* Clock.currentTimeMillis,
    filesBefore: files.length,
    filesAfter: left.filesLeft,
    bytesBefore: bytesOf(files),
    bytesAfter: left.bytesLeft,
    conflicts: 0,
    snapshotsExpired: 0,
    snapshotId: undefined,
    removed: namesOf(files),
    error: left.error
  }
})
