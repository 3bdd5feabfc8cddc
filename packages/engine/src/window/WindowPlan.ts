/**
 * A window operator ready to run: its window, its key, its aggregates with the cells they own.
 *
 * `PlanJob` makes it; state, compiler and interpreter read it.
 */
import { createHash } from "node:crypto"
import type { FieldSpec, RecordShape } from "@frazil/core"
import type { DiskStore, NodeOf } from "../flow/Node.ts"
import { type Accumulator, cellsOf, makeAccumulator } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { isClocked, type WindowSpec } from "./Window.ts"

export interface WindowPlan {
  /** The operator's name. */
  readonly name: string
  readonly spec: WindowSpec
  readonly key: ReadonlyArray<FieldSpec>
  readonly aggregates: ReadonlyArray<readonly [name: string, Accumulator]>
  readonly accumulators: ReadonlyArray<Accumulator>
  readonly cells: number
  /** All accumulators are `flat`. */
  readonly flat: boolean
  /** It goes by the clock. */
  readonly clocked: boolean
  /** On disk, with so much in memory; undefined: in memory. */
  readonly store?: DiskStore
  /** A hash of what the state was made by: another one cannot read it. */
  readonly shape: string
}

/** What tells values of one kind from those of another. */
const scaleOf = (field: FieldSpec | undefined): string | undefined =>
  field?.type._tag === "Decimal" ? `Decimal ${field.type.scale}` : field?.type._tag

/** What of an aggregate its state depends on. */
const namedOf = (declaration: AggregateDeclaration) =>
  declaration.kind === "custom" ? { kind: "custom", name: declaration.definition.name } : declaration

/** What of a window its state depends on. */
const shapeOf = (spec: WindowSpec): ReadonlyArray<string | number> => {
  const once = spec.once ? ["once"] : []
  if (spec._tag === "Session") return ["session", spec.gapMs, spec.maxMs, ...once]
  const { earlyMs, everyMs, rolling, sizeMs } = spec
  return [
    sizeMs,
    everyMs,
    ...(isClocked(spec) ? ["clock"] : []),
    ...(rolling ? ["rolling"] : []),
    ...(earlyMs === undefined ? [] : ["early"]),
    ...once
  ]
}

/** `input` has the fields that the key and the aggregates name: a job that was made was checked. */
export const planWindow = (name: string, node: NodeOf<"window">, input: RecordShape): WindowPlan => {
  let cells = 1
  const aggregates = node.aggregates.map(([as, declaration]) => {
    const field = "field" in declaration ? input.byName.get(declaration.field) : undefined
    const cell = cells
    cells += cellsOf(declaration)
    return [as, makeAccumulator(declaration, field, cell)] as const
  })
  const accumulators = aggregates.map(([, accumulator]) => accumulator)
  const key = node.key.map((field) => input.byName.get(field)!)
  const computed = aggregates.map(([as, { declaration, field }]) => [as, namedOf(declaration), scaleOf(field)])
  return {
    name,
    spec: node.window,
    key,
    aggregates,
    accumulators,
    cells,
    flat: accumulators.every(({ flat }) => flat === true),
    clocked: isClocked(node.window),
    ...(node.store === undefined ? {} : { store: node.store }),
    shape: createHash("sha256")
      .update(JSON.stringify([...shapeOf(node.window), node.key, computed]))
      .digest("hex")
      .slice(0, 16)
  }
}
