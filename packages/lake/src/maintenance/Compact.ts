/**
 * Compacts a table: rewrites small and much deleted files into larger ones, what gains most first, and swaps them in as it goes.
 *
 * **Guarantees**: every snapshot has the rows it had; appends beside it go through; a group whose files another commit
 * changed is given up and counted, a group that cannot be rewritten is told and counted, the others still go in. **Bounds**: one
 * group in the making; a swap after 2 GiB or two minutes, so that an interruption loses little and no new file waits long for
 * its swap; what one run takes in, when asked. A dry run rewrites all the same and throws the files away: its sizes are those of
 * the real run.
 */
import type { Storage } from "@frazil/core"
import { Clock, Effect, Result, Schema } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import type { DuckDb } from "../io/DuckDb.ts"
import type { FileIO } from "../io/FileIO.ts"
import { fromFormat, LakeError } from "../LakeError.ts"
import { planScan, type ScanPlan } from "../read/PlanScan.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { fileBytesTargetOf } from "../spec/FileBytesTarget.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { assertTableUuid } from "../spec/Requirement.ts"
import { defaultSortOrder, specById } from "../spec/TableMetadata.ts"
import { sortedBy } from "../write/change/SortSql.ts"
import { commitTable } from "../write/CommitTable.ts"
import type { ParquetError } from "../write/parquet/ParquetError.ts"
import { rewriteFiles, type RewriteFiles } from "../write/TableAction.ts"
import { carriedMarks } from "./CarriedMarks.ts"
import { FileRewriter } from "./FileRewriter.ts"
import type { MaintenanceReport } from "./MaintenanceReport.ts"
import {
  type CompactionBudget,
  compactionDefaults,
  type CompactionSizes,
  type FileGroup,
  planCompaction,
  withinBudget
} from "./PlanCompaction.ts"
import { zOrderOf } from "./ZOrder.ts"

export interface CompactOptions extends Partial<Omit<CompactionSizes, "sorted">>, CompactionBudget {
  readonly dryRun?: boolean
  /** No group is begun later than this. */
  readonly durationMsMax?: number
  /** Groups of a swap; 1: each goes in on its own. Default: as many as come together. */
  readonly swapGroupsMax?: number
}

const swapBytesMax = 2 * 1024 ** 3
const swapAfterMsMax = 2 * 60_000
const retriesMax = 10

/** A group and what was made of it, waiting for the swap. */
interface Rewritten {
  readonly group: FileGroup
  readonly files: ReadonlyArray<DataFile>
}

/** What has come of a compaction so far. */
interface Outcome {
  files: number
  bytes: number
  conflicts: number
  snapshotId: string | undefined
  /** Groups that went in, or would have. */
  groupsDone: number
  /** Why groups could not be rewritten: of each one. */
  readonly failures: Array<LakeError | ParquetError>
  /** Groups that the budget leaves to the next run. */
  groupsLeft: number
}

/** Nothing of what waits can go in any more. */
class GivenUp extends Schema.TaggedError<GivenUp>()("GivenUp", {}) {}

const bytesOf = (files: ReadonlyArray<DataFile>): number =>
  files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0)

/** Live files of a base by path, without those of which rows were deleted since `start`. */
const untouchedSince = Effect.fnUntraced(function* (start: ScanPlan, base: Table) {
  const { deletes, entries } = yield* planScan(base)
  const startedAt = start.snapshot?.sequenceNumber ?? 0n
  const touched = (entry: ManifestEntry) =>
    (deletes.get(entry) ?? []).some(({ sequenceNumber }) => (sequenceNumber ?? 0n) > startedAt)
  return new Set(entries.filter((entry) => !touched(entry)).map(({ dataFile }) => dataFile.filePath))
})

const stillThere = Effect.fnUntraced(function* (start: ScanPlan, base: Table, waiting: ReadonlyArray<Rewritten>) {
  if (base.metadata.currentSnapshotId === start.snapshot?.snapshotId) return waiting
  const live = yield* untouchedSince(start, base)
  return waiting.filter(({ group }) => group.files.every((file) => live.has(file.filePath)))
})

/** **The commit point** of what waits. Groups that another commit touched are left out, their new files stay for orphan removal. */
const swapIn = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  start: ScanPlan,
  waiting: ReadonlyArray<Rewritten>,
  outcome: Outcome
): Effect.fn.Return<void, LakeError, Catalog | FileIO> {
  let attempts = 0
  let kept = waiting
  let files = { added: kept.flatMap((each) => each.files), removed: kept.flatMap(({ group }) => group.files) }
  const actions = Effect.fnUntraced(function* (
    base: Table
  ): Effect.fn.Return<ReadonlyArray<RewriteFiles>, LakeError | GivenUp, FileIO> {
    attempts++
    const now = yield* stillThere(start, base, kept)
    if (now.length < kept.length) {
      kept = now
      // the same arrays for every attempt on the same groups: manifests are written once for them
      files = { added: kept.flatMap((each) => each.files), removed: kept.flatMap(({ group }) => group.files) }
    }
    if (kept.length === 0) return yield* new GivenUp()
    const startingSequenceNumber = start.snapshot?.sequenceNumber ?? 0n
    return [rewriteFiles({ ...files, startingSequenceNumber, summary: carriedMarks(base.metadata).marks })]
  })
  const committed = yield* commitTable({
    table: identifier,
    requirements: [assertTableUuid(start.metadata.tableUuid)],
    retriesMax,
    actions
  }).pipe(
    Effect.catchTag("GivenUp", () => Effect.undefined),
    // others were always first: the next run takes what is left
    Effect.catchIf(
      (error) => error.reason === "CommitConflict",
      () => {
        kept = []
        return Effect.undefined
      }
    )
  )
  outcome.conflicts += Math.max(0, attempts - 1) + (waiting.length - kept.length)
  if (committed === undefined) return
  outcome.snapshotId = String(committed.snapshot?.snapshotId)
  tally(outcome, kept)
})

const tally = (outcome: Outcome, done: ReadonlyArray<Rewritten>): void => {
  outcome.groupsDone += done.length
  for (const { files, group } of done) {
    outcome.files += files.length - group.files.length
    outcome.bytes += bytesOf(files) - bytesOf(group.files)
  }
}

const planGroups = (plan: ScanPlan, options: CompactOptions): Effect.Effect<ReadonlyArray<FileGroup>, LakeError> =>
  Effect.try({
    try: () => {
      const { metadata, schema } = plan
      const sorted =
        Result.getOrThrow(zOrderOf(metadata, schema)).length > 0 ||
        sortedBy(defaultSortOrder(metadata), schema) !== undefined
      const fileBytesTarget = fileBytesTargetOf(metadata.properties)
      const sizes = { ...compactionDefaults, fileBytesTarget, ...options, sorted }
      return planCompaction(plan, (specId) => specById(metadata, specId), sizes)
    },
    catch: (cause) => (cause instanceof LakeError ? cause : fromFormat("table metadata", plan.metadata.location)(cause))
  })

/** The group's files are at fault, or what they hold: others can still be rewritten. */
const isOfGroup = ({ reason }: LakeError | ParquetError): boolean => reason === "Corrupt" || reason === "Unsupported"

const rewriteAll = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  plan: ScanPlan,
  groups: ReadonlyArray<FileGroup>,
  {
    dryRun = false,
    durationMsMax = Number.POSITIVE_INFINITY,
    swapGroupsMax = Number.POSITIVE_INFINITY
  }: CompactOptions,
  outcome: Outcome
): Effect.fn.Return<void, LakeError | ParquetError, Catalog | FileIO | Storage | DuckDb> {
  const rewriter = yield* FileRewriter
  const startedAtMs = yield* Clock.currentTimeMillis
  let waiting: Array<Rewritten> = []
  let since = startedAtMs
  const swap = Effect.fnUntraced(function* () {
    if (waiting.length === 0) return
    if (dryRun) tally(outcome, waiting)
    else yield* swapIn(identifier, plan, waiting, outcome)
    waiting = []
    since = yield* Clock.currentTimeMillis
  })
  const rewriteOne = Effect.fnUntraced(function* (group: FileGroup) {
    const files = yield* rewriter.rewrite({ plan, group, publish: !dryRun })
    waiting.push({ group, files })
  })
  for (const [i, group] of groups.entries()) {
    const now = yield* Clock.currentTimeMillis
    if (now - startedAtMs > durationMsMax) {
      outcome.groupsLeft += groups.length - i
      break
    }
    const taken = waiting.reduce((sum, each) => sum + bytesOf(each.group.files), 0)
    if (taken >= swapBytesMax || now - since >= swapAfterMsMax || waiting.length >= swapGroupsMax) yield* swap()
    yield* rewriteOne(group).pipe(
      Effect.catch((error) => {
        if (!isOfGroup(error)) return Effect.andThen(swap(), Effect.fail(error))
        return Effect.sync(() => void outcome.failures.push(error))
      })
    )
  }
  yield* swap()
})

/** What could not be rewritten; a run in which nothing could fails by the first reason. */
const failureText = (
  { failures, groupsDone }: Outcome,
  groups: number
): Effect.Effect<string | undefined, LakeError | ParquetError> => {
  const [first] = failures
  if (first === undefined) return Effect.undefined
  return groupsDone === 0
    ? Effect.fail(first)
    : Effect.succeed(`${failures.length} of ${groups} groups of files could not be rewritten: ${first.message}`)
}

/**
 * Compacts the table's current snapshot: rows that delete files mean go. Fails with Unsupported for columns that are not
 * rewritten here, TableReplaced when the table is made anew meanwhile; what others were always faster than is counted.
 */
export const compactTable = Effect.fn("compactTable")(function* (
  identifier: TableIdentifier,
  options: CompactOptions = {}
): Effect.fn.Return<MaintenanceReport, LakeError | ParquetError, Catalog | FileIO | Storage | DuckDb> {
  const startedAtMs = yield* Clock.currentTimeMillis
  const catalog = yield* Catalog
  const plan = yield* planScan(yield* catalog.loadTable(identifier))
  const filesBefore = plan.entries.length
  const bytesBefore = bytesOf(plan.entries.map(({ dataFile }) => dataFile))
  const { groups, left } = withinBudget(yield* planGroups(plan, options), options)
  const outcome: Outcome = {
    ...{ files: 0, bytes: 0, conflicts: 0, snapshotId: undefined },
    ...{ groupsDone: 0, failures: [], groupsLeft: left }
  }
  const dryRun = options.dryRun ?? false
  yield* rewriteAll(identifier, plan, groups, options, outcome)
  const error = yield* failureText(outcome, groups.length)
  return {
    table: identifierText(identifier),
    action: "compact",
    dryRun,
    startedAtMs,
    finishedAtMs: yield* Clock.currentTimeMillis,
    filesBefore,
    filesAfter: filesBefore + outcome.files,
    bytesBefore,
    bytesAfter: bytesBefore + outcome.bytes,
    conflicts: outcome.conflicts,
    snapshotsExpired: 0,
    snapshotId: outcome.snapshotId,
    groupsLeft: outcome.groupsLeft,
    removed: [],
    error
  }
})
