/**
 * A changelog as a DuckDB relation: the rows that snapshots inserted and deleted, as Spark's changelog view has them.
 *
 * Pure, but for copies of files. Rows that a rewrite only carried over, equal in every column, do not come: of what lived
 * before and after, the difference as multisets.
 */
import type { StorageShape } from "@frazil/core"
import { Effect, Result, type Scope } from "effect"
import { sqlText } from "../../io/DuckDb.ts"
import { LakeError } from "../../LakeError.ts"
import { withLocalFiles } from "../LocalFiles.ts"
import type { ScanPlan } from "../PlanScan.ts"
import { emptyRelation, tableRelation } from "../TableRelation.ts"
import type { ChangesPlan, ChangeStep } from "./PlanChanges.ts"

/** Columns behind those of the table: `INSERT` or `DELETE`, the snapshot's place in the line, the snapshot. */
const changeColumns = ["_change_type", "_change_ordinal", "_commit_snapshot_id"] as const

/** The same with every file on this machine; copies are there as long as the scope is open. */
export const withLocalChanges = (
  storage: Pick<StorageShape, "localFile">,
  plan: ChangesPlan
): Effect.Effect<ChangesPlan, LakeError, Scope.Scope> =>
  Effect.map(
    Effect.forEach(plan.steps, (step) =>
      Effect.gen(function* () {
        const before = yield* withLocalFiles(storage, step.before)
        return { ...step, before, after: yield* withLocalFiles(storage, step.after) }
      })
    ),
    (steps) => ({ ...plan, steps })
  )

const changed = ({ ordinal, snapshot }: ChangeStep, type: "INSERT" | "DELETE", rows: string): string =>
  `SELECT *, ${sqlText(type)} AS _change_type, ${ordinal}::INTEGER AS _change_ordinal, ${snapshot.snapshotId}::BIGINT AS _commit_snapshot_id FROM (${rows})`

/** Rows of one side that are not on the other. */
const difference = (rows: string, of: ScanPlan, others: string, other: ScanPlan): ReadonlyArray<string> => {
  if (of.entries.length === 0) return []
  return [other.entries.length === 0 ? rows : `(${rows}) EXCEPT ALL (${others})`]
}

const stepRelation = (step: ChangeStep): Result.Result<ReadonlyArray<string>, LakeError> => {
  const { after, before } = step
  return Result.map(Result.all([tableRelation(before), tableRelation(after)]), ([gone, came]) => [
    ...difference(gone, before, came, after).map((rows) => changed(step, "DELETE", rows)),
    ...difference(came, after, gone, before).map((rows) => changed(step, "INSERT", rows))
  ])
}

/**
 * A SELECT of the table's columns and `changeColumns`, in no order, to be used as `(…) AS name`: a row that was changed is a
 * DELETE and an INSERT.
 */
export const changesRelation = (plan: ChangesPlan): Result.Result<string, LakeError> => {
  const taken = plan.schema.fields.find(({ name }) => changeColumns.some((each) => each === name.toLowerCase()))
  if (taken !== undefined) {
    const message = `changes are not read beside a column ${taken.name}, whose name is kept for them`
    return Result.fail(new LakeError({ reason: "Unsupported", message }))
  }
  const none = `SELECT *, NULL::VARCHAR AS _change_type, NULL::INTEGER AS _change_ordinal, NULL::BIGINT AS _commit_snapshot_id FROM (${emptyRelation(plan.schema)})`
  return Result.map(Result.all(plan.steps.map(stepRelation)), (parts) => [none, ...parts.flat()].join(" UNION ALL "))
}
