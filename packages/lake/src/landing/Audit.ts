/**
 * Recounts a table against its log: every record below each mark that decodes must be one row, and nothing else may be.
 *
 * `frazil tables audit` calls it, also beside a running pipeline: it judges one snapshot by that snapshot's own marks. The
 * log is read in offset order with the landing's decoder, the table in ranges of offsets, so that neither is ever held
 * whole. **Bounds**: `rangeRecordsMax` offsets of each, and what DuckDB takes to read them. **Gotchas**: rows below the
 * log's start have no record left to be held against: of them it says how many there are, and which are there twice.
 */
import { Decoder, type Topic } from "@frazil/core"
import { Log, type LogError, type PartitionBounds, type TopicInfo } from "@frazil/engine"
import { Effect, type Scope } from "effect"
import { Catalog, type Table } from "../catalog/Catalog.ts"
import { DuckDb } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import { FileIO } from "../io/FileIO.ts"
import type { LakeError } from "../LakeError.ts"
import { planScan, type ScanPlan } from "../read/PlanScan.ts"
import { type AuditReport, makeTally, type PartitionAudit, partitionMatches } from "./AuditReport.ts"
import { type AuditRows, makeAuditRows, type RowOffsets } from "./AuditRows.ts"
import { checkAgainstLog } from "./CheckMarks.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { fingerprintOf, type Mark, readMarks } from "./Mark.ts"
import { marksBorneOut } from "./MarksBorneOut.ts"

const readLimits = { recordsMax: 10_000, bytesMax: 4_194_304 }
const rangeRecordsMaxDefault = 250_000

export interface AuditOptions {
  /** Records of the log that are compared with the table at a time. Default 250,000. */
  readonly rangeRecordsMax?: number
  /** Told where the audit is, for people. */
  readonly onProgress?: (partition: number, offset: number, next: number) => Effect.Effect<void>
}

interface Auditing {
  readonly landing: Landing
  readonly topic: TopicInfo
  readonly decoder: Decoder<unknown>
  readonly rows: AuditRows
  readonly rangeRecordsMax: number
  readonly onProgress: NonNullable<AuditOptions["onProgress"]>
}

/** A stretch of the log: the offsets of its valid records, and what was seen on the way. */
interface Stretch {
  readonly valid: ReadonlyArray<number>
  readonly records: number
  /** The next offset to read. */
  readonly next: number
  /** The record before the mark is not the one that was landed. */
  readonly otherRecord: boolean
}

const readStretch = Effect.fnUntraced(function* (auditing: Auditing, partition: number, from: number, mark: Mark) {
  const log = yield* Log
  const { rangeRecordsMax } = auditing
  const valid: Array<number> = []
  let records = 0
  let next = from
  let otherRecord = false
  while (next < mark.next && records < rangeRecordsMax) {
    const recordsMax = Math.min(readLimits.recordsMax, rangeRecordsMax - records, mark.next - next)
    const batch = yield* log.read(auditing.topic.name, partition, next, { ...readLimits, recordsMax })
    const columns = auditing.decoder.decode(batch)
    let row = 0
    for (; row < batch.length && batch.offsets[row]! < mark.next; row++) {
      if (columns.valid[row] === 1) valid.push(batch.offsets[row]!)
    }
    records += row
    const last = row === 0 ? undefined : batch.offsets[row - 1]!
    if (last === mark.next - 1) otherRecord = fingerprintOf(batch, row - 1) !== mark.fingerprint
    // offsets have gaps: what is not there up to the mark was no record
    next = last === undefined || row < batch.length ? mark.next : last + 1
    yield* Effect.yieldNow
  }
  return { valid, records, next, otherRecord } satisfies Stretch
})

/** Tells of rows that no record of the log stands for, from offset `from` to before `to`. */
const eachWithout = Effect.fnUntraced(function* (
  auditing: Auditing,
  partition: number,
  from: number,
  to: number | undefined,
  tell: (found: RowOffsets) => void
) {
  const { rangeRecordsMax } = auditing
  let next = from
  while (true) {
    const found: RowOffsets = yield* auditing.rows.following(partition, next, to, rangeRecordsMax)
    tell(found)
    if (found.offsets.length < rangeRecordsMax) return
    next = found.offsets.at(-1)! + 1
  }
})

interface AuditedPartition {
  readonly audit: PartitionAudit
  readonly otherRecord: boolean
}

/** Audits a partition from where its log begins; begins anew when retention overtakes it on the way. */
const auditPartition = (
  auditing: Auditing,
  bounds: PartitionBounds,
  mark: Mark
): Effect.Effect<AuditedPartition, LakeError | LogError | DuckDbError, Log> =>
  auditFromStart(auditing, bounds, mark).pipe(
    Effect.catchTag("LogError", (error) =>
      error.reason === "OffsetOutOfRange" ? auditAnew(auditing, bounds, mark, error) : Effect.fail(error)
    )
  )

const auditAnew = Effect.fnUntraced(function* (
  auditing: Auditing,
  before: PartitionBounds,
  mark: Mark,
  error: LogError
): Effect.fn.Return<AuditedPartition, LakeError | LogError | DuckDbError, Log> {
  const log = yield* Log
  const now = (yield* log.bounds(auditing.topic.name))[before.partition]
  if (now === undefined || now.start <= before.start) return yield* error
  return yield* auditPartition(auditing, now, mark)
})

const auditFromStart = Effect.fnUntraced(function* (
  auditing: Auditing,
  bounds: PartitionBounds,
  mark: Mark
): Effect.fn.Return<AuditedPartition, LakeError | LogError | DuckDbError, Log> {
  const { partition, start } = bounds
  const tally = makeTally()
  let records = 0
  let valid = 0
  let otherRecord = false
  let from = start
  while (from < mark.next) {
    yield* auditing.onProgress(partition, from, mark.next)
    const stretch: Stretch = yield* readStretch(auditing, partition, from, mark)
    const found = yield* auditing.rows.between(partition, from, stretch.next)
    tally.compare(stretch.valid, found.offsets, found.times)
    records += stretch.records
    valid += stretch.valid.length
    otherRecord ||= stretch.otherRecord
    from = stretch.next
  }
  // a table that has rows beyond its mark will have them twice
  yield* eachWithout(auditing, partition, Math.max(mark.next, start), undefined, ({ offsets, times }) =>
    tally.compare([], offsets, times)
  )
  if (start > 0) {
    yield* eachWithout(auditing, partition, 0, start, ({ offsets, times }) => tally.removed(offsets, times))
  }
  const audit: PartitionAudit = {
    partition,
    start,
    next: mark.next,
    records,
    undecodable: records - valid,
    ...tally.take()
  }
  return { audit, otherRecord }
})

/** The marks to audit by, and why they cannot be right. */
const marksOf = Effect.fnUntraced(function* (
  landing: Landing,
  table: Table,
  topic: TopicInfo,
  bounds: ReadonlyArray<PartitionBounds>
) {
  const known = readMarks(landing.uid, landing.branch, table.metadata.properties) ?? new Map<number, Mark>()
  const inForce = yield* marksBorneOut(landing, table)
  const problem = inForce instanceof LandingError ? inForce : checkAgainstLog(landing, known, topic, bounds, new Map())
  return { marks: known, problems: problem === undefined ? [] : [problem.message] }
})

const auditPlan = Effect.fnUntraced(function* (
  landing: Landing,
  table: Table,
  plan: ScanPlan,
  options: AuditOptions
): Effect.fn.Return<AuditReport, LakeError | LogError | DuckDbError, Log | DuckDb | FileIO | Scope.Scope> {
  const log = yield* Log
  const topic = yield* log.topic(landing.topic.name)
  const bounds = yield* log.bounds(topic.name)
  const { marks, problems } = yield* marksOf(landing, table, topic, bounds)
  const connection = yield* (yield* DuckDb).connect
  const auditing: Auditing = {
    landing,
    topic,
    decoder: Decoder.make(landing.topic as unknown as Topic<unknown>), // read through its shape only
    rows: makeAuditRows(connection, yield* FileIO, plan, topic.name),
    rangeRecordsMax: options.rangeRecordsMax ?? rangeRecordsMaxDefault,
    onProgress: options.onProgress ?? (() => Effect.void)
  }
  const partitions: Array<PartitionAudit> = []
  const found: Array<string> = [...problems]
  for (const bound of bounds) {
    const mark = marks.get(bound.partition) ?? { topicId: topic.id, next: 0, fingerprint: "" }
    // records of another topic, or beyond the log's end, cannot be recounted: only what is there is
    const next = mark.topicId === topic.id ? Math.min(mark.next, bound.end) : bound.start
    const { audit, otherRecord } = yield* auditPartition(auditing, bound, { ...mark, next })
    partitions.push(audit)
    if (otherRecord && next === mark.next) {
      found.push(
        `partition ${bound.partition}: the record at offset ${next - 1} of ${topic.name} is not the one that was landed`
      )
    }
  }
  const foreignRows = yield* auditing.rows.countForeign(bounds.map(({ partition }) => partition))
  return {
    table: landing.table,
    topic: topic.name,
    snapshotId: plan.snapshot?.snapshotId,
    committedAtMs: plan.snapshot?.timestampMs,
    files: plan.entries.length,
    partitions,
    foreignRows,
    problems: found,
    matches: found.length === 0 && foreignRows === 0 && partitions.every(partitionMatches)
  }
})

/** Audits a landed table. Fails only when log, catalog or files cannot be read: a mismatch is an answer. */
export const auditTable = Effect.fn("Landing.audit")(function* (
  landing: Landing,
  options: AuditOptions = {}
): Effect.fn.Return<AuditReport, LakeError | LogError | DuckDbError, Log | Catalog | FileIO | DuckDb> {
  const catalog = yield* Catalog
  // one metadata file has the snapshot and its marks
  const table = yield* catalog.loadTable(landing)
  const plan = yield* planScan(table)
  return yield* Effect.scoped(auditPlan(landing, table, plan, options))
})
