/**
 * What is known of the records at each operator, and the expressions checked against it.
 *
 * Walked once when a job is declared: `CheckGraph` reports the problems, `PlanJob` keeps the checked expressions.
 */
import {
  checkExpr,
  type CheckedExpr,
  decimalPrecisionMax,
  type FieldSpec,
  formatProblem,
  RecordShape
} from "@frazil/core"
import { Result } from "effect"
import type { Computed, NodeOf } from "../flow/Node.ts"
import type { Graph, Operator } from "../job/Graph.ts"
import { bothShape } from "../join/JoinFields.ts"
import { linkedShape } from "../pattern/LinkedCondition.ts"
import type { PlannedComputed } from "./StagePlan.ts"
import { sameFields } from "./SameFields.ts"
import { windowFields } from "./WindowFields.ts"

export interface Shaped {
  /** What comes in; undefined when code made the records. */
  readonly input: RecordShape | undefined
  /** What goes out. */
  readonly output: RecordShape | undefined
  readonly computed: ReadonlyArray<PlannedComputed | undefined>
  readonly key: ReadonlyArray<string>
}

const shapeOf = (fields: ReadonlyArray<FieldSpec>): RecordShape => {
  const indexed = fields.map((field, index) => ({ ...field, index }))
  return { fields: indexed, byName: new Map(indexed.map((field) => [field.name, field])), closed: false }
}

const without = (shape: RecordShape, names: ReadonlyArray<string>): ReadonlyArray<FieldSpec> =>
  shape.fields.filter((field) => !names.includes(field.name))

/** The field that an expression's result makes. */
const fieldOf = (name: string, checked: CheckedExpr): FieldSpec => {
  const common = { name, index: 0, nullable: true, personal: false, hiddenFromRules: false }
  switch (checked.result) {
    case "string":
      return {
        ...common,
        type: { _tag: "Text", format: undefined, values: undefined, lengthMax: Number.MAX_SAFE_INTEGER }
      }
    case "boolean":
      return { ...common, type: { _tag: "Boolean" } }
    case "number":
      return { ...common, type: { _tag: "Double", min: -Number.MAX_VALUE, max: Number.MAX_VALUE } }
    case "decimal":
      return {
        ...common,
        type: { _tag: "Decimal", precision: decimalPrecisionMax, scale: checked.scale, positive: false }
      }
  }
}

/** The fields that expressions make; code says nothing of its own. */
const computedFields = (
  named: ReadonlyArray<readonly [string, Computed]>,
  computed: ReadonlyArray<PlannedComputed | undefined>
): ReadonlyArray<FieldSpec> =>
  named.flatMap(([name], index) => {
    const value = computed[index]
    return value?._tag === "Expr" ? [fieldOf(name, value.checked)] : []
  })

const extendedShape = (
  { fields }: NodeOf<"extend">,
  input: RecordShape,
  computed: ReadonlyArray<PlannedComputed | undefined>
): RecordShape => {
  const names = fields.map(([name]) => name)
  return shapeOf([...without(input, names), ...computedFields(fields, computed)])
}

/** The record with its answer; undefined when the answer's schema is none of a record: `CheckLookup` tells. */
const answeredShape = ({ as, service }: NodeOf<"lookup">, input: RecordShape): RecordShape | undefined => {
  if (as !== undefined) {
    const nested = { name: as, index: 0, nullable: false, personal: false, hiddenFromRules: false }
    return shapeOf([...without(input, [as]), { ...nested, type: { _tag: "Json" } }])
  }
  try {
    const { fields } = RecordShape.of(service.declaration.answer)
    return shapeOf([
      ...without(
        input,
        fields.map(({ name }) => name)
      ),
      ...fields
    ])
  } catch {
    return undefined
  }
}

/** The record with what is taken of a table, which may have no row for it. */
const joinedShape = ({ table, take }: NodeOf<"joinTable">, input: RecordShape): RecordShape =>
  shapeOf([
    ...without(input, take),
    ...take.flatMap((name) => {
      const field = table.shape.byName.get(name)
      return field === undefined ? [] : [{ ...field, nullable: true }]
    })
  ])

/** The fields of both sides; undefined when a function makes the result, or nobody knows what a side has. */
const mergedShape = (
  { fields: made, join: { _tag, kind }, key, make }: NodeOf<"join">,
  left: RecordShape | undefined,
  right: RecordShape | undefined,
  computed: ReadonlyArray<PlannedComputed | undefined>
): RecordShape | undefined => {
  if (make !== undefined || left === undefined || right === undefined) return undefined
  const told = (fields: ReadonlyArray<FieldSpec>) =>
    shapeOf(
      _tag === "Latest"
        ? [...without(shapeOf(fields), ["retracted"]), required("retracted", { _tag: "Boolean" })]
        : fields
    )
  if (made !== undefined) return told(computedFields(made, computed))
  const missing = (fields: ReadonlyArray<FieldSpec>, may: boolean) =>
    fields.map((field) => (may && !key.includes(field.name) ? { ...field, nullable: true } : field))
  const fields = [...missing(left.fields, kind === "full"), ...missing(without(right, key), kind !== "inner")]
  return told(fields)
}

const required = (name: string, type: FieldSpec["type"]): FieldSpec => ({
  name,
  index: 0,
  type,
  nullable: false,
  personal: false,
  hiddenFromRules: false
})

const stampedShape = ({ field }: NodeOf<"stamp">, input: RecordShape): RecordShape =>
  shapeOf([...without(input, [field]), required(field, { _tag: "Timestamp" })])

/** The key, and what each step took. */
const matchShape = ({ key }: NodeOf<"pattern">, input: RecordShape): RecordShape =>
  shapeOf([...key.flatMap((name) => input.byName.get(name) ?? []), required("steps", { _tag: "Json" })])

const counted: FieldSpec["type"] = { _tag: "Int", min: 0, max: Number.MAX_SAFE_INTEGER }

/** The record with what is told of its place among others. */
const keptShape = (node: NodeOf<"deduplicate"> | NodeOf<"topN">, input: RecordShape): RecordShape => {
  if (node.op === "deduplicate" && node.keep === "first") return input
  const added = node.op === "topN" ? ["rank", "revision"] : ["revision"]
  return shapeOf([...without(input, added), ...added.map((name) => required(name, counted))])
}

/** Shapes of all operators by id. `problem` is told what does not check, with the operator's name. */
export const shapesOf = (graph: Graph, problem: (text: string) => void): ReadonlyArray<Shaped> => {
  const shaped: Array<Shaped> = []
  for (const operator of graph.operators) {
    const [, other] = operator.inputs.map((input) => shaped[input])
    const before = operator.inputs[0] === undefined ? undefined : shapedBefore(operator, shaped)
    shaped.push(shapeAt(operator, before, problem, other))
  }
  return shaped
}

/** What comes in; of a merge only what both sides have alike. */
const shapedBefore = ({ inputs, node }: Operator, shaped: ReadonlyArray<Shaped>): Shaped => {
  const first = shaped[inputs[0]!]!
  if (node.op !== "merge") return first
  const alike = inputs.every((input) => {
    const other = shaped[input]!.output
    return first.output !== undefined && other !== undefined && sameFields(first.output, other)
  })
  return { ...first, output: alike ? first.output : undefined, key: [] }
}

const shapeAt = (
  operator: Operator,
  before: Shaped | undefined,
  problem: (text: string) => void,
  other: Shaped | undefined
): Shaped => {
  const { node } = operator
  const input = before?.output
  const key = before?.key ?? []
  const plan = (
    computed: Computed,
    wanted: "boolean" | "value",
    rules = false,
    shape = input
  ): PlannedComputed | undefined => {
    if (computed._tag === "Code") return computed
    if (shape === undefined) {
      problem(
        `${operator.name}: an expression needs to know the record's fields, but code made these records; write a function instead`
      )
      return undefined
    }
    const result = checkExpr(computed.expr, shape, { rules })
    if (Result.isFailure(result)) {
      for (const found of result.failure) problem(`${operator.name}: ${formatProblem(found)}`)
      return undefined
    }
    const checked = result.success
    if (wanted === "boolean" && checked.result !== "boolean") {
      problem(`${operator.name}: a condition must be true or false, this is a ${checked.result}`)
      return undefined
    }
    return { _tag: "Expr", checked }
  }
  switch (node.op) {
    case "source":
      return { input: node.topic.shape, output: node.topic.shape, computed: [], key: [] }
    case "filter":
      return { input, output: input, computed: [plan(node.condition, "boolean")], key }
    case "route": {
      const conditions = node.branches.map(([, condition]) => condition && plan(condition, "boolean"))
      return { input, output: input, computed: conditions, key }
    }
    case "extend": {
      const computed = node.fields.map(([, value]) => plan(value, "value"))
      return { input, output: input === undefined ? undefined : extendedShape(node, input, computed), computed, key }
    }
    case "stamp":
      return { input, output: input === undefined ? undefined : stampedShape(node, input), computed: [], key }
    case "keyBy":
      return { input, output: input, computed: [], key: node.fields }
    case "window":
      return { input, output: input === undefined ? undefined : shapeOf(windowFields(node, input)), computed: [], key }
    case "pattern":
      return {
        input,
        output: input === undefined ? undefined : matchShape(node, input),
        computed: node.pattern.steps.map(({ condition }, step, steps) =>
          plan(condition, "boolean", false, input === undefined ? undefined : linkedShape(steps, step, input))
        ),
        key
      }
    case "deduplicate":
    case "topN":
      return { input, output: input === undefined ? undefined : keptShape(node, input), computed: [], key }
    case "lookup":
      return { input, output: input === undefined ? undefined : answeredShape(node, input), computed: [], key }
    case "joinTable":
      return { input, output: input === undefined ? undefined : joinedShape(node, input), computed: [], key }
    case "joinSide":
      return { input, output: input, computed: node.deleted === undefined ? [] : [plan(node.deleted, "boolean")], key }
    case "join": {
      const both = bothShape(node.join, input, other?.output)
      const computed = (node.fields ?? []).map(([, value]) => plan(value, "value", false, both))
      return { input, output: mergedShape(node, input, other?.output, computed), computed, key }
    }
    case "decide": {
      const conditions = node.decider.conditions.map((expr) => plan({ _tag: "Expr", expr }, "boolean", true))
      return { input, output: undefined, computed: conditions, key }
    }
    case "map":
    case "flatMap":
      return { input, output: node.shape, computed: [], key }
    case "mapResult":
    case "mapWithState":
    case "process":
    case "catch":
      return { input, output: undefined, computed: [], key }
    default:
      return { input, output: input, computed: [], key }
  }
}
