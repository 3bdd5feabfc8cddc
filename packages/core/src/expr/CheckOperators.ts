/**
 * The types of operators: which operands go together, and what is written instead of those that do not.
 *
 * Called by `Check.ts` for every comparison, computation, `in` and `?:`. Numbers of different kinds meet only where the
 * meeting is exact: whole numbers with decimals and doubles, decimals with decimals; never decimals with doubles.
 */
import {
  atScale,
  type CheckContext,
  checkPair,
  hintOf,
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
import { fieldsOfFields } from "./Parse.ts"
import { nearest } from "./Suggest.ts"
import type { Syntax, SyntaxOf } from "./Syntax.ts"
import type { BoolNode, NumberConstant, NumberNode, NumberType, TextNode, Tree } from "./Tree.ts"

const double: NumberType = Object.freeze({ _tag: "Double" })

export const checkCompare = (context: CheckContext, syntax: SyntaxOf<"Compare">): BoolNode | undefined => {
  const nullSide = syntax.left._tag === "Null" ? syntax.right : syntax.right._tag === "Null" ? syntax.left : undefined
  if (nullSide !== undefined) return checkNullTest(context, syntax, nullSide)
  const pair = checkPair(context, syntax.left, syntax.right, plainLiterals)
  if (pair === undefined) return undefined
  const [left, right] = pair
  const { op } = syntax
  if (isBool(left) && isBool(right)) {
    if (op !== "==" && op !== "!=") return refuse(context, syntax, `true and false have no order: ${op} does not apply`)
    const same = node({ _tag: "SameBool", left, right })
    return op === "==" ? same : node({ _tag: "Not", operand: same })
  }
  if (isText(left) && isText(right)) {
    if (!allowedTexts(context, syntax.left, left, right) || !allowedTexts(context, syntax.right, right, left))
      return undefined
    return node({ _tag: "CompareTexts", op, left, right })
  }
  if (isNumber(left) && isNumber(right)) {
    const numbers = comparable(left, right)
    if (numbers !== undefined) return node({ _tag: "CompareNumbers", op, left: numbers[0], right: numbers[1] })
  }
  return refuse(
    context,
    syntax,
    `${typeName(left)} cannot be compared with ${typeName(right)}${compareAdvice(left, right)}`
  )
}

/** `x == null`, `x != null`. */
const checkNullTest = (context: CheckContext, syntax: SyntaxOf<"Compare">, side: Syntax): BoolNode | undefined => {
  if (syntax.op !== "==" && syntax.op !== "!=")
    return refuse(context, syntax, "null has no order: only == null and != null")
  const name = side._tag === "Name" ? fieldNamed(context, side) : undefined
  if (side._tag !== "Name") return refuse(context, side, "only a field can be compared with null")
  if (name === undefined) return undefined
  const isNull = node({ _tag: "IsNull", name })
  return syntax.op === "==" ? isNull : node({ _tag: "Not", operand: isNull })
}

/** The name of a field that the expression may read; notes it as read. */
export const fieldNamed = (context: CheckContext, syntax: SyntaxOf<"Name">): string | undefined => {
  const field = context.shape.byName.get(syntax.name)
  if (field === undefined || (context.rules && field.hiddenFromRules)) {
    if (field !== undefined) return refuse(context, syntax, `field "${syntax.name}" is hidden from rules`)
    if (syntax.name.includes(".") && !context.shape.fields.some(({ name }) => name.includes(".")))
      return refuse(context, syntax, fieldsOfFields)
    const visible = context.shape.fields.filter((known) => !(context.rules && known.hiddenFromRules))
    const meant = nearest(
      syntax.name,
      visible.map((known) => known.name)
    )
    return refuse(
      context,
      syntax,
      `no field "${syntax.name}"${meant === undefined ? "" : `: did you mean "${meant}"?`}`
    )
  }
  context.fieldsRead.add(field.name)
  return field.name
}

/** A literal that an enumeration can never equal is a mistake. */
const allowedTexts = (context: CheckContext, at: Syntax, literal: Tree, other: Tree): boolean => {
  if (literal._tag !== "TextConstant" || other._tag !== "TextField") return true
  const type = context.shape.byName.get(other.name)?.type
  if (type?._tag !== "Text" || type.values === undefined || type.values.includes(literal.value)) return true
  const meant = nearest(literal.value, type.values) ?? type.values.slice(0, 8).join(", ")
  refuse(context, at, `"${other.name}" is never ${JSON.stringify(literal.value)}: did you mean ${meant}?`)
  return false
}

/** Both sides in types that compare exactly: decimals may keep different scales. */
const comparable = (left: NumberNode, right: NumberNode): readonly [NumberNode, NumberNode] | undefined => {
  const [a, b] = [left.type._tag, right.type._tag]
  if (a === b) return [left, right]
  if (a === "Int" && b === "Decimal") return [atScale(left, 0), right]
  if (a === "Decimal" && b === "Int") return [left, atScale(right, 0)]
  if (a === "Int" && b === "Double") return [asDouble(left), right]
  if (a === "Double" && b === "Int") return [left, asDouble(right)]
  return undefined
}

const asDouble = (operand: NumberNode): NumberNode => node({ _tag: "Convert", type: double, operand })

const compareAdvice = (left: Tree, right: Tree): string => {
  const number = isNumber(left) ? left : isNumber(right) ? right : undefined
  if (number === undefined) return ""
  if (isNumber(left) && isNumber(right)) {
    const mixed = [left.type._tag, right.type._tag].sort().join()
    if (mixed === "Decimal,Double")
      return ": decimals are exact and doubles are not; write double(…) around the decimal"
    if (mixed === "Duration,Int") return ': write the duration as duration("5m")'
    return ""
  }
  if (number.type._tag === "Timestamp") return ': write timestamp("2026-01-31T00:00:00Z")'
  if (number.type._tag === "Date") return ': write date("2026-01-31")'
  if (number.type._tag === "Duration") return ': write duration("5m")'
  return isText(left) || isText(right) ? ": write the number without quotes, or string(…) around it" : ""
}

export const checkIn = (context: CheckContext, syntax: SyntaxOf<"In">): BoolNode | undefined => {
  const value = context.check(syntax.value)
  const hint = hintOf(value, plainLiterals)
  const items = syntax.items.map((item) => (item._tag === "Null" ? nullItem(context, item) : context.check(item, hint)))
  if (value === undefined || items.includes(undefined)) return undefined
  if (isBool(value)) return refuse(context, syntax, "in does not apply to true and false: write == true")
  const numbers: Array<NumberConstant> = []
  const texts: Array<string> = []
  let asDoubles = false
  for (const [index, item] of items.entries()) {
    const at = syntax.items[index]!
    if (item === undefined) return undefined
    if (item._tag !== "NumberConstant" && item._tag !== "TextConstant") {
      return refuse(context, at, "a list holds literals only: write == for other values")
    }
    if (item._tag === "TextConstant" && isText(value)) {
      if (!allowedTexts(context, at, item, value)) return undefined
      texts.push(item.value)
    } else if (item._tag === "NumberConstant" && isNumber(value) && comparable(value, item) !== undefined) {
      numbers.push(item)
      asDoubles ||= item.type._tag === "Double"
    } else {
      return refuse(context, at, `${typeName(value)} is never ${typeName(item)}${compareAdvice(value, item)}`)
    }
  }
  if (isText(value)) return node({ _tag: "InTexts", value, items: Object.freeze(texts) })
  const compared = asDoubles && value.type._tag === "Int" ? asDouble(value) : value
  return node({ _tag: "InNumbers", value: compared, items: Object.freeze(alike(compared, numbers)) })
}

const nullItem = (context: CheckContext, item: Syntax): undefined =>
  refuse(context, item, "null is never in a list: write x == null || x in […]")

/** The constants in the value's own type; those with more fraction digits than it has can never be equal. */
const alike = (value: NumberNode, items: ReadonlyArray<NumberConstant>): Array<NumberConstant> => {
  const { type } = value
  return items.flatMap((item): Array<NumberConstant> => {
    if (item.type._tag === type._tag && scaleOf(item.type) === scaleOf(type)) return [item]
    if (type._tag === "Double") return [node({ _tag: "NumberConstant", type, value: Number(item.value) })]
    const surplus = scaleOf(type) - scaleOf(item.type)
    if (surplus < 0) return []
    const scaled = BigInt(item.value) * 10n ** BigInt(surplus)
    const safe = Number.isSafeInteger(Number(scaled))
    return [node({ _tag: "NumberConstant", type, value: safe ? Number(scaled) : scaled })]
  })
}

export const checkArithmetic = (
  context: CheckContext,
  syntax: SyntaxOf<"Arithmetic">,
  hint: LiteralHint
): NumberNode | TextNode | undefined => {
  const pair = checkPair(context, syntax.left, syntax.right, hint)
  if (pair === undefined) return undefined
  const [left, right] = pair
  const { op } = syntax
  if (op === "+" && isText(left) && isText(right)) return node({ _tag: "Concat", left, right })
  if (isNumber(left) && isNumber(right)) {
    const made = arithmetic(op, left, right)
    if (typeof made === "object") return node(made)
    if (made !== undefined) return refuse(context, syntax, made)
  }
  const advice = isText(left) || isText(right) ? ": write string(…) around what is no text" : ""
  return refuse(context, syntax, `${op} does not apply to ${typeName(left)} and ${typeName(right)}${advice}`)
}

/** The typed node; a message; or undefined when the operator does not apply at all. */
const arithmetic = (
  op: SyntaxOf<"Arithmetic">["op"],
  left: NumberNode,
  right: NumberNode
): NumberNode | string | undefined => {
  const [a, b] = [left.type._tag, right.type._tag]
  const made = (type: NumberType, first = left, second = right): NumberNode => ({
    _tag: "Arithmetic",
    type: Object.freeze(type),
    op,
    left: first,
    right: second
  })
  if (a === "Int" && b === "Int") return made({ _tag: "Int" })
  if (a === "Double" && b === "Double") return op === "%" ? "% applies to whole numbers only" : made({ _tag: "Double" })
  if ((a === "Int" && b === "Double") || (a === "Double" && b === "Int")) {
    return "a whole number and a double do not mix: write double(…) around the whole number, or 2.0 for 2"
  }
  if ((a === "Decimal" && b === "Double") || (a === "Double" && b === "Decimal")) {
    return "a decimal and a double do not mix: decimals are exact and doubles are not; write double(…) around the decimal"
  }
  if (a === "Decimal" || b === "Decimal") {
    if (!["Decimal", "Int"].includes(a) || !["Decimal", "Int"].includes(b)) return undefined
    const [scaleLeft, scaleRight] = [scaleOf(left.type), scaleOf(right.type)]
    if (op === "/")
      return "decimals are not divided, since most quotients are inexact: multiply the other side instead, or write double(…)"
    if (op === "%") return "% applies to whole numbers only"
    if (op === "*") {
      if (scaleLeft + scaleRight > 38) return "the product has more than 38 fraction digits"
      return made(
        { _tag: "Decimal", scale: scaleLeft + scaleRight },
        atScale(left, scaleLeft),
        atScale(right, scaleRight)
      )
    }
    const scale = Math.max(scaleLeft, scaleRight)
    return made({ _tag: "Decimal", scale }, atScale(left, scale), atScale(right, scale))
  }
  return arithmeticOfTimes(op, a, b, made)
}

const arithmeticOfTimes = (
  op: SyntaxOf<"Arithmetic">["op"],
  a: NumberType["_tag"],
  b: NumberType["_tag"],
  made: (type: NumberType) => NumberNode
): NumberNode | string | undefined => {
  if (op !== "+" && op !== "-") return undefined
  if (a === "Duration" && b === "Duration") return made({ _tag: "Duration" })
  if (a === "Timestamp" && b === "Duration") return made({ _tag: "Timestamp" })
  if (op === "+" && a === "Duration" && b === "Timestamp") return made({ _tag: "Timestamp" })
  if (op === "-" && a === "Timestamp" && b === "Timestamp") return made({ _tag: "Duration" })
  if (a === "Timestamp" && b === "Int") return 'a time moves by a duration: write + duration("5m")'
  return undefined
}

export const checkIf = (context: CheckContext, syntax: SyntaxOf<"If">, hint: LiteralHint): Tree | undefined => {
  const condition = checkCondition(context, syntax.condition)
  const pair = checkPair(context, syntax.then, syntax.otherwise, hint)
  if (condition === undefined || pair === undefined) return undefined
  const [then, otherwise] = pair
  if (isBool(then) && isBool(otherwise)) return node({ _tag: "BoolIf", condition, then, otherwise })
  if (isText(then) && isText(otherwise)) return node({ _tag: "TextIf", condition, then, otherwise })
  if (isNumber(then) && isNumber(otherwise)) {
    const { type } = then
    if (type._tag === "Decimal" || otherwise.type._tag === "Decimal") {
      const scale = Math.max(scaleOf(type), scaleOf(otherwise.type))
      if (comparable(then, otherwise) !== undefined) {
        const decimal: NumberType = Object.freeze({ _tag: "Decimal", scale })
        return node({
          _tag: "NumberIf",
          type: decimal,
          condition,
          then: atScale(then, scale),
          otherwise: atScale(otherwise, scale)
        })
      }
    } else if (type._tag === otherwise.type._tag) return node({ _tag: "NumberIf", type, condition, then, otherwise })
  }
  return refuse(context, syntax, `the two results differ: ${typeName(then)} and ${typeName(otherwise)}`)
}

/** Types a syntax that must be true or false. */
export const checkCondition = (context: CheckContext, syntax: Syntax): BoolNode | undefined => {
  const tree = context.check(syntax)
  if (tree === undefined || isBool(tree)) return tree
  return refuse(context, syntax, `a condition is needed here, and this is ${typeName(tree)}`)
}

export const checkNegate = (
  context: CheckContext,
  syntax: SyntaxOf<"Not" | "Negate">,
  hint: LiteralHint
): NumberNode | undefined => {
  const operand = context.check(syntax.operand, hint)
  if (operand === undefined) return undefined
  if (isNumber(operand) && ["Int", "Double", "Decimal"].includes(operand.type._tag)) {
    return node({ _tag: "Negate", type: operand.type, operand })
  }
  return refuse(context, syntax, `a minus does not apply to ${typeName(operand)}`)
}
