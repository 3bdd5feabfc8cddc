/** The durable form of what a pane or a session holds: its records, then each aggregate by its own schema. */
import { Schema } from "effect"
import { StateShapeError } from "../state/OperatorState.ts"
import type { Accumulator } from "./Accumulator.ts"
import type { Cells } from "./Cells.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** As a schema would, at a fraction of its cost: a snapshot has a million of them. */
export const readKey = (value: unknown): string => {
  if (typeof value === "string") return value
  throw new TypeError("a key of a window's state is no text")
}

export const readNumber = (value: unknown): number => {
  if (typeof value === "number" && Number.isFinite(value)) return value
  throw new TypeError("a time or a count of a window's state is no number")
}

export const encodeCells = (plan: WindowPlan, cells: Cells): ReadonlyArray<unknown> => [
  cells.numbers[0],
  ...plan.accumulators.map((accumulator) => accumulator.encode(cells))
]

/** Of values that `encodeCells` gave, in place of what the cells hold. Throws when they are none. */
export const decodeCells = (plan: WindowPlan, cells: Cells, [count, ...values]: ReadonlyArray<unknown>): void => {
  cells.numbers[0] = readNumber(count)
  cells.big = undefined
  const { accumulators } = plan
  for (let index = 0; index < accumulators.length; index++) {
    const accumulator = accumulators[index]!
    const value = values[index]
    accumulator.decode(cells, accumulator.fits?.(value) === true ? value : readDurable(accumulator, value))
  }
}

const readers = new WeakMap<Accumulator, (value: unknown) => unknown>()

/** By the accumulator's own schema, which is made ready once. */
const readDurable = (accumulator: Accumulator, value: unknown): unknown => {
  let read = readers.get(accumulator)
  if (read === undefined) readers.set(accumulator, (read = Schema.decodeUnknownSync(accumulator.durable)))
  return read(value)
}

export const otherShape = (plan: WindowPlan): StateShapeError =>
  new StateShapeError(
    `the state of ${plan.name} was made by another window, key or aggregates; give the operator another name to start it empty, or the job another name`
  )
