/**
 * The generated code of a side of a join: find the key, hand the record to the join's state, tell the ledger.
 *
 * In column mode the key is read from columns, and so are the fields that expressions make the result of; for a function the
 * record is made, since what is held is likely to meet a partner.
 */
import type { CodeScope, FieldAccess, FieldSpec } from "@frazil/core"
import type { Side } from "../join/Join.ts"
import type { JoinPlan } from "../join/JoinPlan.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import { cellsCode } from "./CompileCells.ts"
import { keyCode } from "./CompileWindow.ts"
import { makeStateKey } from "./StateKey.ts"

export interface JoinSideCode {
  readonly scope: CodeScope
  /** The side, and its join. */
  readonly operator: PlannedOperator
  readonly join: PlannedOperator
  readonly side: Side
  readonly plan: JoinPlan
  /** Reads columns; undefined in record mode. */
  readonly columns: FieldAccess | undefined
  /** The record's variable, and the record as it was read. */
  readonly record: string
  readonly read: string
  /** The code of the condition under which a record deletes its key. */
  readonly deleted: string | undefined
  /** The function that takes results. */
  readonly emit: string
  /** Makes names of variables. */
  readonly fresh: (prefix: string) => string
  /** Code with what it throws sent to the dead letter, then code that runs when nothing was thrown. */
  readonly guarded: (code: string, after: string) => string
}

// expressions that read nothing of a side still need one that is there
const cellsOfSide = (kept: ReadonlyArray<FieldSpec>, columns: FieldAccess, scope: CodeScope) =>
  kept.length === 0 ? "{}" : cellsCode(kept, columns, scope)

export const joinSideCode = (code: JoinSideCode): string => {
  const { columns, emit, fresh, join, operator, record, read, scope, side } = code
  const [key, deleted, refusal] = [fresh("key"), fresh("deleted"), fresh("refusal")]
  const name = scope.constant(join.name)
  const kept = code.plan.kept?.[side]
  // where only fields are read nobody is likely to ask for the record
  const made = kept !== undefined && columns !== undefined ? "undefined" : record
  const cells = kept === undefined ? "undefined" : columns === undefined ? record : cellsOfSide(kept, columns, scope)
  const changed = columns === undefined ? `${record} !== ${read}` : "false"
  const take = `const ${refusal} = context.joins[${join.state}].take({ side: ${side}, port: context.port, key: ${key}, time: eventTime, deleted: ${deleted}, record: ${made}, cells: ${cells}, changed: ${changed} }, batch, i, watermark, context, ${emit});
if (${refusal} !== undefined) context.enter(batch, i, { operator: ${name}, reason: ${refusal}, key: ${key}, eventTime, latenessMs: watermark - eventTime });`
  const keyOf = scope.constant(makeStateKey({ ...operator, name: join.name }))
  const found = columns === undefined ? `${keyOf}(${record}, ${read})` : keyCode(code.plan.key, columns)
  const find = `${key} = ${found}; ${code.deleted === undefined ? "" : `${deleted} = ${code.deleted};`}`
  return `{ let ${key}, ${deleted} = false; ${code.guarded(find, take)} }`
}
