/**
 * Why an expression's value can be null: so that a field made by it is declared nullable, or the reason is removed.
 *
 * `checkExpr` asks it once. Conditions prove things: in `has(x) ? x : 0` the value cannot be null.
 */
import { staysInRange } from "./Magnitude.ts"
import type { BoolNode, NumberNode, TextNode } from "./Tree.ts"

type Proven = ReadonlySet<string>

/** The first reason found, undefined when the value is never null. */
export const nullReasonOf = (tree: NumberNode | TextNode): string | undefined => reason(tree, new Set())

const reason = (tree: NumberNode | TextNode, proven: Proven): string | undefined => {
  switch (tree._tag) {
    case "NumberConstant":
    case "TextConstant":
      return undefined
    case "NumberField":
    case "TextField":
      return tree.nullable && !proven.has(tree.name) ? `field "${tree.name}" may be null` : undefined
    case "Arithmetic":
      return reason(tree.left, proven) ?? reason(tree.right, proven) ?? failure(tree)
    case "Convert":
      return reason(tree.operand, proven) ?? failure(tree)
    case "Negate":
      return reason(tree.operand, proven)
    case "ParseNumber":
      return reason(tree.text, proven) ?? "a text may be no number"
    case "TextSize":
      return reason(tree.text, proven)
    case "TimePart":
      return reason(tree.time, proven)
    case "DurationPart":
      return reason(tree.duration, proven)
    case "Concat":
      return reason(tree.left, proven) ?? reason(tree.right, proven)
    case "NumberText":
      return reason(tree.value, proven)
    case "BoolText":
      return conditionReason(tree.value, proven)
    case "NumberIf":
    case "TextIf":
      return (
        reason(tree.then, new Set([...proven, ...provenBy(tree.condition, true)])) ??
        reason(tree.otherwise, new Set([...proven, ...provenBy(tree.condition, false)]))
      )
  }
}

/** Why the operation itself may have no result. */
const failure = (tree: NumberNode & { _tag: "Arithmetic" | "Convert" }): string | undefined => {
  if (tree._tag === "Arithmetic" && (tree.op === "/" || tree.op === "%")) {
    const { right } = tree
    if (right._tag !== "NumberConstant" || right.value === 0) return "the divisor may be 0"
  }
  const kind = tree.type._tag
  if (kind === "Int" || kind === "Decimal" || kind === "Double") {
    return staysInRange(tree)
      ? undefined
      : `the result may be too large for ${kind === "Int" ? "an" : "a"} ${kind.toLowerCase()}`
  }
  const between =
    tree._tag === "Arithmetic" && tree.left.type._tag === "Timestamp" && tree.right.type._tag === "Timestamp"
  return between ? undefined : "the result may be out of the range of times"
}

/** Text of a condition is null where the condition has no value; only conditions that always have one are let pass. */
const conditionReason = (tree: BoolNode, proven: Proven): string | undefined => {
  if (tree._tag === "BoolConstant" || tree._tag === "IsNull") return undefined
  if (tree._tag === "Not") return conditionReason(tree.operand, proven)
  if (tree._tag === "BoolField" && (!tree.nullable || proven.has(tree.name))) return undefined
  return tree._tag === "BoolField" ? `field "${tree.name}" may be null` : "the condition may be unknown"
}

/** Fields that are not null where a condition is true (`holds`), or where it is not. */
const provenBy = (condition: BoolNode, holds: boolean): ReadonlyArray<string> => {
  switch (condition._tag) {
    case "IsNull":
      return holds ? [] : [condition.name]
    case "Not":
      // a null test always has a value; of another condition "not true" says nothing about its negation
      if (condition.operand._tag === "IsNull") return holds ? [condition.operand.name] : []
      return holds ? asked(condition.operand) : []
    case "And":
      return holds ? condition.terms.flatMap((term) => provenBy(term, true)) : []
    case "Or":
      return holds ? [] : condition.terms.flatMap((term) => provenBy(term, false))
    default:
      return holds ? asked(condition) : []
  }
}

/** Fields that a comparison needs in order to have a value at all. */
const asked = (condition: BoolNode): ReadonlyArray<string> => {
  switch (condition._tag) {
    case "CompareNumbers":
    case "CompareTexts":
      return [condition.left, condition.right].flatMap((side) => ("name" in side ? [side.name] : []))
    case "InNumbers":
    case "InTexts":
      return "name" in condition.value ? [condition.value.name] : []
    case "TextTest":
    case "Matches":
      return "name" in condition.text ? [condition.text.name] : []
    case "BoolField":
      return [condition.name]
    default:
      return []
  }
}
