/**
 * The offsets that a table's rows say they come from, asked of DuckDB range by range.
 *
 * `Audit.ts` calls it. Each question reads only the files whose bounds may hold the range.
 */
import { Effect } from "effect"
import { type DuckDbConnection, sqlText } from "../io/DuckDb.ts"
import type { DuckDbError } from "../io/DuckDbError.ts"
import type { FileIOShape } from "../io/FileIO.ts"
import { fromFormat, type LakeError } from "../LakeError.ts"
import { type Filter, mayMatch } from "../read/Filter.ts"
import { withLocalFiles } from "../read/LocalFiles.ts"
import type { ScanPlan } from "../read/PlanScan.ts"
import { pruner } from "../read/Prune.ts"
import { tableRelation } from "../read/TableRelation.ts"
import { bindInTable } from "../spec/PartitionSpec.ts"
import { specById } from "../spec/TableMetadata.ts"
import { sourceColumns } from "./TableSchema.ts"

/** Offsets ascending, and how many rows have each. */
export interface RowOffsets {
  readonly offsets: ReadonlyArray<number>
  readonly times: ReadonlyArray<number>
}

export interface AuditRows {
  /** Rows of a partition from offset `from` to before `to`. */
  readonly between: (partition: number, from: number, to: number) => Effect.Effect<RowOffsets, LakeError | DuckDbError>
  /** The first rows of a partition from offset `from` on, to before `to` when it is given, of at most `offsetsMax` offsets. */
  readonly following: (
    partition: number,
    from: number,
    to: number | undefined,
    offsetsMax: number
  ) => Effect.Effect<RowOffsets, LakeError | DuckDbError>
  /** Rows of other topics, of other partitions than these, or of offsets that no log has. */
  readonly countForeign: (partitions: ReadonlyArray<number>) => Effect.Effect<number, LakeError | DuckDbError>
}

const { offset: offsetColumn, partition: partitionColumn, topic: topicColumn } = sourceColumns

/** The plan without files that cannot hold a match. */
const narrowed = (plan: ScanPlan, filter: Filter): ScanPlan => {
  const prune = pruner(plan.schema)
  const entries = plan.entries.filter(({ dataFile }) => {
    const partition = bindInTable(specById(plan.metadata, dataFile.specId), plan.metadata.schemas)
    return mayMatch(filter, prune.file(partition, dataFile))
  })
  return { ...plan, entries }
}

const rangeFilter = (partition: number, from: number, to: number | undefined): Filter => ({
  _tag: "And",
  filters: [
    { _tag: "Compare", column: partitionColumn, operator: "=", value: partition },
    { _tag: "Compare", column: offsetColumn, operator: ">=", value: BigInt(from) },
    ...(to === undefined ? [] : [{ _tag: "Compare", column: offsetColumn, operator: "<", value: BigInt(to) } as const])
  ]
})

/** Answers questions about the planned snapshot's rows. */
export const makeAuditRows = (
  connection: DuckDbConnection,
  fileIO: FileIOShape,
  plan: ScanPlan,
  topic: string
): AuditRows => {
  const columnsOf = Effect.fnUntraced(function* (from: ScanPlan, select: string) {
    const relation = yield* Effect.fromResult(tableRelation(yield* withLocalFiles(fileIO, from)))
    const result = yield* connection.query(
      select.replace("ROWS", () => `(${relation})`),
      "recounting a table"
    )
    // every column that is asked for here is a DOUBLE
    return result.getColumnsJS() as ReadonlyArray<ReadonlyArray<number>>
  }, Effect.scoped)
  const own = (partition: number) => `${topicColumn} = ${sqlText(topic)} AND ${partitionColumn} = ${partition}`
  const narrow = (filter: Filter) =>
    Effect.try({ try: () => narrowed(plan, filter), catch: fromFormat("table metadata", plan.metadata.location) })
  const offsetsOf = Effect.fnUntraced(function* (filter: Filter, where: string, limit: string) {
    const [offsets = [], times = []] = yield* columnsOf(
      yield* narrow(filter),
      `SELECT ${offsetColumn}::DOUBLE, count(*)::DOUBLE FROM ROWS
       ${where} GROUP BY ${offsetColumn} ORDER BY ${offsetColumn} ${limit}`
    )
    return { offsets, times } satisfies RowOffsets
  })
  const inRange = (partition: number, from: number, to: number | undefined, limit: string) => {
    const before = to === undefined ? "" : `AND ${offsetColumn} < ${to}`
    return offsetsOf(
      rangeFilter(partition, from, to),
      `WHERE ${own(partition)} AND ${offsetColumn} >= ${from} ${before}`,
      limit
    )
  }
  return {
    between: (partition, from, to) => inRange(partition, from, to, ""),
    following: (partition, from, to, offsetsMax) => inRange(partition, from, to, `LIMIT ${offsetsMax}`),
    countForeign: Effect.fnUntraced(function* (partitions) {
      const [counts] = yield* columnsOf(
        plan,
        `SELECT count(*)::DOUBLE FROM ROWS
         WHERE ${topicColumn} <> ${sqlText(topic)} OR ${offsetColumn} < 0
         OR ${partitionColumn} NOT IN (${partitions.join(", ")})`
      )
      return counts?.[0] ?? 0
    })
  }
}
