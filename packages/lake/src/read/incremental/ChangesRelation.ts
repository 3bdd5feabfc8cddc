/**
 * A changelog as a DuckDB relation: the rows that snapshots inserted and deleted, as Spark's changelog view has them.
 *
 * Pure, but for copies of files. Rows that a rewrite only carried over, equal in every column, do not come: of what lived
 * before and after, the difference as multisets.
 */
import type { StorageShape } from "@frazil/core"
import { Effect, Result, type Scope } from "effect"
import { sqlName, sqlText } from "../../io/DuckDb.ts"
import { raiseSql } from "../../io/DuckDbError.ts"
import { LakeError } from "../../LakeError.ts"
import { fieldEntries } from "../../spec/Schema.ts"
import { isPrimitive } from "../../spec/Type.ts"
import { withLocalFiles } from "../LocalFiles.ts"
import type { ScanPlan } from "../PlanScan.ts"
import { emptyRelation, tableRelation } from "../TableRelation.ts"
import type { ChangesPlan, ChangeStep } from "./PlanChanges.ts"

/** Columns behind those of the table: what happened (`INSERT`, `DELETE`), the snapshot's place in the line, the snapshot. */
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

/** Columns that tell rows apart, by full name; `"identifier"`: the identifier fields of the schema. */
export type UpdatesBy = "identifier" | ReadonlyArray<string>

const refused = (reason: "Invalid" | "Unsupported", message: string): Result.Result<never, LakeError> =>
  Result.fail(new LakeError({ reason, message }))

/** The columns as expressions. */
const identifiersOf = ({ schema }: ChangesPlan, by: UpdatesBy): Result.Result<ReadonlyArray<string>, LakeError> => {
  const entries = fieldEntries(schema).filter(({ repeated, type }) => !repeated && isPrimitive(type))
  const paths = new Map(entries.map(({ path }) => [path.join("."), path]))
  const ids = new Set(schema.identifierFieldIds)
  const names = by === "identifier" ? entries.filter(({ id }) => ids.has(id)).map(({ path }) => path.join(".")) : by
  if (names.length === 0) {
    return refused("Invalid", "updates are told by columns that identify rows, of which the table has none: name some")
  }
  const unknown = names.find((name) => !paths.has(name))
  if (unknown !== undefined) return refused("Invalid", `updates cannot be told by ${unknown}, which is no plain column`)
  return Result.succeed(names.map((name) => paths.get(name)!.map(sqlName).join(".")))
}

/** In one snapshot, a row that went and one that came with the same identifiers are one that was changed, as Spark has it. */
const paired = (changes: string, identifiers: ReadonlyArray<string>): string => {
  const count = (type: string) => `count(*) FILTER (WHERE _change_type = '${type}') OVER same`
  const type = `CASE WHEN _change_gone > 1 OR _change_came > 1 THEN ${raiseSql("several rows of a snapshot have the same identifiers: updates cannot be told by these columns")}
    WHEN _change_gone = 1 AND _change_came = 1 THEN CASE _change_type WHEN 'DELETE' THEN 'UPDATE_BEFORE' ELSE 'UPDATE_AFTER' END
    ELSE _change_type END`
  return `SELECT * EXCLUDE (_change_gone, _change_came) REPLACE (${type} AS _change_type) FROM (
    SELECT *, ${count("DELETE")} AS _change_gone, ${count("INSERT")} AS _change_came FROM (${changes})
    WINDOW same AS (PARTITION BY _change_ordinal, ${identifiers.join(", ")}))`
}

/**
 * A SELECT of the table's columns and `changeColumns`, in no order, to be used as `(…) AS name`: a row that was changed is a
 * DELETE and an INSERT; with `updates`, an UPDATE_BEFORE and an UPDATE_AFTER where its identifiers stayed.
 */
export const changesRelation = (plan: ChangesPlan, updates?: UpdatesBy): Result.Result<string, LakeError> => {
  const changes = plainChanges(plan)
  if (updates === undefined) return changes
  return Result.flatMap(changes, (rows) => Result.map(identifiersOf(plan, updates), (by) => paired(rows, by)))
}

const plainChanges = (plan: ChangesPlan): Result.Result<string, LakeError> => {
  const taken = plan.schema.fields.find(({ name }) => changeColumns.some((each) => each === name.toLowerCase()))
  if (taken !== undefined) {
    return refused("Unsupported", `changes are not read beside a column ${taken.name}, whose name is kept for them`)
  }
  const none = `SELECT *, NULL::VARCHAR AS _change_type, NULL::INTEGER AS _change_ordinal, NULL::BIGINT AS _commit_snapshot_id FROM (${emptyRelation(plan.schema)})`
  return Result.map(Result.all(plan.steps.map(stepRelation)), (parts) => [none, ...parts.flat()].join(" UNION ALL "))
}
