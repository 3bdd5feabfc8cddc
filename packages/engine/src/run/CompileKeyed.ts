/**
 * The generated code of a keyed operator that keeps records of its own: find the key, hand the record over.
 *
 * It takes records as objects; what it makes of them is emitted by a function of the stage.
 */
import type { CodeScope } from "@frazil/core"
import type { KeyedPlan } from "../keyed/KeyedPlan.ts"
import { makeKeyedKey } from "../keyed/KeyText.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"

export interface KeyedCode {
  readonly scope: CodeScope
  readonly operator: PlannedOperator
  readonly plan: KeyedPlan
  /** The record's variable, and the record as it was read. */
  readonly record: string
  readonly read: string
  /** The function that takes what comes of records. */
  readonly emit: string
  /** Makes names of variables. */
  readonly fresh: (prefix: string) => string
  /** Code with what it throws sent to the dead letter, then code that runs when nothing was thrown. */
  readonly guarded: (code: string, after: string) => string
}

export const keyedCode = ({ emit, fresh, guarded, operator, plan, read, record, scope }: KeyedCode): string => {
  const key = fresh("key")
  const keyOf = scope.constant(makeKeyedKey(operator, plan.fields))
  const input = `{ key: ${key}, record: ${record}, changed: ${record} !== ${read}, batch, row: i, port: context.port, eventTime, watermark }`
  const take = `context.keyed[${operator.state}].take(${input}, context, ${emit});`
  return `{ let ${key}; ${guarded(`${key} = ${keyOf}(${record}, ${read});`, take)} }`
}
