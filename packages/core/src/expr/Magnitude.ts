/**
 * The largest value that a numeric node can have, from its fields' declarations.
 *
 * The compiler leaves overflow checks out where they cannot fail; the checker tells where a result may be null.
 */
import { decimalMagnitudeMax, intMax, type NumberNode, type NumberType } from "./Tree.ts"

/** Some room below the largest double, for what the roundings of an expression can add. */
const doubleMagnitudeMax = BigInt(Number.MAX_VALUE) / 1024n

/** Whether the node's operation cannot overflow. Meaningful for ints, doubles and decimals. */
export const staysInRange = (tree: NumberNode): boolean => magnitudeMax(tree) <= limitOf(tree.type)

/** Whether an int or decimal node is always a safe integer, unscaled, so that doubles compute with it exactly. */
export const alwaysSafe = (tree: NumberNode): boolean => magnitudeMax(tree) <= intMax

const limitOf = (type: NumberType): bigint =>
  type._tag === "Decimal" ? decimalMagnitudeMax : type._tag === "Double" ? doubleMagnitudeMax : intMax

/** Before the node's own overflow check, rounded up; decimals unscaled. What is not known is beyond the limit. */
const magnitudeMax = (tree: NumberNode): bigint => {
  switch (tree._tag) {
    case "NumberConstant":
      return typeof tree.value === "bigint" ? magnitude(tree.value) : BigInt(Math.ceil(Math.abs(tree.value)))
    case "NumberField":
      return tree.magnitudeMax
    case "Negate":
      return checkedMagnitudeMax(tree.operand)
    case "NumberIf":
      return larger(checkedMagnitudeMax(tree.then), checkedMagnitudeMax(tree.otherwise))
    case "Arithmetic":
      return ofArithmetic(tree)
    case "Convert":
      return ofConversion(tree)
    case "TextSize":
    case "TimePart":
      // no text, and no number on a calendar, is larger
      return 2n ** 31n
    case "ParseNumber":
    case "DurationPart":
      return limitOf(tree.type)
  }
}

const ofArithmetic = (tree: NumberNode & { _tag: "Arithmetic" }): bigint => {
  const left = checkedMagnitudeMax(tree.left)
  const right = checkedMagnitudeMax(tree.right)
  switch (tree.op) {
    case "+":
    case "-":
      return left + right
    case "*":
      return left * right
    case "/":
      // a double's divisor may be next to 0
      return tree.type._tag !== "Double" || atLeastOne(tree.right) ? left : limitOf(tree.type) + 1n
    case "%":
      return left
  }
}

const atLeastOne = (divisor: NumberNode): boolean =>
  divisor._tag === "NumberConstant" && (divisor.value >= 1 || divisor.value <= -1)

const ofConversion = (tree: NumberNode & { _tag: "Convert" }): bigint => {
  const { operand, type } = tree
  if (operand.type._tag === "Timestamp") return intMax
  const scale = type._tag === "Decimal" ? type.scale : 0
  const scaleBefore = operand.type._tag === "Decimal" ? operand.type.scale : 0
  const before = checkedMagnitudeMax(operand)
  return scale >= scaleBefore
    ? before * 10n ** BigInt(scale - scaleBefore)
    : before / 10n ** BigInt(scaleBefore - scale) + 1n
}

const checkedMagnitudeMax = (tree: NumberNode): bigint => {
  const limit = limitOf(tree.type)
  const most = magnitudeMax(tree)
  return most < limit ? most : limit
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
