/**
 * Stages an append on a base: manifests and the manifest list are written, nothing is committed (specification, "Manifests").
 *
 * Called by the commit loop for each attempt. A manifest of new files is written once and used again on the next base; the
 * list is written anew. Nothing that was written is ever deleted here (protocol, rule 12).
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import type { FileIOShape } from "../io/FileIO.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { LakeError } from "../LakeError.ts"
import { appendSummary } from "../spec/AppendSummary.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { metadataFolder } from "../spec/Locations.ts"
import { summariseField, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import { changeTimeMs, type MetadataUpdate } from "../spec/MetadataUpdate.ts"
import { bindInTable } from "../spec/PartitionSpec.ts"
import { branchAt, mainBranch, type Snapshot } from "../spec/Snapshot.ts"
import { currentSchema, currentSnapshot, specById, type TableMetadata } from "../spec/TableMetadata.ts"
import { mergeManifests } from "./MergeManifests.ts"
import type { Append } from "./TableAction.ts"

/** A manifest holds at most this many entries: about Java's 8 MB. */
const entriesMax = 20_000

/** What stays the same over the attempts of one commit. */
export interface StagingMemory {
  readonly fileIO: FileIOShape
  readonly snapshotId: bigint
  /** Manifests written for these very files, sequence numbers still open. */
  readonly manifests: Map<ReadonlyArray<DataFile>, ReadonlyArray<ManifestFile>>
  /** Merged manifests by the paths that they were merged from. */
  readonly merged: Map<string, ManifestFile>
}

const chunksOf = (files: ReadonlyArray<DataFile>): ReadonlyArray<ReadonlyArray<DataFile>> => {
  const bySpec = Map.groupBy(files, (file) => file.specId)
  return Array.from(bySpec.values()).flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / entriesMax) }, (_, i) =>
      group.slice(i * entriesMax, (i + 1) * entriesMax)
    )
  )
}

/** What is wrong with files to be added; empty when nothing is. */
const fileProblems = (metadata: TableMetadata, files: ReadonlyArray<DataFile>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const paths = new Set<string>()
  for (const file of files) {
    const spec = metadata.partitionSpecs.find((each) => each.specId === file.specId)
    if (spec === undefined) problems.push(`${file.filePath}: the table has no partition spec ${file.specId}`)
    else if (spec.fields.length !== file.partition.length) {
      problems.push(
        `${file.filePath}: ${file.partition.length} partition values where the spec has ${spec.fields.length}`
      )
    }
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(file.filePath)) problems.push(`${file.filePath}: is no full URI`)
    if (file.recordCount <= 0n) problems.push(`${file.filePath}: has no rows`)
    if (paths.has(file.filePath)) problems.push(`${file.filePath}: is added twice`)
    paths.add(file.filePath)
  }
  return problems
}

const writeManifest = Effect.fnUntraced(function* (
  memory: StagingMemory,
  metadata: TableMetadata,
  files: ReadonlyArray<DataFile>
): Effect.fn.Return<ManifestFile, LakeError> {
  const specId = files[0]?.specId ?? metadata.defaultSpecId
  const spec = specById(metadata, specId)
  const partition = bindInTable(spec, metadata.schemas)
  const entries = files.map((dataFile): ManifestEntry => ({
    status: "added",
    snapshotId: memory.snapshotId,
    sequenceNumber: null,
    fileSequenceNumber: null,
    dataFile
  }))
  const manifestPath = `${metadataFolder(metadata)}/${yield* randomUuid}-m0.avro`
  const layout = { schema: currentSchema(metadata), spec, partition }
  const manifestLength = yield* memory.fileIO.writeManifest(manifestPath, layout, entries)
  return {
    manifestPath,
    manifestLength,
    partitionSpecId: specId,
    content: "data",
    sequenceNumber: 0n,
    minSequenceNumber: 0n,
    addedSnapshotId: memory.snapshotId,
    addedFilesCount: files.length,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: files.reduce((rows, file) => rows + file.recordCount, 0n),
    existingRowsCount: 0n,
    deletedRowsCount: 0n,
    partitions: partition.map((field, i) =>
      summariseField(
        field.type ?? { _tag: "int" },
        files.map((file) => file.partition[i] ?? null)
      )
    ),
    keyMetadata: null
  }
})

const newManifests = Effect.fnUntraced(function* (
  memory: StagingMemory,
  metadata: TableMetadata,
  files: ReadonlyArray<DataFile>
): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError> {
  const known = memory.manifests.get(files)
  if (known !== undefined) return known
  const problems = fileProblems(metadata, files)
  if (problems.length > 0) {
    return yield* new LakeError({ reason: "Invalid", message: `files cannot be added: ${problems.join("; ")}` })
  }
  const written = yield* Effect.forEach(chunksOf(files), (chunk) => writeManifest(memory, metadata, chunk))
  memory.manifests.set(files, written)
  return written
})

/** Writes what the new snapshot needs and gives the updates that make it current. */
export const stageAppend = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  action: Append,
  attempt: number,
  nowMs: number
): Effect.fn.Return<ReadonlyArray<MetadataUpdate>, LakeError> {
  const { metadata } = base
  const { fileIO, snapshotId } = memory
  const parent = currentSnapshot(metadata)
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const added = (yield* newManifests(memory, metadata, action.files)).map((manifest): ManifestFile => ({
    ...manifest,
    sequenceNumber,
    minSequenceNumber: sequenceNumber
  }))
  const kept = parent === undefined ? [] : yield* fileIO.readManifestList(parent.manifestList)
  const manifests = [...added, ...(yield* mergeManifests(memory, base, kept, sequenceNumber))]
  const parentSnapshotId = parent?.snapshotId ?? null
  const manifestList = `${metadataFolder(metadata)}/snap-${snapshotId}-${attempt}-${yield* randomUuid}.avro`
  yield* fileIO.writeManifestList(manifestList, { snapshotId, parentSnapshotId, sequenceNumber }, manifests)
  const counts = appendSummary(parent, action.files, manifests, (specId) => specById(metadata, specId))
  const snapshot: Snapshot = {
    snapshotId,
    parentSnapshotId,
    sequenceNumber,
    timestampMs: changeTimeMs(metadata, nowMs),
    manifestList,
    operation: "append",
    // Counts last: a caller's entry cannot change what readers rely on.
    summary: new Map([...action.summary, ...counts]),
    schemaId: metadata.currentSchemaId
  }
  const main = metadata.refs.get(mainBranch)
  return [
    { _tag: "AddSnapshot", snapshot },
    {
      _tag: "SetSnapshotRef",
      name: mainBranch,
      ref: main === undefined ? branchAt(snapshotId) : { ...main, snapshotId }
    }
  ]
})
