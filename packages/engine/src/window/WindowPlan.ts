/**
 * A window operator ready to run: its window, its key, its aggregates with the cells they own.
 *
 * `PlanJob` makes it; state, compiler and interpreter read it.
 */
import type { FieldSpec, RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { type Accumulator, cellsOf, makeAccumulator } from "./Accumulator.ts"
import type { WindowSpec } from "./Window.ts"

export interface WindowPlan {
  /** The operator's name. */
  readonly name: string
  readonly spec: WindowSpec
  readonly key: ReadonlyArray<FieldSpec>
  readonly aggregates: ReadonlyArray<readonly [name: string, Accumulator]>
  readonly accumulators: ReadonlyArray<Accumulator>
  readonly cells: number
  /** What the state was made by, as text: another one cannot read it. */
  readonly shape: string
}

/** `input` has the fields that the key and the aggregates name: a job that was made was checked. */
export const planWindow = (name: string, node: NodeOf<"window">, input: RecordShape): WindowPlan => {
  let cells = 1
  const aggregates = node.aggregates.map(([as, declaration]) => {
    const field = declaration.kind === "count" ? undefined : input.byName.get(declaration.field)
    const cell = cells
    cells += cellsOf(declaration)
    return [as, makeAccumulator(declaration, field, cell)] as const
  })
  const key = node.key.map((field) => input.byName.get(field)!)
  const { everyMs, sizeMs } = node.window
  const computed = aggregates.map(([as, { declaration, field }]) => [as, declaration, field?.type])
  return {
    name,
    spec: node.window,
    key,
    aggregates,
    accumulators: aggregates.map(([, accumulator]) => accumulator),
    cells,
    shape: JSON.stringify({ sizeMs, everyMs, key: node.key, computed })
  }
}
