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
import type { PlannedComputed } from "./StagePlan.ts"
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

/** Shapes of all operators by id. `problem` is told what does not check, with the operator's name. */
export const shapesOf = (graph: Graph, problem: (text: string) => void): ReadonlyArray<Shaped> => {
  const shaped: Array<Shaped> = []
  for (const operator of graph.operators) {
    const before = operator.inputs[0] === undefined ? undefined : shaped[operator.inputs[0]]
    shaped.push(shapeAt(operator, before, problem))
  }
  return shaped
}

const shapeAt = (operator: Operator, before: Shaped | undefined, problem: (text: string) => void): Shaped => {
  const { node } = operator
  const input = before?.output
  const key = before?.key ?? []
  const plan = (computed: Computed, wanted: "boolean" | "value", rules = false): PlannedComputed | undefined => {
    if (computed._tag === "Code") return computed
    if (input === undefined) {
      problem(
        `${operator.name}: an expression needs to know the record's fields, but code made these records; write a function instead`
      )
      return undefined
    }
    const result = checkExpr(computed.expr, input, { rules })
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
    case "route":
      return {
        input,
        output: input,
        computed: node.branches.map(([, condition]) =>
          condition === undefined ? undefined : plan(condition, "boolean")
        ),
        key
      }
    case "extend": {
      const computed = node.fields.map(([, value]) => plan(value, "value"))
      const names = node.fields.map(([name]) => name)
      const made = node.fields.flatMap(([name], index) => {
        const value = computed[index]
        return value?._tag === "Expr" ? [fieldOf(name, value.checked)] : []
      })
      return {
        input,
        output: input === undefined ? undefined : shapeOf([...without(input, names), ...made]),
        computed,
        key
      }
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
        computed: node.pattern.steps.map(({ condition }) => plan(condition, "boolean")),
        key
      }
    case "lookup":
      return { input, output: input === undefined ? undefined : answeredShape(node, input), computed: [], key }
    case "joinTable":
      return { input, output: input === undefined ? undefined : joinedShape(node, input), computed: [], key }
    case "decide": {
      const conditions = node.decider.conditions.map((expr) => plan({ _tag: "Expr", expr }, "boolean", true))
      return { input, output: undefined, computed: conditions, key }
    }
    case "map":
      return { input, output: node.shape, computed: [], key }
    case "flatMap":
    case "mapResult":
    case "mapWithState":
      return { input, output: undefined, computed: [], key }
    case "catch":
      return { input, output: undefined, computed: [], key }
    default:
      return { input, output: input, computed: [], key }
  }
}
