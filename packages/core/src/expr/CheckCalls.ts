/**
 * The functions and methods an expression may call, with their types.
 *
 * Called by `Check.ts` for every call. CEL's names and meaning, plus `date("2026-01-31")`; what CEL has and records do not
 * need is refused by name.
 */
import { CalendarDate } from "../CalendarDate.ts"
import { type CheckContext, isBool, isNumber, isText, node, refuse, typeName } from "./CheckContext.ts"
import { fieldNamed } from "./CheckOperators.ts"
import { durationLiteral, timestampLiteral } from "./Literal.ts"
import { nearest } from "./Suggest.ts"
import type { Syntax, SyntaxOf } from "./Syntax.ts"
import { makeTextPattern } from "./TextPattern.ts"
import { zoneKnown } from "./Zone.ts"
import type { NumberConstant, NumberNode, NumberType, TextNode, TimePart, Tree } from "./Tree.ts"

type Call = SyntaxOf<"Call">

const int: NumberType = Object.freeze({ _tag: "Int" })
const double: NumberType = Object.freeze({ _tag: "Double" })

const timeParts: ReadonlyMap<string, TimePart> = new Map(
  (
    [
      "FullYear",
      "Month",
      "Date",
      "DayOfMonth",
      "DayOfWeek",
      "DayOfYear",
      "Hours",
      "Minutes",
      "Seconds",
      "Milliseconds"
    ] as const
  ).map((part) => [`get${part}`, part])
)
const durationUnits: ReadonlyMap<string, number> = new Map([
  ["getHours", 3_600_000_000],
  ["getMinutes", 60_000_000],
  ["getSeconds", 1_000_000]
])
const functions = ["has", "size", "string", "int", "double", "timestamp", "duration", "date"]
const methods = ["startsWith", "endsWith", "contains", "matches", "size", ...timeParts.keys()]

export const checkCall = (context: CheckContext, syntax: Call): Tree | undefined => {
  const { name, receiver, args } = syntax
  if (receiver === undefined ? !functions.includes(name) : !methods.includes(name)) {
    const meant = nearest(name, receiver === undefined ? functions : methods)
    const known =
      receiver === undefined ? functions.join(", ") : methods.slice(0, 5).join(", ") + ", getHours and the like"
    const hint = meant === undefined ? `; there are ${known}` : `: did you mean ${meant}()?`
    return refuse(context, syntax, `no ${receiver === undefined ? "function" : "method"} ${name}()${hint}`)
  }
  const argument = args[0]
  const zoned = timeParts.has(name) && args.length <= 1
  if (!zoned && args.length + (receiver === undefined ? 0 : name === "size" ? 1 : 0) !== 1) {
    return refuse(context, syntax, `${name}() takes one argument`)
  }
  if (receiver !== undefined && name !== "size") {
    if (timeParts.has(name)) return checkTimePart(context, syntax, receiver, argument)
    return argument === undefined ? undefined : checkTextTest(context, syntax, receiver, argument)
  }
  const only = receiver ?? argument
  if (only === undefined) return undefined
  switch (name) {
    case "has":
      return checkHas(context, only)
    case "size":
      return checkSize(context, only)
    case "timestamp":
    case "duration":
    case "date":
      return checkLiteralCall(context, name, only)
    default:
      return checkConversion(context, syntax, only)
  }
}

const checkHas = (context: CheckContext, argument: Syntax): Tree | undefined => {
  if (argument._tag !== "Name") return refuse(context, argument, "has() takes the name of a field")
  const name = fieldNamed(context, argument)
  return name === undefined ? undefined : node({ _tag: "Not", operand: node({ _tag: "IsNull", name }) })
}

const checkSize = (context: CheckContext, argument: Syntax): Tree | undefined => {
  const text = checkText(context, argument, "size() counts the characters of a text")
  return text === undefined ? undefined : node({ _tag: "TextSize", type: int, text })
}

const checkText = (context: CheckContext, syntax: Syntax, rule: string): TextNode | undefined => {
  const tree = context.check(syntax)
  if (tree === undefined || isText(tree)) return tree
  return refuse(context, syntax, `${rule}, and this is ${typeName(tree)}`)
}

const checkTextTest = (context: CheckContext, syntax: Call, receiver: Syntax, argument: Syntax): Tree | undefined => {
  const text = checkText(context, receiver, `${syntax.name}() asks a text`)
  if (syntax.name === "matches") {
    if (argument._tag !== "Text") return refuse(context, argument, "matches() takes a pattern in quotes")
    const pattern = makeTextPattern(argument.value)
    if (pattern._tag === "Failure") {
      return refuse(
        context,
        argument,
        `${pattern.failure.message} (character ${pattern.failure.at + 1} of the pattern)`
      )
    }
    return text === undefined ? undefined : node({ _tag: "Matches", text, pattern: pattern.success })
  }
  const wanted = checkText(context, argument, `${syntax.name}() takes a text`)
  if (text === undefined || wanted === undefined) return undefined
  const test = syntax.name === "startsWith" ? "startsWith" : syntax.name === "endsWith" ? "endsWith" : "contains"
  return node({ _tag: "TextTest", test, text, argument: wanted })
}

const checkTimePart = (
  context: CheckContext,
  syntax: Call,
  receiver: Syntax,
  zoneSyntax: Syntax | undefined
): Tree | undefined => {
  const time = context.check(receiver)
  if (time === undefined) return undefined
  if (isNumber(time) && time.type._tag === "Duration") {
    const unitMicros = durationUnits.get(syntax.name)
    if (unitMicros === undefined || zoneSyntax !== undefined) {
      return refuse(
        context,
        syntax,
        "a duration has getHours(), getMinutes() and getSeconds(), each of the whole duration"
      )
    }
    return node({ _tag: "DurationPart", type: int, unitMicros, duration: time })
  }
  if (!isNumber(time) || time.type._tag !== "Timestamp") {
    return refuse(context, receiver, `${syntax.name}() asks a time, and this is ${typeName(time)}`)
  }
  if (zoneSyntax !== undefined && zoneSyntax._tag !== "Text") {
    return refuse(context, zoneSyntax, 'a time zone is written in quotes: "Europe/Vienna" or "+02:00"')
  }
  const zone = zoneSyntax?.value ?? "UTC"
  if (!zoneKnown(zone)) {
    return refuse(
      context,
      zoneSyntax ?? syntax,
      `no time zone ${JSON.stringify(zone)}: write "Europe/Vienna" or "+02:00"`
    )
  }
  const part = timeParts.get(syntax.name)
  return part === undefined ? undefined : node({ _tag: "TimePart", type: int, part, zone, time })
}

const literalAdvice = {
  timestamp: 'write timestamp("2026-01-31T12:00:00Z"), to the microsecond at most, from 1831 to 2109',
  duration: 'write duration("1h30m"), duration("250ms") or duration("3d"), in whole microseconds',
  date: 'write date("2026-01-31")'
}

const checkLiteralCall = (
  context: CheckContext,
  name: "timestamp" | "duration" | "date",
  argument: Syntax
): NumberNode | undefined => {
  if (argument._tag !== "Text")
    return refuse(context, argument, `${name}() takes a text in quotes: ${literalAdvice[name]}`)
  const text = argument.value
  const made =
    name === "timestamp" ? timestampLiteral(text) : name === "duration" ? durationLiteral(text) : dateLiteral(text)
  return made ?? refuse(context, argument, `this is no ${name}: ${literalAdvice[name]}`)
}

const dateLiteral = (text: string): NumberConstant | undefined => {
  const value = CalendarDate.parse(text)
  return value === undefined
    ? undefined
    : node({ _tag: "NumberConstant", type: Object.freeze({ _tag: "Date" }), value })
}

/** `string()`, `int()`, `double()`. */
const checkConversion = (context: CheckContext, syntax: Call, argument: Syntax): Tree | undefined => {
  const value = context.check(argument)
  if (value === undefined) return undefined
  const from = isNumber(value) ? value.type._tag : isText(value) ? "Text" : "Bool"
  if (syntax.name === "string") {
    if (isText(value)) return value
    if (isBool(value)) return node({ _tag: "BoolText", value })
    if (from !== "Duration") return node({ _tag: "NumberText", value })
    return refuse(context, syntax, "string() does not apply to a duration: ask its getSeconds()")
  }
  const type = syntax.name === "int" ? int : double
  if (isText(value)) return node({ _tag: "ParseNumber", type, text: value })
  if (isNumber(value)) {
    if (from === type._tag) return value
    if (from === "Int" || from === "Double" || from === "Decimal" || (from === "Timestamp" && syntax.name === "int")) {
      return node({ _tag: "Convert", type, operand: value })
    }
  }
  return refuse(context, syntax, `${syntax.name}() does not apply to ${typeName(value)}`)
}
