/**
 * Writes anew what a table says wrongly of its files, in one commit: sizes, counts, bounds, summaries, statistics that are gone.
 *
 * **Guarantees**: only what follows from files that are there; no row, no data file and no property is touched, and what cannot
 * be repaired is left as it is and told. Bounds come from the files' footers; where those do not say, there are none.
 */
import { Storage } from "@frazil/core"
import { Effect } from "effect"
import type { Catalog, TableIdentifier } from "../../catalog/Catalog.ts"
import type { DuckDb } from "../../io/DuckDb.ts"
import type { DuckDbError } from "../../io/DuckDbError.ts"
import { FileIO } from "../../io/FileIO.ts"
import { fromFormat, fromStorage, type LakeError } from "../../LakeError.ts"
import { contentKey, type ContentFile } from "../../spec/DataFile.ts"
import { assertRef, assertTableUuid } from "../../spec/Requirement.ts"
import { fieldsById, type TableSchema } from "../../spec/Schema.ts"
import { mainBranch } from "../../spec/Snapshot.ts"
import { currentSchema, type TableMetadata } from "../../spec/TableMetadata.ts"
import { metricsModes } from "../../spec/MetricsMode.ts"
import { commitTable } from "../../write/CommitTable.ts"
import { footerMetrics, withoutFloatBounds } from "../../write/parquet/Metrics.ts"
import { footerRowCount } from "../../write/parquet/ParquetFooter.ts"
import { removeStatistics, repairManifests, type TableAction } from "../../write/TableAction.ts"
import { carriedMarks } from "../CarriedMarks.ts"
import { statisticsFiles } from "../Reachable.ts"
import { auditFacts, type FactsFound, type FactsReport, findFacts } from "./AuditFacts.ts"
import { type FactProblem, isRepairable } from "./FactProblem.ts"
import { vectorFacts } from "./VectorProblems.ts"

/** What was wrong, what was or would be repaired of it, and the table afterwards. */
export interface RepairReport {
  readonly before: FactsReport
  readonly repaired: ReadonlyArray<FactProblem>
  readonly after: FactsReport
}

/** Every column that the table has or had, by id: a file may hold one that was dropped. */
const everyField = (metadata: TableMetadata): TableSchema => {
  const current = currentSchema(metadata)
  const known = new Set(fieldsById(current).keys())
  const dropped = metadata.schemas.toReversed().flatMap(({ fields }) =>
    fields.filter(({ id }) => {
      const isNew = !known.has(id)
      known.add(id)
      return isNew
    })
  )
  return { ...current, fields: [...current.fields, ...dropped] }
}

/** Of a file whose columns are not told by field ids, as those of delete files: readers do not skip it then. */
const unknownMetrics: Partial<ContentFile> = {
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map()
}

/** By path, or by what tells a vector from others in its file. */
type Facts = ReadonlyMap<string, Partial<ContentFile>>

/** The facts of files with problems, from the files. One whose footer does not fit has no metrics. */
const factsOf = Effect.fnUntraced(function* (
  { base, byManifest, vectors }: FactsFound,
  problems: ReadonlyArray<FactProblem>
): Effect.fn.Return<Facts, LakeError, FileIO | Storage> {
  const storage = yield* Storage
  const { readDataFileFooter } = yield* FileIO
  const schema = everyField(base.metadata)
  const modes = metricsModes(base.metadata.properties)
  const manifests = new Set(byManifest.keys())
  const paths = new Set(problems.map(({ where }) => where).filter((where) => !manifests.has(where)))
  const facts = new Map<string, Partial<ContentFile>>()
  for (const filePath of paths) {
    const stored = yield* Effect.mapError(storage.stat(filePath), fromStorage("data file"))
    const fileSizeInBytes = BigInt(stored.sizeBytes)
    const within = vectors.filter((vector) => vector.filePath === filePath)
    for (const vector of within) {
      facts.set(contentKey(vector), { fileSizeInBytes, ...(yield* vectorFacts({ ...vector, fileSizeInBytes })) })
    }
    if (within.length > 0) continue
    const footer = yield* readDataFileFooter({ filePath, fileSizeInBytes })
    const metrics = yield* Effect.try({
      try: () => withoutFloatBounds(footerMetrics(footer, schema, modes), schema),
      catch: fromFormat("data file", filePath)
    }).pipe(Effect.orElseSucceed(() => unknownMetrics))
    facts.set(filePath, { ...metrics, fileSizeInBytes, recordCount: BigInt(footerRowCount(footer)) })
  }
  return facts
})

/** The actions of the one commit. */
const actionsOf = Effect.fnUntraced(function* (
  found: FactsFound,
  repaired: ReadonlyArray<FactProblem>
): Effect.fn.Return<ReadonlyArray<TableAction>, LakeError, FileIO | Storage> {
  const { base, byManifest } = found
  const chosen = new Set(repaired)
  const manifests = new Set(
    Array.from(byManifest).flatMap(([path, problems]) =>
      path !== null && problems.some((problem) => chosen.has(problem)) ? [path] : []
    )
  )
  const statistics = new Set(repaired.filter(({ kind }) => kind === "statistics").map(({ where }) => where))
  const gone = new Set(
    statisticsFiles(base.metadata)
      .filter(({ uri }) => statistics.has(uri))
      .map(({ snapshotId }) => snapshotId)
  )
  const ofFiles = repaired.filter(({ kind }) => kind !== "statistics" && kind !== "summary")
  const inManifests = manifests.size > 0 || repaired.some(({ kind }) => kind === "summary")
  const facts = yield* factsOf(found, ofFiles)
  return [
    ...Array.from(gone, removeStatistics),
    ...(inManifests ? [repairManifests({ manifests, facts, summary: carriedMarks(base.metadata).marks })] : [])
  ]
})

/** **Commit point**: on exactly the snapshot that was audited. */
const commit = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  { base }: FactsFound,
  actions: ReadonlyArray<TableAction>
) {
  const { currentSnapshotId, tableUuid } = base.metadata
  yield* commitTable({
    table: identifier,
    requirements: [assertTableUuid(tableUuid), assertRef(mainBranch, currentSnapshotId)],
    actions: () => Effect.succeed(actions)
  })
})

/**
 * Repairs what can be. A dry run tells what would be. RequirementFailed when the table has moved on since it was audited: do it
 * again; TableReplaced when another has its name.
 */
export const repairFacts = Effect.fn("repairFacts")(function* (
  identifier: TableIdentifier,
  options: { readonly dryRun?: boolean } = {}
): Effect.fn.Return<RepairReport, LakeError | DuckDbError, Catalog | FileIO | Storage | DuckDb> {
  const found = yield* findFacts(identifier)
  const { base: _, byManifest, vectors: _v, ...before } = found
  const unreadable = new Set(
    Array.from(byManifest).flatMap(([path, problems]) =>
      problems.some(({ kind, where }) => kind === "manifest" && where === path) ? [path] : []
    )
  )
  const broken = new Set(before.problems.filter(({ kind }) => kind === "file").map(({ where }) => where))
  const repaired = Array.from(byManifest).flatMap(([path, problems]) =>
    problems.filter(
      (problem) => isRepairable(problem) && !broken.has(problem.where) && (path === null || !unreadable.has(path))
    )
  )
  if (repaired.length === 0 || options.dryRun === true) return { before, repaired, after: before }
  yield* commit(identifier, found, yield* actionsOf(found, repaired))
  return { before, repaired, after: yield* auditFacts(identifier) }
})
