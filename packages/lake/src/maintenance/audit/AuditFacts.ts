/**
 * Recounts a table against itself: every file that its current snapshot names, and all that metadata, list and manifests say of
 * them.
 *
 * **Guarantee**: it changes nothing, and what it finds is an answer, no failure: it fails only when the catalog does. **Bounds**:
 * one file is read at a time, by DuckDB; the entries of the snapshot's manifests are in memory.
 */
import { Storage } from "@frazil/core"
import { Effect } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../../catalog/Catalog.ts"
import { DuckDb, type DuckDbConnection } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FileIO } from "../../io/FileIO.ts"
import type { LakeError } from "../../LakeError.ts"
import { contentKey, type DataFile, type DeleteFile } from "../../spec/DataFile.ts"
import { isLive, liveFiles, type ManifestEntry, type ManifestFile } from "../../spec/Manifest.ts"
import type { Snapshot } from "../../spec/Snapshot.ts"
import { filesPromised } from "../../spec/SnapshotSummary.ts"
import { currentSchema, currentSnapshot, snapshotById, type TableMetadata } from "../../spec/TableMetadata.ts"
import { specOf } from "../../write/WriteManifest.ts"
import { carriedMarks } from "../CarriedMarks.ts"
import { statisticsFiles } from "../Reachable.ts"
import type { FactKind, FactProblem } from "./FactProblem.ts"
import { type AuditedMoment, fileProblems } from "./FileProblems.ts"
import { manifestProblems } from "./ManifestProblems.ts"
import { areVectors, doubledVectors, rowsOfFiles } from "./VectorProblems.ts"

export interface FactsReport {
  /** `namespace.table`. */
  readonly table: string
  readonly snapshotId: bigint | undefined
  readonly manifests: number
  /** Live files, those of deletes included. */
  readonly files: number
  readonly problems: ReadonlyArray<FactProblem>
}

/** A live file, and the manifest that names it. */
interface Named {
  readonly manifest: ManifestFile
  readonly entry: ManifestEntry | ManifestEntry<DeleteFile>
}

/** Problems by the manifest that has to be written anew for them; under null those that are of no manifest. */
export interface FactsFound extends FactsReport {
  readonly base: Table
  readonly byManifest: ReadonlyMap<string | null, ReadonlyArray<FactProblem>>
  /** Live deletion vectors. */
  readonly vectors: ReadonlyArray<DeleteFile>
}

const told = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>,
  kind: FactKind,
  where: string
): Effect.Effect<A | FactProblem, never, R> =>
  effect.pipe(Effect.catch((error) => Effect.succeed<FactProblem>({ kind, where, message: error.message })))

const isProblem = (value: unknown): value is FactProblem =>
  typeof value === "object" && value !== null && "kind" in value && "where" in value

/** Marks in the properties are those that the history carries; sequence numbers grow from parent to child. */
const metadataProblems = ({ metadata, metadataLocation }: Table): ReadonlyArray<FactProblem> => {
  const { marks } = carriedMarks(metadata)
  const edited = Array.from(marks)
    .filter(([name, mark]) => metadata.properties.get(name) !== mark)
    .map(([name]): FactProblem => ({
      kind: "marks",
      where: metadataLocation,
      message: `property ${name} is not what the snapshots carry`
    }))
  const backwards = metadata.snapshots.flatMap((snapshot): ReadonlyArray<FactProblem> => {
    const parent = snapshot.parentSnapshotId === null ? undefined : snapshotById(metadata, snapshot.parentSnapshotId)
    if (parent === undefined || parent.sequenceNumber < snapshot.sequenceNumber) return []
    const message = `snapshot ${snapshot.snapshotId} has sequence number ${snapshot.sequenceNumber}, its parent ${parent.sequenceNumber}`
    return [{ kind: "sequence", where: metadataLocation, message }]
  })
  return [...edited, ...backwards]
}

const statisticsProblems = Effect.fnUntraced(function* (metadata: TableMetadata) {
  const storage = yield* Storage
  const found: Array<FactProblem> = []
  for (const { sizeBytes, snapshotId, uri } of statisticsFiles(metadata)) {
    const tell = (message: string) => found.push({ kind: "statistics", where: uri, message })
    if (snapshotById(metadata, snapshotId) === undefined) {
      tell(`statistics of snapshot ${snapshotId}, which the table has no more`)
      continue
    }
    const stored = yield* Effect.result(storage.stat(uri))
    if (stored._tag === "Failure") tell(stored.failure.message)
    else if (stored.success.sizeBytes !== sizeBytes) {
      tell(`the metadata says ${sizeBytes} bytes, it has ${stored.success.sizeBytes}`)
    }
  }
  return found
})

/** Lists of the other snapshots must be there; theirs is not read. */
const listProblems = Effect.fnUntraced(function* (metadata: TableMetadata) {
  const storage = yield* Storage
  const found = yield* Effect.forEach(
    metadata.snapshots.filter(({ snapshotId }) => snapshotId !== metadata.currentSnapshotId),
    ({ manifestList }) => told(Effect.asVoid(storage.stat(manifestList)), "manifest", manifestList),
    { concurrency: 8 }
  )
  return found.filter(isProblem)
})

const auditManifest = Effect.fnUntraced(function* (base: Table, snapshot: Snapshot, manifest: ManifestFile) {
  const storage = yield* Storage
  const fileIO = yield* FileIO
  const { content, manifestLength, manifestPath } = manifest
  const stored = yield* told(storage.stat(manifestPath), "manifest", manifestPath)
  if (isProblem(stored)) return { problems: [stored], named: [] }
  const size: ReadonlyArray<FactProblem> =
    BigInt(stored.sizeBytes) === manifestLength
      ? []
      : [
          {
            kind: "manifest-length",
            where: manifestPath,
            message: `the list says ${manifestLength} bytes, it has ${stored.sizeBytes}`
          }
        ]
  const read = Effect.gen(function* () {
    const { partition } = yield* specOf(base, manifest.partitionSpecId)
    const entries: ReadonlyArray<ManifestEntry | ManifestEntry<DeleteFile>> =
      content === "data"
        ? yield* fileIO.readManifest(manifest, partition, undefined, "manifest")
        : yield* fileIO.readDeleteManifest(manifest, partition, "manifest")
    return { entries, problems: manifestProblems(manifest, entries, partition, snapshot.sequenceNumber) }
  })
  const found = yield* told(read, "manifest", manifestPath)
  if (isProblem(found)) return { problems: [...size, found], named: [] }
  const live = found.entries.filter(isLive)
  return { problems: [...size, ...found.problems], named: live.map((entry): Named => ({ manifest, entry })) }
})

const summaryProblems = (snapshot: Snapshot, named: ReadonlyArray<Named>): ReadonlyArray<FactProblem> => {
  const promised = filesPromised(snapshot)
  const files = named.filter(({ manifest }) => manifest.content === "data").length
  return promised === undefined || promised === BigInt(files)
    ? []
    : [
        {
          kind: "summary",
          where: snapshot.manifestList,
          message: `the summary of snapshot ${snapshot.snapshotId} says ${promised} data files, its manifests have ${files}`
        }
      ]
}

const auditFiles = Effect.fnUntraced(function* (
  connection: DuckDbConnection,
  moment: AuditedMoment,
  named: ReadonlyArray<Named>,
  tell: (manifest: string | null, problems: ReadonlyArray<FactProblem>) => void
) {
  const seen = new Set<string>()
  const files = named.map(({ entry }) => entry.dataFile)
  const rowsOf = rowsOfFiles(files.filter((file): file is DataFile => !("content" in file)))
  tell(null, doubledVectors(areVectors(files)))
  for (const { entry, manifest } of named) {
    const { dataFile } = entry
    const name = contentKey(dataFile)
    if (seen.has(name)) tell(null, [{ kind: "path", where: dataFile.filePath, message: "is in the table twice" }])
    seen.add(name)
    tell(manifest.manifestPath, yield* fileProblems(connection, moment, entry, rowsOf))
  }
})

/** Audits the current snapshot. */
export const findFacts = Effect.fnUntraced(function* (
  identifier: TableIdentifier
): Effect.fn.Return<FactsFound, LakeError | DuckDbError, Catalog | FileIO | Storage | DuckDb> {
  const base = yield* (yield* Catalog).loadTable(identifier)
  const { metadata } = base
  const byManifest = new Map<string | null, Array<FactProblem>>()
  const tell = (manifest: string | null, problems: ReadonlyArray<FactProblem>): void => {
    if (problems.length > 0) byManifest.set(manifest, [...(byManifest.get(manifest) ?? []), ...problems])
  }
  tell(null, metadataProblems(base))
  tell(null, yield* statisticsProblems(metadata))
  tell(null, yield* listProblems(metadata))
  const snapshot = currentSnapshot(metadata)
  const named: Array<Named> = []
  let manifests = 0
  if (snapshot !== undefined) {
    const listed = yield* told(
      (yield* FileIO).readManifestList(snapshot.manifestList),
      "manifest",
      snapshot.manifestList
    )
    if (isProblem(listed)) tell(null, [listed])
    else {
      manifests = listed.length
      for (const manifest of listed) {
        const found = yield* auditManifest(base, snapshot, manifest)
        tell(manifest.manifestPath, found.problems)
        named.push(...found.named)
      }
      tell(null, summaryProblems(snapshot, named))
      const filesTotal = listed.reduce((files, manifest) => files + liveFiles(manifest), 0)
      const moment: AuditedMoment = { metadata, snapshot, schema: currentSchema(metadata), filesTotal }
      yield* Effect.scoped(
        Effect.flatMap(
          Effect.flatMap(DuckDb, ({ connect }) => connect),
          (connection) => auditFiles(connection, moment, named, tell)
        )
      )
    }
  }
  const problems = Array.from(byManifest.values()).flat()
  const vectors = areVectors(named.map(({ entry }) => entry.dataFile))
  const table = identifierText(identifier)
  return {
    table,
    snapshotId: snapshot?.snapshotId,
    manifests,
    files: named.length,
    problems,
    base,
    byManifest,
    vectors
  }
})

/** What the table says of itself and is not so; nothing when all is well. */
export const auditFacts = Effect.fn("auditFacts")(function* (
  identifier: TableIdentifier
): Effect.fn.Return<FactsReport, LakeError | DuckDbError, Catalog | FileIO | Storage | DuckDb> {
  const { base: _, byManifest: _m, vectors: _v, ...report } = yield* findFacts(identifier)
  return report
})
