/** The fields of a window's result, so that expressions can read them. */
import { decimalPrecisionMax, type FieldSpec, type FieldType, type RecordShape } from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { type AggregateDeclaration, tellsCap } from "../window/Aggregate.ts"
import { markOf } from "../window/Window.ts"

const common = { index: 0, personal: false, hiddenFromRules: false }
const integer: FieldType = { _tag: "Int", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }
const double: FieldType = { _tag: "Double", min: -Number.MAX_VALUE, max: Number.MAX_VALUE }

const required = (name: string, type: FieldType): FieldSpec => ({ ...common, name, type, nullable: false })

/** The type of an aggregate over a field of `type`. */
const typeOf = (kind: AggregateDeclaration["kind"], type: FieldType): FieldType => {
  if (kind === "min" || kind === "max" || kind === "first" || kind === "last") return type
  if (type._tag === "Decimal") return { ...type, precision: decimalPrecisionMax, positive: false }
  // the sum of integers may exceed them
  return double
}

const aggregateFields = (
  name: string,
  declaration: AggregateDeclaration,
  input: RecordShape
): ReadonlyArray<FieldSpec> => {
  if (declaration.kind === "count") return [required(name, integer)]
  if (declaration.kind === "offsets") return [required(name, { _tag: "Json" })]
  if (declaration.kind === "top") return [required(name, { _tag: "Json" })]
  if (declaration.kind === "custom") return [{ ...common, name, type: { _tag: "Json" }, nullable: true }]
  if (tellsCap(declaration)) {
    const type: FieldType = declaration.kind === "collect" ? { _tag: "Json" } : integer
    return [required(name, type), required(`${name}_capped`, { _tag: "Boolean" })]
  }
  const field = input.byName.get(declaration.field)
  if (field === undefined) return []
  return [{ ...field, name, type: typeOf(declaration.kind, field.type) }]
}

/** Those that `CheckWindow` refuses are left out. */
export const windowFields = (node: NodeOf<"window">, input: RecordShape): ReadonlyArray<FieldSpec> => [
  ...node.key.flatMap((name) => input.byName.get(name) ?? []),
  required("window_start", { _tag: "Timestamp" }),
  required("window_end", { _tag: "Timestamp" }),
  required("revision", integer),
  ...markOf(node.window).map((name) => required(name, { _tag: "Boolean" })),
  ...node.aggregates.flatMap(([name, declaration]) => aggregateFields(name, declaration, input))
]
