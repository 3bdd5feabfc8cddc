/**
 * From a table and a moment to the data files to read: manifests and files that cannot hold a match are left out.
 *
 * Called by readers of tables and by the listing of files. Delete files come with the data files that they apply to. Damage in any manifest is an error that names it, never fewer files.
 */
import { Effect } from "effect"
import type { Table } from "../catalog/Catalog.ts"
import { specOf } from "../catalog/SpecOf.ts"
import { FileIO } from "../io/FileIO.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import { filesPromised } from "../spec/SnapshotSummary.ts"
import { isLive, liveFiles, type ManifestEntry, type ManifestFile } from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import { nameMappingFromText, nameMappingProperty } from "../spec/NameMapping.ts"
import type { TableSchema } from "../spec/Schema.ts"
import type { Snapshot } from "../spec/Snapshot.ts"
import { specById, type TableMetadata } from "../spec/TableMetadata.ts"
import { deletesOf, type DeleteEntry } from "./DeletesOf.ts"
import { mayLackPartition } from "./PartitionConstants.ts"
import { physicalFields, withMappedIds, type PhysicalField } from "./PhysicalSchema.ts"
import { hasInitialDefaults } from "./DefaultSql.ts"
import { readVectors, type Vectors } from "./Vectors.ts"
import { isPrimitive, typeEquals } from "../spec/Type.ts"
import { resolveAsOf, type AsOf, type TableMoment } from "./AsOf.ts"
import { checkFilter } from "./CheckFilter.ts"
import { mayMatch, type Filter } from "./Filter.ts"
import { pruner, type Pruner } from "./Prune.ts"

/** Manifests read at once. */
const readsMax = 8

export interface ScanOptions {
  /** The current snapshot when left out. */
  readonly asOf?: AsOf
  /** Only leaves out files: rows are to be filtered by whoever reads them. Invalid where the table cannot be asked so. */
  readonly filter?: Filter
}

export interface ScanPlan extends TableMoment {
  readonly metadata: TableMetadata
  /** Live files that may hold a match, with the snapshot that added each. */
  readonly entries: ReadonlyArray<ManifestEntry>
  /** Of entries that have some: the delete files that apply to their rows. */
  readonly deletes: ReadonlyMap<ManifestEntry, ReadonlyArray<DeleteEntry>>
  /** Of entries with a deletion vector: the rows that it means. */
  readonly vectors?: Vectors
  /**
   * By path, the columns of the entries' files, with field ids: only where they have to be known, since a nested column was
   * changed, columns that files lack have defaults or are said by their partition, or files may lack ids.
   */
  readonly physical: ReadonlyMap<string, ReadonlyArray<PhysicalField>>
  /** By URI, the local copies of files that lie elsewhere; none until `withLocalFiles` made them. */
  readonly copies?: ReadonlyMap<string, string>
  /** `checkFiles` found that the files have the columns just as the schema says. */
  readonly asDeclared?: boolean
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

interface WantedManifest {
  readonly manifest: ManifestFile
  readonly partition: ReadonlyArray<BoundPartitionField>
}

/** Manifests that may name a file which matches: in one go, since most lists leave few of many. */
const wantedManifests = Effect.fnUntraced(function* (
  table: Table,
  manifests: ReadonlyArray<ManifestFile>,
  filter: Filter | undefined,
  prune: Pruner
): Effect.fn.Return<ReadonlyArray<WantedManifest>, LakeError> {
  // those of rewrites list what they took away, and no scan needs them
  const bySpec = Map.groupBy(
    manifests.filter((manifest) => liveFiles(manifest) > 0),
    ({ partitionSpecId }) => partitionSpecId
  )
  const wanted = new Map<ManifestFile, WantedManifest>()
  for (const [specId, ofSpec] of bySpec) {
    const { partition } = yield* specOf(table, specId)
    let asked = ""
    yield* Effect.try({
      try: () => {
        for (const manifest of ofSpec) {
          asked = manifest.manifestPath
          if (filter === undefined || mayMatch(filter, prune.manifest(partition, manifest.partitions)))
            wanted.set(manifest, { manifest, partition })
        }
      },
      catch: (cause) => fromFormat("manifest", asked)(cause)
    })
  }
  // in the order of the list
  return manifests.flatMap((manifest) => wanted.get(manifest) ?? [])
})

/** The live entries of those that were read, without files that cannot hold a match. */
const matching = (
  wanted: ReadonlyArray<WantedManifest>,
  read: ReadonlyArray<ReadonlyArray<ManifestEntry>>,
  filter: Filter | undefined,
  prune: Pruner
): Effect.Effect<ReadonlyArray<ManifestEntry>, LakeError> => {
  let asked = ""
  return Effect.try({
    try: () =>
      wanted.flatMap(({ manifest, partition }, at) => {
        asked = manifest.manifestPath
        const live = read[at]!.filter(isLive)
        return filter === undefined
          ? live
          : live.filter((entry) => mayMatch(filter, prune.file(partition, entry.dataFile)))
      }),
    catch: (cause) => fromFormat("manifest", asked)(cause)
  })
}

/** Plans a scan. Its only effect is reading the manifest list and the manifests that may matter. */
export const planScan = Effect.fn("planScan")(function* (
  table: Table,
  options: ScanOptions = {}
): Effect.fn.Return<ScanPlan, LakeError, FileIO> {
  const { metadata } = table
  const fileIO = yield* FileIO
  const moment = yield* Effect.fromResult(resolveAsOf(metadata, options.asOf ?? { _tag: "Current" }))
  const { filter } = options
  if (filter !== undefined) yield* Effect.fromResult(checkFilter(metadata.location, filter, moment.schema))
  if (moment.snapshot === undefined)
    return { ...moment, metadata, entries: [], deletes: new Map(), physical: new Map(), filesTotal: 0 }
  const listed = yield* fileIO.readManifestList(moment.snapshot.manifestList)
  const manifests = listed.filter((manifest) => manifest.content === "data")
  const filesTotal = yield* checkTotal(moment.snapshot, manifests)

  const prune = pruner(moment.schema)
  const wanted = yield* wantedManifests(table, manifests, filter, prune)
  const read = yield* Effect.forEach(
    wanted,
    ({ manifest, partition }) => fileIO.readManifest(manifest, partition, filter && prune.pick(partition, filter)),
    { concurrency: readsMax }
  )
  const entries = yield* matching(wanted, read, filter, prune)
  const deletes = yield* readDeletes(table, entries, listed)
  const vectors = yield* readVectors(deletes)
  const physical = yield* readPhysical(metadata, moment.schema, entries)
  return { ...moment, metadata, entries, deletes, vectors, physical, filesTotal }
})

/** What applies to the entries, of all the delete files that the list names. */
export const readDeletes = Effect.fnUntraced(function* (
  table: Table,
  entries: ReadonlyArray<ManifestEntry>,
  listed: ReadonlyArray<ManifestFile>
): Effect.fn.Return<ScanPlan["deletes"], LakeError, FileIO> {
  const fileIO = yield* FileIO
  const manifests = listed.filter((manifest) => manifest.content === "deletes" && liveFiles(manifest) > 0)
  if (manifests.length === 0 || entries.length === 0) return new Map()
  const read = yield* Effect.forEach(
    manifests,
    (manifest) =>
      Effect.flatMap(specOf(table, manifest.partitionSpecId), ({ partition }) =>
        fileIO.readDeleteManifest(manifest, partition)
      ),
    { concurrency: readsMax }
  )
  return yield* Effect.try({
    try: () => {
      const applying = deletesOf(read.flat().filter(isLive), (specId) => specById(table.metadata, specId))
      return new Map(entries.map((entry) => [entry, applying(entry)] as const).filter(([, each]) => each.length > 0))
    },
    catch: fromFormat("table metadata", table.metadataLocation)
  })
})

/** A column whose nested type is not the same in every schema of the table: DuckDB matches nested fields by name only. */
const nestedChanged = (metadata: TableMetadata, { fields }: TableSchema): boolean =>
  fields.some(
    (field) =>
      !isPrimitive(field.type) &&
      metadata.schemas.some((schema) => {
        const other = schema.fields.find((each) => each.id === field.id)
        return other !== undefined && !typeEquals(other.type, field.type)
      })
  )

/** What `ScanPlan.physical` has of the entries. */
export const readPhysical = Effect.fnUntraced(function* (
  metadata: TableMetadata,
  schema: TableSchema,
  entries: ReadonlyArray<ManifestEntry>
): Effect.fn.Return<ScanPlan["physical"], LakeError, FileIO> {
  const mappingText = metadata.properties.get(nameMappingProperty)
  const sameEverywhere = !nestedChanged(metadata, schema) && !hasInitialDefaults(schema)
  const asked = yield* Effect.try({
    try: () =>
      mappingText === undefined && sameEverywhere
        ? entries.filter((entry) => mayLackPartition(metadata, entry))
        : entries,
    catch: fromFormat("table metadata", metadata.location)
  })
  if (asked.length === 0) return new Map()
  const fileIO = yield* FileIO
  const read = yield* Effect.forEach(
    asked,
    ({ dataFile }) =>
      Effect.map(fileIO.readDataFileSchema(dataFile), (elements) => [dataFile.filePath, elements] as const),
    { concurrency: readsMax }
  )
  return yield* Effect.try({
    try: () => {
      const mapping = mappingText === undefined ? undefined : nameMappingFromText(mappingText)
      return new Map(read.map(([path, elements]) => [path, withMappedIds(physicalFields(elements), mapping)] as const))
    },
    catch: fromFormat("table", metadata.location)
  })
})
