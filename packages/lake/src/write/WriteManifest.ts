/**
 * Makes manifests and describes them as a list must: the counts are of the very entries that are written.
 *
 * All stages call it. They are written with the other files of the commit, before its swap; what was written is never deleted
 * here (protocol, rule 12).
 */
import { Effect } from "effect"
import { identifierText, type Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import { randomUuid } from "../io/RandomIds.ts"
import { LakeError } from "../LakeError.ts"
import { type ContentFile, contentKey, type DataFile, type DeleteFile } from "../spec/DataFile.ts"
import { metadataFolder } from "../spec/Locations.ts"
import {
  type AnyEntry,
  comparePartitions,
  summariseField,
  type ManifestEntry,
  type ManifestFile
} from "../spec/Manifest.ts"
import { unknownField } from "../spec/PartitionSpec.ts"
import { currentSchema, type TableMetadata } from "../spec/TableMetadata.ts"
import { transformToText } from "../spec/Transform.ts"
import type { StagingMemory } from "./StagingMemory.ts"

/** A manifest holds at most this many entries: about Java's 8 MB. */
export const entriesMax = 20_000

const rowsOf = (entries: ReadonlyArray<ManifestEntry<ContentFile>>): bigint =>
  entries.reduce((rows, entry) => rows + entry.dataFile.recordCount, 0n)

/** The least number of a live entry; null in one that inherits. */
const lowest = (entries: ReadonlyArray<ManifestEntry<ContentFile>>, sequenceNumber: bigint): bigint =>
  entries.reduce((least, { sequenceNumber: own, status }) => {
    return status !== "deleted" && own !== null && own < least ? own : least
  }, sequenceNumber)

/**
 * Makes one manifest of entries of one spec. `sequenceNumber` is that of the commit in the making: what the manifest
 * has, and what entries without a number will inherit. `kind` is part of its name, for people.
 */
export const writeManifest = Effect.fnUntraced(function* (
  memory: StagingMemory,
  base: Table,
  specId: number,
  entries: ReadonlyArray<AnyEntry>,
  sequenceNumber: bigint,
  kind: "m0" | "m1",
  content: ManifestFile["content"] = "data"
): Effect.fn.Return<ManifestFile, LakeError> {
  const { metadata } = base
  const { spec, partition } = yield* specOf(base, specId)
  const foreign = unknownField(spec)
  if (foreign !== undefined) {
    const message = `table ${identifierText(base.identifier)}: partition field ${foreign.name} has the transform ${transformToText(foreign.transform)}, which is not known here: its values would be lost in a new manifest; write it with the engine that knows it`
    return yield* new LakeError({ reason: "Unsupported", message })
  }
  const manifestPath = `${metadataFolder(metadata)}/${yield* randomUuid}-${kind}.avro`
  const layout = { formatVersion: metadata.formatVersion, schema: currentSchema(metadata), spec, partition }
  const sorted = entries.toSorted(comparePartitions)
  const file = yield* memory.fileIO.stageManifest(manifestPath, layout, sorted, content)
  yield* memory.staged.add(file)
  const of = (status: ManifestEntry["status"]) => entries.filter((entry) => entry.status === status)
  const [added, existing, deleted] = [of("added"), of("existing"), of("deleted")]
  return {
    manifestPath,
    manifestLength: BigInt(file.bytes.length),
    partitionSpecId: specId,
    content,
    sequenceNumber,
    minSequenceNumber: lowest(entries, sequenceNumber),
    addedSnapshotId: memory.snapshotId,
    addedFilesCount: added.length,
    existingFilesCount: existing.length,
    deletedFilesCount: deleted.length,
    addedRowsCount: rowsOf(added),
    existingRowsCount: rowsOf(existing),
    deletedRowsCount: rowsOf(deleted),
    partitions: partition.map((field, i) =>
      summariseField(
        field.type ?? { _tag: "int" },
        entries.map((entry) => entry.dataFile.partition[i] ?? null)
      )
    ),
    keyMetadata: null
  }
})

const chunksOf = <File extends ContentFile>(files: ReadonlyArray<File>): ReadonlyArray<ReadonlyArray<File>> => {
  const bySpec = Map.groupBy(files, (file) => file.specId)
  return Array.from(bySpec.values()).flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / entriesMax) }, (_, i) =>
      group.slice(i * entriesMax, (i + 1) * entriesMax)
    )
  )
}

/** What is wrong with files to be added; empty when nothing is. */
const fileProblems = (metadata: TableMetadata, files: ReadonlyArray<DataFile | DeleteFile>): ReadonlyArray<string> => {
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
    const place = contentKey(file)
    if (paths.has(place)) problems.push(`${file.filePath}: is added twice`)
    paths.add(place)
  }
  return problems
}

interface NewFiles<File extends ContentFile> {
  readonly content: ManifestFile["content"]
  readonly files: ReadonlyArray<File>
  /** Null: that of the commit. */
  readonly dataSequenceNumber: bigint | null
}

const writeNew = Effect.fnUntraced(function* <File extends DataFile | DeleteFile>(
  memory: StagingMemory,
  base: Table,
  { content, dataSequenceNumber, files }: NewFiles<File>,
  sequenceNumber: bigint
): Effect.fn.Return<ReadonlyArray<ManifestFile>, LakeError> {
  const minSequenceNumber = dataSequenceNumber ?? sequenceNumber
  const stamped = (manifest: ManifestFile): ManifestFile => ({ ...manifest, sequenceNumber, minSequenceNumber })
  const known = memory.manifests.get(files)
  if (known !== undefined) return known.map(stamped)
  const problems = fileProblems(base.metadata, files)
  if (problems.length > 0) {
    return yield* new LakeError({ reason: "Invalid", message: `files cannot be added: ${problems.join("; ")}` })
  }
  const written = yield* Effect.forEach(chunksOf(files), (chunk) => {
    const entries = chunk.map((dataFile): AnyEntry => ({
      status: "added",
      snapshotId: memory.snapshotId,
      sequenceNumber: dataSequenceNumber,
      // the number of the commit that added the file, which always inherits
      fileSequenceNumber: null,
      dataFile
    }))
    const specId = chunk[0]?.specId ?? base.metadata.defaultSpecId
    return writeManifest(memory, base, specId, entries, sequenceNumber, "m0", content)
  })
  memory.manifests.set(files, written)
  return written.map(stamped)
})

/**
 * Manifests of new data files, written once for all attempts. Their data sequence number is `dataSequenceNumber`, or that of
 * the commit when it is null.
 */
export const manifestsOfNewFiles = (
  memory: StagingMemory,
  base: Table,
  files: ReadonlyArray<DataFile>,
  dataSequenceNumber: bigint | null,
  sequenceNumber: bigint
): Effect.Effect<ReadonlyArray<ManifestFile>, LakeError> =>
  writeNew(memory, base, { content: "data", files, dataSequenceNumber }, sequenceNumber)

/** The same of new delete files, which have the commit's sequence number. */
export const manifestsOfNewDeletes = (
  memory: StagingMemory,
  base: Table,
  files: ReadonlyArray<DeleteFile>,
  sequenceNumber: bigint
): Effect.Effect<ReadonlyArray<ManifestFile>, LakeError> =>
  writeNew(memory, base, { content: "deletes", files, dataSequenceNumber: null }, sequenceNumber)
