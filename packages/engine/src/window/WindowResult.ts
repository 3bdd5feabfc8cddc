/** A window's result as a record: the key's fields, the window, the revision, the aggregates. */
import type { AnyRecord } from "../flow/Node.ts"
import { isCapped } from "./Accumulator.ts"
import type { Cells } from "./Cells.ts"
import type { WindowPlan } from "./WindowPlan.ts"

/** The key's fields of its text: one is the text itself, several are a JSON array. */
const keyOf = ({ key }: WindowPlan, text: string): ReadonlyArray<readonly [string, unknown]> => {
  const [first] = key
  // written by keyTextOf
  if (key.length > 1)
    return (JSON.parse(text) as ReadonlyArray<unknown>).map((value, index) => [key[index]!.name, value])
  return [[first!.name, first!.type._tag === "Int" ? Number(text) : text]]
}

export const makeResult = (plan: WindowPlan) => {
  const { aggregates, spec } = plan
  return (key: string, end: number, revision: number, cells: Cells): AnyRecord => {
    const values = aggregates.flatMap(([name, accumulator]): ReadonlyArray<readonly [string, unknown]> => {
      const value = [name, accumulator.result(cells)] as const
      return accumulator.declaration.kind === "countDistinct"
        ? [value, [`${name}_capped`, isCapped(accumulator, cells)]]
        : [value]
    })
    // defined, not assigned: a name may be one that every object inherits
    return Object.fromEntries([
      ...keyOf(plan, key),
      ["window_start", end - spec.sizeMs],
      ["window_end", end],
      ["revision", revision],
      ...values
    ]) as AnyRecord
  }
}
