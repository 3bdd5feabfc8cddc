/**
 * Compacts a table: rewrites small files into larger ones, partition by partition, and swaps them in as it goes.
 *
 * **Guarantees**: every snapshot has the rows it had; appends beside it go through; a group whose files another commit
 * changed is given up and counted, the others still go in. **Bounds**: one group in the making; a swap after 16 GiB or half
 * an hour, so that an interruption loses little and no new file waits long for its swap. A dry run rewrites all the same and
 * throws the files away: its sizes are those of the real run.
 */
import type { Storage } from "@frazil/core"
import { Clock, Effect, Schema } from "effect"
import { Catalog, identifierText, type Table, type TableIdentifier } from "../catalog/Catalog.ts"
import type { DuckDb } from "../io/DuckDb.ts"
import type { FileIO } from "../io/FileIO.ts"
import { fromFormat, type LakeError } from "../LakeError.ts"
import { planScan, type ScanPlan } from "../read/PlanScan.ts"
import type { DataFile } from "../spec/DataFile.ts"
import { assertTableUuid } from "../spec/Requirement.ts"
import { specById } from "../spec/TableMetadata.ts"
import { commitTable } from "../write/CommitTable.ts"
import type { ParquetError } from "../write/parquet/ParquetError.ts"
import { rewriteFiles, type RewriteFiles } from "../write/TableAction.ts"
import { carriedMarks } from "./CarriedMarks.ts"
import { FileRewriter } from "./FileRewriter.ts"
import type { MaintenanceReport } from "./MaintenanceReport.ts"
import { compactionDefaults, planCompaction, type CompactionSizes, type FileGroup } from "./PlanCompaction.ts"

export interface CompactOptions extends Partial<CompactionSizes> {
  readonly dryRun?: boolean
}

const swapBytesMax = 16 * 1024 ** 3
const swapAfterMsMax = 30 * 60_000
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
}

/** Nothing of what waits can go in any more. */
class GivenUp extends Schema.TaggedError<GivenUp>()("GivenUp", {}) {}

const bytesOf = (files: ReadonlyArray<DataFile>): number =>
  files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0)

/** Live files of a base by path; undefined when deletes came that may mean any of them. */
const livePaths = (base: Table): Effect.Effect<ReadonlySet<string> | undefined, LakeError, FileIO> =>
  planScan(base).pipe(
    Effect.map(({ entries }) => new Set(entries.map(({ dataFile }) => dataFile.filePath))),
    Effect.catchIf(
      (error) => error.reason === "Unsupported",
      () => Effect.undefined
    )
  )

const stillThere = Effect.fnUntraced(function* (start: ScanPlan, base: Table, waiting: ReadonlyArray<Rewritten>) {
  if (base.metadata.currentSnapshotId === start.snapshot?.snapshotId) return waiting
  const live = yield* livePaths(base)
  return live === undefined ? [] : waiting.filter(({ group }) => group.files.every((file) => live.has(file.filePath)))
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
  }).pipe(Effect.catchTag("GivenUp", () => Effect.undefined))
  outcome.conflicts += Math.max(0, attempts - 1) + (waiting.length - kept.length)
  if (committed === undefined) return
  outcome.snapshotId = String(committed.snapshot?.snapshotId)
  tally(outcome, kept)
})

const tally = (outcome: Outcome, done: ReadonlyArray<Rewritten>): void => {
  for (const { files, group } of done) {
    outcome.files += files.length - group.files.length
    outcome.bytes += bytesOf(files) - bytesOf(group.files)
  }
}

const planGroups = (plan: ScanPlan, options: CompactOptions): Effect.Effect<ReadonlyArray<FileGroup>, LakeError> =>
  Effect.try({
    try: () =>
      planCompaction(plan.entries, (specId) => specById(plan.metadata, specId), { ...compactionDefaults, ...options }),
    catch: fromFormat("table metadata", plan.metadata.location)
  })

const rewriteAll = Effect.fnUntraced(function* (
  identifier: TableIdentifier,
  plan: ScanPlan,
  groups: ReadonlyArray<FileGroup>,
  dryRun: boolean,
  outcome: Outcome
): Effect.fn.Return<void, LakeError | ParquetError, Catalog | FileIO | Storage | DuckDb> {
  const rewriter = yield* FileRewriter
  let waiting: Array<Rewritten> = []
  let waitingBytes = 0
  let since = yield* Clock.currentTimeMillis
  for (const group of groups) {
    const files = yield* rewriter.rewrite({ plan, group, publish: !dryRun })
    waiting.push({ group, files })
    waitingBytes += bytesOf(group.files)
    const now = yield* Clock.currentTimeMillis
    const due = waitingBytes >= swapBytesMax || now - since >= swapAfterMsMax || group === groups.at(-1)
    if (!due) continue
    if (dryRun) tally(outcome, waiting)
    else yield* swapIn(identifier, plan, waiting, outcome)
    waiting = []
    waitingBytes = 0
    since = now
  }
})

/**
 * Compacts the table's current snapshot. Fails with Unsupported for a table with delete files or columns that are not
 * rewritten here, RequirementFailed when the table is made anew meanwhile, CommitConflict when others were always first.
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
  const outcome: Outcome = { files: 0, bytes: 0, conflicts: 0, snapshotId: undefined }
  const dryRun = options.dryRun ?? false
  yield* rewriteAll(identifier, plan, yield* planGroups(plan, options), dryRun, outcome)
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
    removed: [],
    error: undefined
  }
})
