/**
 * The files that snapshots reach: manifest lists, manifests, data and delete files, and statistics.
 *
 * Expiry and orphan removal decide by it. **Guarantee**: a file that a kept snapshot reaches is found, or the walk fails;
 * damage never makes a live file look unreachable.
 */
import { Effect } from "effect"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import type { NamedFile } from "../io/ManifestCodec.ts"
import type { JsonValue } from "../spec/Json.ts"
import { readObject } from "../spec/JsonRead.ts"
import type { ManifestFile } from "../spec/Manifest.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import { fileKey } from "./FileKey.ts"
import type { FileSet } from "./FileSet.ts"

const manifestFile = (manifest: ManifestFile): NamedFile => ({
  uri: manifest.manifestPath,
  sizeBytes: Number(manifest.manifestLength)
})

/** Distinct manifests of the snapshots, by path. */
const manifestsOf = Effect.fnUntraced(function* (snapshots: ReadonlyArray<Snapshot>) {
  const fileIO = yield* FileIO
  const manifests = new Map<string, ManifestFile>()
  for (const snapshot of snapshots) {
    for (const manifest of yield* fileIO.readManifestList(snapshot.manifestList)) {
      manifests.set(fileKey(manifest.manifestPath), manifest)
    }
  }
  return manifests
})

/** Calls `visit` with each manifest and each live file in it, one manifest in memory at a time. */
const visitManifests = Effect.fnUntraced(function* (
  manifests: Iterable<ManifestFile>,
  visit: (file: NamedFile) => void
) {
  const fileIO = yield* FileIO
  for (const manifest of manifests) {
    visit(manifestFile(manifest))
    for (const file of yield* fileIO.readManifestFiles(manifest)) visit(file)
  }
})

/** A statistics file, and the snapshot that it is of. */
export interface StatisticsFile extends NamedFile {
  readonly snapshotId: bigint
}

/** Statistics files, the table's and its partitions'. */
export const statisticsFiles = (metadata: TableMetadata): ReadonlyArray<StatisticsFile> =>
  [...metadata.statistics, ...metadata.partitionStatistics].flatMap((entry: JsonValue) => {
    const object = readObject(entry, "statistics")
    const { "statistics-path": uri, "snapshot-id": id, "file-size-in-bytes": size } = object
    return typeof uri === "string" && (typeof id === "number" || typeof id === "bigint")
      ? [{ uri, snapshotId: BigInt(id), sizeBytes: Number(size ?? 0) }]
      : []
  })

/** Adds everything that the metadata names to `known`; manifests in it already are not read again. */
export const addReachable = Effect.fnUntraced(function* (
  known: FileSet,
  metadata: TableMetadata,
  snapshots: ReadonlyArray<Snapshot>
): Effect.fn.Return<void, LakeError, FileIO> {
  for (const { metadataFile } of metadata.metadataLog) known.add(metadataFile)
  for (const { uri } of statisticsFiles(metadata)) known.add(uri)
  for (const { manifestList } of snapshots) known.add(manifestList)
  const manifests = yield* manifestsOf(snapshots)
  yield* visitManifests(manifests.values(), ({ uri }) => void known.add(uri))
})

/** What only snapshots that go have reached, and figures of everything that snapshots reached. */
export interface Unreachable {
  /** By their keys. Manifest lists are not among them: they are known by their snapshots. */
  readonly files: ReadonlyMap<string, NamedFile>
  readonly filesTotal: number
  readonly bytesTotal: number
}

/** A snapshot that goes may be damaged: what it had is then left to orphan removal. */
const unlessDamaged = <A, R>(effect: Effect.Effect<A, LakeError, R>, otherwise: A): Effect.Effect<A, LakeError, R> =>
  effect.pipe(
    Effect.catchIf(
      (error) => error.reason === "Corrupt",
      () => Effect.succeed(otherwise)
    )
  )

/** Manifests and files that `gone` reach and `kept` do not. Memory: the names of those files. */
export const unreachable = Effect.fnUntraced(function* (
  kept: ReadonlyArray<Snapshot>,
  gone: ReadonlyArray<Snapshot>,
  distinct: FileSet
): Effect.fn.Return<Unreachable, LakeError, FileIO> {
  const keptManifests = yield* manifestsOf(kept)
  const files = new Map<string, NamedFile>()
  for (const snapshot of gone) {
    const manifests = yield* unlessDamaged(manifestsOf([snapshot]), new Map<string, ManifestFile>())
    for (const [path, manifest] of manifests) {
      if (keptManifests.has(path) || files.has(path)) continue
      const visit = (file: NamedFile) => void files.set(fileKey(file.uri), file)
      yield* unlessDamaged(visitManifests([manifest], visit), undefined)
    }
  }
  let filesTotal = 0
  let bytesTotal = 0
  const count = (file: NamedFile): void => {
    if (!distinct.add(file.uri)) return
    filesTotal++
    bytesTotal += file.sizeBytes
  }
  yield* visitManifests(keptManifests.values(), (file) => {
    files.delete(fileKey(file.uri))
    count(file)
  })
  for (const file of files.values()) count(file)
  return { files, filesTotal, bytesTotal }
})
