/** The durable form of what a pane or a session holds: its records, then each aggregate by its own schema. */
import { Schema } from "effect"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Cells } from "./Cells.ts"
import type { WindowPlan } from "./WindowPlan.ts"

export const readKey = Schema.decodeUnknownSync(Schema.String)
export const readNumber = Schema.decodeUnknownSync(Schema.Finite)

export const encodeCells = (plan: WindowPlan, cells: Cells): ReadonlyArray<unknown> => [
  cells.numbers[0],
  ...plan.accumulators.map((accumulator) => accumulator.encode(cells))
]

/** Of values that `encodeCells` gave, in place of what the cells hold. Throws when they are none. */
export const decodeCells = (plan: WindowPlan, cells: Cells, [count, ...values]: ReadonlyArray<unknown>): void => {
  cells.numbers[0] = readNumber(count)
  cells.big = undefined
  for (const [index, accumulator] of plan.accumulators.entries()) {
    accumulator.decode(cells, Schema.decodeUnknownSync(accumulator.durable)(values[index]))
  }
}

export const otherShape = (plan: WindowPlan): StateShapeError =>
  new StateShapeError(
    `the state of ${plan.name} was made by another window, key or aggregates; give the operator another name to start it empty, or the job another name`
  )
