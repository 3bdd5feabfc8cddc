/**
 * What the checker's files share: the state of one check, and questions about types.
 *
 * `Check.ts` makes the context; `CheckOperators.ts` and `CheckCalls.ts` use it. A node that could not be typed is
 * undefined, and what contains it says nothing more: one mistake gives one message.
 */
import type { RecordShape } from "../schema/RecordShape.ts"
import { type ExprProblem, problemAt } from "./Problem.ts"
import type { Syntax } from "./Syntax.ts"
import type { BoolNode, ExprType, NumberNode, NumberType, TextNode, Tree } from "./Tree.ts"

/** Further mistakes of one expression are not listed. */
const problemsMax = 20

/** What number literals become beside what they stand: `2`, and `2.5`. */
export interface LiteralHint {
  readonly whole: "Int" | "Decimal" | "Double"
  readonly fraction: "Decimal" | "Double"
}

export const plainLiterals: LiteralHint = { whole: "Int", fraction: "Double" }
export const decimalLiterals: LiteralHint = { whole: "Decimal", fraction: "Decimal" }
const doubleLiterals: LiteralHint = { whole: "Double", fraction: "Double" }

export interface CheckContext {
  readonly source: string
  readonly shape: RecordShape
  /** Refuse fields that are hidden from rules. */
  readonly rules: boolean
  readonly problems: Array<ExprProblem>
  readonly fieldsRead: Set<string>
  /** Types `syntax`. The hint is for literals whose type nothing nearer decides. */
  readonly check: (syntax: Syntax, hint?: LiteralHint) => Tree | undefined
}

/** Notes a problem; undefined, so that a check can end with it. */
export const refuse = (
  context: CheckContext,
  at: { readonly start: number; readonly end: number },
  message: string
): undefined => {
  if (context.problems.length < problemsMax) {
    context.problems.push(problemAt(context.source, at.start, at.end, message))
  }
}

/** Freezes a node and keeps its type. */
export const node = <const N extends Tree>(made: N): N => Object.freeze(made)

export const isNumber = (tree: Tree): tree is NumberNode => "type" in tree

export const isText = (tree: Tree): tree is TextNode =>
  tree._tag === "TextConstant" ||
  tree._tag === "TextField" ||
  tree._tag === "Concat" ||
  tree._tag === "NumberText" ||
  tree._tag === "BoolText" ||
  tree._tag === "TextIf"

export const isBool = (tree: Tree): tree is BoolNode => !isNumber(tree) && !isText(tree)

const typeOf = (tree: Tree): ExprType =>
  isNumber(tree) ? tree.type : isText(tree) ? { _tag: "Text" } : { _tag: "Bool" }

/** A type as people say it. */
export const typeName = (tree: Tree): string => {
  const type = typeOf(tree)
  switch (type._tag) {
    case "Bool":
      return "true or false"
    case "Int":
      return "a whole number"
    case "Double":
      return "a double"
    case "Decimal":
      return `a decimal of scale ${type.scale}`
    case "Timestamp":
      return "a time"
    case "Duration":
      return "a duration"
    case "Date":
      return "a date"
    case "Text":
      return "a text"
  }
}

/** Whether a value's type comes from number literals alone, so that it may adapt to what stands beside it. */
const literalOnly = (syntax: Syntax): boolean => {
  if (syntax._tag === "Number") return true
  if (syntax._tag === "Negate") return literalOnly(syntax.operand)
  if (syntax._tag === "Arithmetic") return literalOnly(syntax.left) && literalOnly(syntax.right)
  return syntax._tag === "If" && literalOnly(syntax.then) && literalOnly(syntax.otherwise)
}

/** What number literals beside this node become; `outer` is what stands beside both. */
export const hintOf = (tree: Tree | undefined, outer: LiteralHint): LiteralHint => {
  if (tree === undefined || !isNumber(tree)) return outer
  if (tree.type._tag === "Decimal") return decimalLiterals
  if (tree.type._tag === "Double") return doubleLiterals
  // whole beside whole stays whole, also where the result meets a decimal: count / 2 is a division of ints
  return { whole: "Int", fraction: outer.fraction }
}

/** Types two syntaxes that stand beside each other: the one that is no literal first, the other by its type. */
export const checkPair = (
  context: CheckContext,
  left: Syntax,
  right: Syntax,
  hint: LiteralHint
): readonly [Tree, Tree] | undefined => {
  if (literalOnly(left) && !literalOnly(right)) {
    const second = context.check(right, hint)
    const first = context.check(left, hintOf(second, hint))
    return first === undefined || second === undefined ? undefined : [first, second]
  }
  const first = context.check(left, hint)
  const second = context.check(right, literalOnly(left) ? hint : hintOf(first, hint))
  return first === undefined || second === undefined ? undefined : [first, second]
}

/** The decimal, without loss, at a scale that is not smaller; an int too. */
export const atScale = (operand: NumberNode, scale: number): NumberNode =>
  operand.type._tag === "Decimal" && operand.type.scale === scale
    ? operand
    : node({ _tag: "Convert", type: Object.freeze({ _tag: "Decimal", scale }), operand })

export const scaleOf = (type: NumberType): number => (type._tag === "Decimal" ? type.scale : 0)
