/**
 * Conditions → JavaScript text, in three forms: code that is true iff the condition is true, code that is true iff it is
 * false, and, where both are wanted at once, code for 0, 1 or 2.
 *
 * Part of `Compile.ts`. With the first two, hot code never holds a third value: the negation of a comparison is the opposite
 * comparison, and NaN fails both. Every node is written once, so the code is as long as the expression.
 */
import { Timestamp } from "../Timestamp.ts"
import type { BytesTest } from "./Access.ts"
import type { Emitter } from "./Compile.ts"
import { constantCode, powerOfTen, storedTimeCode } from "./CompileNumber.ts"
import * as kernel from "./Kernel.ts"
import type { CompareOperator } from "./Syntax.ts"
import { textTest } from "./TextBytes.ts"
import type { BoolNode, CompareNumbers, CompareTexts, NumberConstant, NumberNode } from "./Tree.ts"

type Node<T extends BoolNode["_tag"]> = Extract<BoolNode, { readonly _tag: T }>

const textTests = { startsWith: kernel.startsWith, endsWith: kernel.endsWith, contains: kernel.contains }

/** Up to this many equalities are written one by one; more are looked up in a set. */
const unrolledMax = 16

/** True iff the condition is true (`wanted`), or iff it is false; the variable that has it where there is one. */
export const conditionCode = (emit: Emitter, node: BoolNode, wanted: boolean): string => {
  const code = plainCode(emit, node, wanted)
  return emit.known?.get(code) ?? code
}

const plainCode = (emit: Emitter, node: BoolNode, wanted: boolean): string => {
  switch (node._tag) {
    case "BoolConstant":
      return String(node.value === wanted)
    case "BoolField":
      return `(${emit.access.boolean(node.name)} === ${wanted ? 1 : 0})`
    case "IsNull":
      return wanted ? emit.access.isNull(node.name) : `!${emit.access.isNull(node.name)}`
    case "Not":
      return conditionCode(emit, node.operand, !wanted)
    case "And":
    case "Or": {
      const terms = node.terms.map((term) => conditionCode(emit, term, wanted))
      return `(${terms.join((node._tag === "And") === wanted ? " && " : " || ")})`
    }
    case "CompareNumbers":
      return compareNumbersCode(emit, wanted ? node : { ...node, op: opposite[node.op] })
    case "CompareTexts":
      return compareTextsCode(emit, wanted ? node : { ...node, op: opposite[node.op] })
    case "InNumbers":
      return inNumbersCode(emit, node, wanted)
    case "InTexts":
      return inTextsCode(emit, node, wanted)
    case "BoolIf":
      return `(${emit.isTrue(node.condition)} ? ${conditionCode(emit, node.then, wanted)} : ${conditionCode(emit, node.otherwise, wanted)})`
    case "TextTest":
    case "Matches": {
      const test = bytesTest(node)
      if (test === undefined || node.text._tag !== "TextField" || emit.access.bytesPass === undefined) {
        return `(${threeCode(emit, node)} === ${wanted ? 1 : 0})`
      }
      const passes = emit.access.bytesPass(node.text.name, test)
      return wanted ? passes : `(!${emit.access.isNull(node.text.name)} && !${passes})`
    }
    case "SameBool":
      return `(${threeCode(emit, node)} === ${wanted ? 1 : 0})`
  }
}

/** The question as one about bytes, if its argument is known now. */
const bytesTest = (node: Node<"TextTest" | "Matches">): BytesTest | undefined => {
  if (node._tag === "Matches") return node.pattern.testBytes
  return node.argument._tag === "TextConstant" ? textTest(node.test, node.argument.value) : undefined
}

/** 0 when false, 1 when true, 2 without a value. */
export const threeCode = (emit: Emitter, node: BoolNode): string => {
  const call = (helper: unknown, ...args: ReadonlyArray<string>) => `${emit.use(helper)}(${args.join(", ")})`
  switch (node._tag) {
    case "BoolConstant":
      return node.value ? "1" : "0"
    case "BoolField":
      return emit.access.boolean(node.name)
    case "IsNull":
      return `(${emit.access.isNull(node.name)} ? 1 : 0)`
    case "Not":
      return call(kernel.not, threeCode(emit, node.operand))
    case "And":
    case "Or":
      return balanced(
        node.terms.map((term) => threeCode(emit, term)),
        emit.use(node._tag === "And" ? kernel.and : kernel.or)
      )
    case "SameBool":
      return call(kernel.same, threeCode(emit, node.left), threeCode(emit, node.right))
    case "CompareNumbers":
      return threeComparison(emit, numberOperands(emit, node))
    case "CompareTexts": {
      const order = call(kernel.compareTexts, emit.text(node.left), emit.text(node.right))
      return threeComparison(emit, { op: node.op, left: order, right: "0" })
    }
    case "InNumbers": {
      const { value, items } = membership(emit, node)
      return call(kernel.oneOf, value, emit.use(new Set(items)))
    }
    case "InTexts":
      return call(kernel.oneOfTexts, emit.text(node.value), emit.use(new Set(node.items)))
    case "TextTest":
      return call(textTests[node.test], emit.text(node.text), emit.text(node.argument))
    case "Matches":
      return call(kernel.matches, emit.text(node.text), emit.use(node.pattern))
    case "BoolIf":
      return `(${emit.isTrue(node.condition)} ? ${threeCode(emit, node.then)} : ${threeCode(emit, node.otherwise)})`
  }
}

/** Calls nested as a tree, not as a list: a chain of a thousand terms must not nest as deep. */
const balanced = (codes: ReadonlyArray<string>, helper: string): string => {
  if (codes.length === 1) return codes[0]!
  const middle = codes.length >> 1
  return `${helper}(${balanced(codes.slice(0, middle), helper)}, ${balanced(codes.slice(middle), helper)})`
}

interface Comparison {
  readonly op: CompareOperator
  readonly left: string
  readonly right: string
  /** Both operands are short to read twice. */
  readonly simple?: boolean
  /** The constant lies between two values of the left side: equality never holds. */
  readonly between?: boolean
}

const opposite: Readonly<Record<CompareOperator, CompareOperator>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<"
}
const mirrored: Readonly<Record<CompareOperator, CompareOperator>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<="
}

const compareNumbersCode = (emit: Emitter, node: CompareNumbers): string => {
  const comparison = numberOperands(emit, node)
  const { op, left, right } = comparison
  if (op === "==") return comparison.between === true ? "false" : `(${left} === ${right})`
  if (op !== "!=") return `(${left} ${op} ${right})`
  if (comparison.between === true) return `(${left} === ${left})`
  // NaN !== x would hold
  if (comparison.simple === true) return `(${left} < ${right} || ${left} > ${right})`
  return `${emit.use(kernel.differ)}(${left}, ${right})`
}

const threeComparison = (emit: Emitter, comparison: Comparison): string => {
  const { op, left, right } = comparison
  const call = (helper: unknown, first: string, second: string) => `${emit.use(helper)}(${first}, ${second})`
  switch (op) {
    case "<":
      return call(kernel.less, left, right)
    case "<=":
      return call(kernel.lessOrEqual, left, right)
    case ">":
      return call(kernel.less, right, left)
    case ">=":
      return call(kernel.lessOrEqual, right, left)
    case "==":
      // compared with a half, no unscaled integer is equal and every one has an answer
      return call(kernel.equal, left, comparison.between === true ? "0.5" : right)
    case "!=":
      return `${emit.use(kernel.not)}(${threeComparison(emit, { ...comparison, op: "==" })})`
  }
}

const isSimple = (node: NumberNode): boolean => node._tag === "NumberField" || node._tag === "NumberConstant"

/** Both sides in one unit: stored times, microseconds, or decimals at one scale. */
const numberOperands = (emit: Emitter, node: CompareNumbers): Comparison => {
  if (node.left._tag === "NumberConstant" && node.right._tag !== "NumberConstant") {
    return numberOperands(emit, { ...node, op: mirrored[node.op], left: node.right, right: node.left })
  }
  const { op, left, right } = node
  const simple = isSimple(left) && isSimple(right)
  if (left.type._tag === "Timestamp") {
    const stored = [storedTimeCode(emit, left), storedTimeCode(emit, right)] as const
    if (stored[0] !== undefined && stored[1] !== undefined) return { op, left: stored[0], right: stored[1], simple }
  }
  if (left.type._tag === "Decimal" && right.type._tag === "Decimal" && left.type.scale !== right.type.scale) {
    const digits = right.type.scale - left.type.scale
    if (right._tag === "NumberConstant") return decimalConstant(op, emit.number(left), right, digits, isSimple(left))
    const [a, b] = [emit.number(left), emit.number(right)]
    const scaled = (code: string, by: number) => `${emit.use(kernel.scaleUp)}(${code}, ${powerOfTen(by)})`
    return digits > 0 ? { op, left: scaled(a, digits), right: b } : { op, left: a, right: scaled(b, -digits) }
  }
  return { op, left: emit.number(left), right: emit.number(right), simple }
}

/** A decimal compared with a constant of another scale: the constant moves to the decimal's scale, exactly. */
const decimalConstant = (
  op: CompareOperator,
  left: string,
  constant: NumberConstant,
  digits: number,
  simple: boolean
): Comparison => {
  const value = BigInt(constant.value)
  const made = (moved: bigint, operator: CompareOperator) => ({
    op: operator,
    left,
    right: constantCode(Number.isSafeInteger(Number(moved)) ? Number(moved) : moved),
    simple
  })
  if (digits < 0) return made(value * 10n ** BigInt(-digits), op)
  const divisor = 10n ** BigInt(digits)
  const rest = value % divisor
  if (rest === 0n) return made(value / divisor, op)
  const below = value / divisor - (rest < 0n ? 1n : 0n)
  // between two neighbours of the left side's scale: x < 99.999 is x <= 99.99, x >= 99.999 is x > 99.99
  if (op === "<" || op === "<=") return made(below, "<=")
  if (op === ">" || op === ">=") return made(below, ">")
  return { ...made(below, op), between: true }
}

const compareTextsCode = (emit: Emitter, node: CompareTexts): string => {
  const { op } = node
  const [left, right] = node.left._tag === "TextConstant" ? [node.right, node.left] : [node.left, node.right]
  if ((op === "==" || op === "!=") && left._tag === "TextField" && right._tag === "TextConstant") {
    const equals = emit.access.textEquals(left.name, right.value)
    return op === "==" ? equals : `(!${emit.access.isNull(left.name)} && !${equals})`
  }
  const [a, b] = [emit.text(node.left), emit.text(node.right)]
  if (op === "==") return `${emit.use(kernel.textsEqual)}(${a}, ${b})`
  if (op === "!=") return `${emit.use(kernel.textsDiffer)}(${a}, ${b})`
  return `(${emit.use(kernel.compareTexts)}(${a}, ${b}) ${op} 0)`
}

/** The value and the items in one unit: times as they are stored, if the value needs no computation. */
const membership = (emit: Emitter, node: Node<"InNumbers">) => {
  const stored = storedTimeCode(emit, node.value)
  if (stored === undefined) return { value: emit.number(node.value), items: node.items.map((item) => item.value) }
  return { value: stored, items: node.items.map((item) => Timestamp.fromMicros(Number(item.value))) }
}

const inNumbersCode = (emit: Emitter, node: Node<"InNumbers">, wanted: boolean): string => {
  const { value, items } = membership(emit, node)
  if (!isSimple(node.value) || items.length > unrolledMax || items.length === 0) {
    return `(${emit.use(kernel.oneOf)}(${value}, ${emit.use(new Set(items))}) === ${wanted ? 1 : 0})`
  }
  const operator = wanted ? "===" : "!=="
  const terms = items.map((item) => `${value} ${operator} ${constantCode(item)}`)
  return wanted ? `(${terms.join(" || ")})` : `(${[`${value} === ${value}`, ...terms].join(" && ")})`
}

const inTextsCode = (emit: Emitter, node: Node<"InTexts">, wanted: boolean): string => {
  const { value, items } = node
  if (value._tag !== "TextField" || items.length > unrolledMax || items.length === 0) {
    return `(${emit.use(kernel.oneOfTexts)}(${emit.text(value)}, ${emit.use(new Set(items))}) === ${wanted ? 1 : 0})`
  }
  const equals = items.map((item) => emit.access.textEquals(value.name, item)).join(" || ")
  return wanted ? `(${equals})` : `(!${emit.access.isNull(value.name)} && !(${equals}))`
}
