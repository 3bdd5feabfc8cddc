/**
 * Checks an expression against a record's shape: names, types, the result it states. The authority on what is allowed.
 *
 * Called when a job is declared and when a rule is loaded, never on data. Gives a typed tree, or every problem found, with
 * its place and what to write instead. What it accepts always runs: no later step refuses an expression.
 */
import { Result } from "effect"
import type { FieldSpec } from "../schema/FieldType.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import { checkCall } from "./CheckCalls.ts"
import {
  atScale,
  type CheckContext,
  decimalLiterals,
  isBool,
  isNumber,
  isText,
  type LiteralHint,
  node,
  plainLiterals,
  refuse,
  scaleOf,
  typeName
} from "./CheckContext.ts"
import {
  checkArithmetic,
  checkCompare,
  checkCondition,
  checkIf,
  checkIn,
  checkNegate,
  fieldNamed
} from "./CheckOperators.ts"
import type { Expr, ExprResult } from "./Expr.ts"
import { decimalLiteral, doubleLiteral, intLiteral } from "./Literal.ts"
import { nullReasonOf } from "./NullReason.ts"
import { parseExpr } from "./Parse.ts"
import type { ExprProblem } from "./Problem.ts"
import type { Syntax, SyntaxOf } from "./Syntax.ts"
import type { CheckedExpr, NumberType, Tree } from "./Tree.ts"

export interface CheckOptions {
  /** The expression belongs to a rule: fields that are hidden from rules are refused. */
  readonly rules?: boolean
}

/** Checks an expression for records of `shape`; fails with all problems, at least one. */
export const checkExpr = (
  expr: Pick<Expr<never, unknown>, "source" | "result" | "field">,
  shape: RecordShape,
  options?: CheckOptions
): Result.Result<CheckedExpr, ReadonlyArray<ExprProblem>> => {
  const problems: Array<ExprProblem> = []
  const context: CheckContext = {
    source: expr.source,
    shape,
    rules: options?.rules ?? false,
    problems,
    fieldsRead: new Set(),
    check: (syntax, hint) => check(context, syntax, hint ?? plainLiterals)
  }
  // has("field") names its field as data: whatever the name, it is no CEL text
  const parsed = expr.field === undefined ? parseExpr(expr.source) : Result.succeed(hasSyntax(expr.source, expr.field))
  if (Result.isFailure(parsed)) return Result.fail([parsed.failure])
  const { result } = expr
  const tree = context.check(parsed.success, result._tag === "Decimal" ? decimalLiterals : plainLiterals)
  const typed = tree === undefined ? undefined : withResult(context, parsed.success, tree, result)
  if (typed === undefined || problems.length > 0) return Result.fail(problems)
  return Result.succeed(
    Object.freeze({
      source: expr.source,
      fields: Object.freeze([...context.fieldsRead]),
      nullReason: typed.result === "boolean" ? undefined : nullReasonOf(typed.tree),
      ...typed
    })
  )
}

const hasSyntax = (source: string, field: string): Syntax => {
  const at = { start: 0, end: source.length }
  return { _tag: "Call", name: "has", receiver: undefined, args: [{ _tag: "Name", name: field, ...at }], ...at }
}

const check = (context: CheckContext, syntax: Syntax, hint: LiteralHint): Tree | undefined => {
  switch (syntax._tag) {
    case "Number":
      return checkNumber(context, syntax, hint)
    case "Text":
      return node({ _tag: "TextConstant", value: syntax.value })
    case "Bool":
      return node({ _tag: "BoolConstant", value: syntax.value })
    case "Null":
      return refuse(context, syntax, "null can only be compared: x == null, x != null")
    case "Name":
      return checkName(context, syntax)
    case "Not": {
      const operand = checkCondition(context, syntax.operand)
      return operand === undefined ? undefined : node({ _tag: "Not", operand })
    }
    case "Negate":
      return checkNegate(context, syntax, hint)
    case "And":
    case "Or": {
      const terms = syntax.terms.flatMap((term) => checkCondition(context, term) ?? [])
      return terms.length < syntax.terms.length ? undefined : node({ _tag: syntax._tag, terms: Object.freeze(terms) })
    }
    case "Compare":
      return checkCompare(context, syntax)
    case "In":
      return checkIn(context, syntax)
    case "Arithmetic":
      return checkArithmetic(context, syntax, hint)
    case "If":
      return checkIf(context, syntax, hint)
    case "Call":
      return checkCall(context, syntax)
  }
}

const checkNumber = (context: CheckContext, syntax: SyntaxOf<"Number">, hint: LiteralHint): Tree | undefined => {
  const { text } = syntax
  switch (/^-?[0-9]+$/.test(text) ? hint.whole : hint.fraction) {
    case "Int":
      return intLiteral(text) ?? refuse(context, syntax, "whole numbers go up to 9007199254740991 (2^53 - 1)")
    case "Decimal":
      return decimalLiteral(text) ?? refuse(context, syntax, "a decimal has at most 38 digits")
    case "Double":
      return doubleLiteral(text) ?? refuse(context, syntax, "no double is this large")
  }
}

const checkName = (context: CheckContext, syntax: SyntaxOf<"Name">): Tree | undefined => {
  const field = context.shape.byName.get(fieldNamed(context, syntax) ?? "")
  if (field === undefined) return undefined
  const { name, nullable, type } = field
  switch (type._tag) {
    case "Text":
      return node({ _tag: "TextField", name, nullable })
    case "Boolean":
      return node({ _tag: "BoolField", name, nullable })
    case "Json":
      return refuse(context, syntax, `"${name}" is nested: only has(${name}) and ${name} == null can ask it`)
    default:
      return node({ _tag: "NumberField", type: numberType(type), name, nullable, magnitudeMax: magnitudeMax(type) })
  }
}

type NumberFieldType = Exclude<FieldSpec["type"], { _tag: "Text" | "Boolean" | "Json" }>

const numberType = (type: NumberFieldType): NumberType =>
  Object.freeze(type._tag === "Decimal" ? { _tag: "Decimal", scale: type.scale } : { _tag: type._tag })

const magnitudeMax = (type: NumberFieldType): bigint => {
  if (type._tag === "Decimal") return 10n ** BigInt(type.precision) - 1n
  if (type._tag !== "Int" && type._tag !== "Double") return 0n
  const largest = Math.ceil(Math.max(Math.abs(type.min), Math.abs(type.max)))
  return BigInt(Math.min(largest, type._tag === "Int" ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE))
}

/** The tree as the result that the expression states. */
const withResult = (context: CheckContext, syntax: Syntax, tree: Tree, result: ExprResult) => {
  const differs = (wanted: string, advice = "") =>
    refuse(context, syntax, `the result must be ${wanted}, and this is ${typeName(tree)}${advice}`)
  switch (result._tag) {
    case "Boolean":
      return isBool(tree) ? ({ result: "boolean", tree } as const) : differs("true or false", resultAdvice(tree))
    case "Text":
      return isText(tree) ? ({ result: "string", tree } as const) : differs("a text", ": write string(…) around it")
    case "Number":
      if (isNumber(tree) && (tree.type._tag === "Int" || tree.type._tag === "Double")) {
        return { result: "number", tree } as const
      }
      return differs("a number", resultAdvice(tree))
    case "Decimal": {
      const { scale } = result
      if (!isNumber(tree) || (tree.type._tag !== "Decimal" && tree.type._tag !== "Int")) {
        return differs(`a decimal of scale ${scale}`)
      }
      if (scaleOf(tree.type) <= scale) return { result: "decimal", scale, tree: atScale(tree, scale) } as const
      return differs(`a decimal of scale ${scale}`, ": state its scale, nothing is rounded")
    }
  }
}

/** How an expression of this type is declared. */
const resultAdvice = (tree: Tree): string => {
  if (isText(tree)) return ": declare it with expr.string(…)"
  if (!isNumber(tree)) return ""
  if (tree.type._tag === "Decimal") return `: declare it with expr.decimal(${tree.type.scale}, …)`
  return tree.type._tag === "Int" || tree.type._tag === "Double" ? ": declare it with expr.number(…)" : ""
}
