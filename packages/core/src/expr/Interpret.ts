/**
 * Runs a checked expression on record objects, by walking its tree: the slow twin of `Compile.ts`.
 *
 * The engine uses it for rows whose decimals do not fit a column, the rules for explanations, tests as the reference. Written
 * for plainness: integers, decimals and times are bigints, and no value is null, so nothing here can round or overflow
 * unseen.
 */
import { Decimal, unscaledText } from "../Decimal.ts"
import { dateTextFromDays, Timestamp, timestampEndMs } from "../Timestamp.ts"
import type { CompareOperator } from "./Syntax.ts"
import {
  type Arithmetic,
  type BoolNode,
  type CheckedExpr,
  type Convert,
  decimalMagnitudeMax,
  intMax,
  type NumberField,
  type NumberNode,
  type NumberType,
  type TextNode,
  type TimePartNode
} from "./Tree.ts"

/** A record as its schema decodes it. */
type RecordValue = Readonly<Record<string, unknown>>
/** Doubles are numbers; all else is whole: unscaled decimals, microseconds, days. */
type Numeric = number | bigint | null

/** Whether the condition is true for a record; without a value it is not. */
export const interpretCondition =
  (checked: Extract<CheckedExpr, { result: "boolean" }>) =>
  (record: object): boolean =>
    // a record is a plain object of its fields
    truth(checked.tree, record as RecordValue) === true

/** The value for a record, as records hold it; null without one. */
export const interpretValue =
  (checked: CheckedExpr) =>
  (record: object): boolean | number | string | Decimal | null => {
    // a record is a plain object of its fields
    const fields = record as RecordValue
    switch (checked.result) {
      case "boolean":
        return truth(checked.tree, fields) === true
      case "string":
        return text(checked.tree, fields)
      case "number": {
        const value = numeric(checked.tree, fields)
        return value === null ? null : Number(value) + 0
      }
      case "decimal": {
        const value = numeric(checked.tree, fields)
        return value === null ? null : Decimal.make(BigInt(value), checked.scale)
      }
    }
  }

/** The field's value; null when absent. Own properties only: a record inherits nothing. */
const read = (record: RecordValue, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : null) ?? null

const truth = (node: BoolNode, record: RecordValue): boolean | null => {
  switch (node._tag) {
    case "BoolConstant":
      return node.value
    case "BoolField":
      // the record was decoded by its schema: the field is a boolean or null
      return read(record, node.name) as boolean | null
    case "IsNull":
      return read(record, node.name) === null
    case "Not": {
      const value = truth(node.operand, record)
      return value === null ? null : !value
    }
    case "And":
    case "Or": {
      const decisive = node._tag === "Or"
      const values = node.terms.map((term) => truth(term, record))
      return values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive
    }
    case "SameBool": {
      const left = truth(node.left, record)
      const right = truth(node.right, record)
      return left === null || right === null ? null : left === right
    }
    case "CompareNumbers":
      return compareNumbers(node.op, node.left, node.right, record)
    case "CompareTexts": {
      const left = text(node.left, record)
      const right = text(node.right, record)
      return left === null || right === null ? null : ordered(node.op, textOrder(left, right))
    }
    case "InNumbers": {
      const equal = node.items.map((item) => compareNumbers("==", node.value, item, record))
      return numeric(node.value, record) === null ? null : equal.includes(true)
    }
    case "InTexts": {
      const value = text(node.value, record)
      return value === null ? null : node.items.includes(value)
    }
    case "TextTest": {
      const value = text(node.text, record)
      const argument = text(node.argument, record)
      if (value === null || argument === null) return null
      return node.test === "contains" ? value.includes(argument) : value[node.test](argument)
    }
    case "Matches": {
      const value = text(node.text, record)
      return value === null ? null : node.pattern.test(value)
    }
    case "BoolIf":
      return truth(truth(node.condition, record) === true ? node.then : node.otherwise, record)
  }
}

const ordered = (op: CompareOperator, order: number): boolean => {
  switch (op) {
    case "==":
      return order === 0
    case "!=":
      return order !== 0
    case "<":
      return order < 0
    case "<=":
      return order <= 0
    case ">":
      return order > 0
    case ">=":
      return order >= 0
  }
}

const compareNumbers = (
  op: CompareOperator,
  left: NumberNode,
  right: NumberNode,
  record: RecordValue
): boolean | null => {
  const a = numeric(left, record)
  const b = numeric(right, record)
  if (a === null || b === null) return null
  if (typeof a === "bigint" && typeof b === "bigint") {
    const scale = Math.max(scaleOf(left.type), scaleOf(right.type))
    const difference = scaled(a, scale - scaleOf(left.type)) - scaled(b, scale - scaleOf(right.type))
    return ordered(op, difference < 0n ? -1 : difference > 0n ? 1 : 0)
  }
  return ordered(op, a < b ? -1 : a > b ? 1 : 0)
}

const scaleOf = (type: NumberType): number => (type._tag === "Decimal" ? type.scale : 0)
const scaled = (value: bigint, digits: number): bigint => value * 10n ** BigInt(digits)

/** By code point. */
const textOrder = (left: string, right: string): number => {
  const [a, b] = [Array.from(left), Array.from(right)]
  for (const [at, character] of a.entries()) {
    const other = b[at]
    if (other === undefined) return 1
    if (character !== other) return character.codePointAt(0)! - other.codePointAt(0)!
  }
  return a.length - b.length
}

const numeric = (node: NumberNode, record: RecordValue): Numeric => {
  switch (node._tag) {
    case "NumberConstant":
      return node.type._tag === "Double" ? Number(node.value) : BigInt(node.value)
    case "NumberField":
      return numericField(node, record)
    case "Arithmetic":
      return inRange(node.type, arithmetic(node, record))
    case "Convert":
      return inRange(node.type, converted(node, record))
    case "Negate": {
      const value = numeric(node.operand, record)
      return value === null ? null : -value
    }
    case "ParseNumber":
      return inRange(node.type, parsed(node.type, text(node.text, record)))
    case "TextSize": {
      const value = text(node.text, record)
      return value === null ? null : BigInt(Array.from(value).length)
    }
    case "TimePart": {
      const value = numeric(node.time, record)
      return value === null ? null : BigInt(timePart(node, BigInt(value)))
    }
    case "DurationPart": {
      const value = numeric(node.duration, record)
      return value === null ? null : BigInt(value) / BigInt(node.unitMicros)
    }
    case "NumberIf":
      return numeric(truth(node.condition, record) === true ? node.then : node.otherwise, record)
  }
}

const numericField = (node: NumberField, record: RecordValue): Numeric => {
  const value = read(record, node.name)
  if (value === null) return null
  if (value instanceof Decimal) {
    // a function may have made more digits than the field declares: no value, as after any overflow
    const unscaled = BigInt(value.unscaled)
    return unscaled <= node.magnitudeMax && unscaled >= -node.magnitudeMax ? unscaled : null
  }
  const number = Number(value)
  if (node.type._tag === "Double") return number
  return BigInt(node.type._tag === "Timestamp" ? Math.round(number * 1000) : number)
}

/** The value, unless it overflows its type. */
const inRange = (type: NumberType, value: Numeric): Numeric => {
  if (value === null) return null
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  const limit =
    type._tag === "Decimal"
      ? decimalMagnitudeMax
      : type._tag === "Timestamp"
        ? BigInt(timestampEndMs) * 1000n - 1n
        : intMax
  return value <= limit && value >= -limit ? value : null
}

const arithmetic = (node: Arithmetic, record: RecordValue): Numeric => {
  const left = numeric(node.left, record)
  const right = numeric(node.right, record)
  if (left === null || right === null) return null
  if (typeof left === "number" || typeof right === "number") {
    return right === 0 && node.op === "/" ? null : doubleArithmetic(node, Number(left), Number(right))
  }
  switch (node.op) {
    case "+":
      return left + right
    case "-":
      return left - right
    case "*":
      return left * right
    case "/":
      return right === 0n ? null : left / right
    case "%":
      return right === 0n ? null : left % right
  }
}

const doubleArithmetic = (node: Arithmetic, left: number, right: number): number => {
  switch (node.op) {
    case "+":
      return left + right
    case "-":
      return left - right
    case "*":
      return left * right
    case "/":
      return left / right
    case "%":
      return left % right
  }
}

const converted = (node: Convert, record: RecordValue): Numeric => {
  const value = numeric(node.operand, record)
  if (value === null) return null
  const from = node.operand.type
  switch (node.type._tag) {
    case "Decimal":
      return scaled(BigInt(value), node.type.scale - scaleOf(from))
    case "Double":
      return Number(unscaledText(value, scaleOf(from)))
    default: {
      if (typeof value === "number") return Number.isFinite(value) ? BigInt(Math.trunc(value)) : null
      if (from._tag === "Timestamp") return value / 1_000_000n - (value % 1_000_000n < 0n ? 1n : 0n)
      return value / 10n ** BigInt(scaleOf(from))
    }
  }
}

const parsed = (type: NumberType, value: string | null): Numeric => {
  if (value === null) return null
  if (type._tag === "Int") return /^[+-]?\d{1,19}$/.test(value) ? BigInt(value.replace("+", "")) : null
  const pattern = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
  return value.length <= 400 && pattern.test(value) ? Number(value) : null
}

const timePart = (node: TimePartNode, micros: bigint): number => {
  const utc = Math.floor(Number(micros) / 1000)
  const wall = new Date(node.zone === "UTC" ? utc : wallClock(utc, node.zone))
  switch (node.part) {
    case "DayOfMonth":
      return wall.getUTCDate() - 1
    case "DayOfWeek":
      return wall.getUTCDay()
    case "DayOfYear":
      return Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0, 1)) / 86_400_000)
    default:
      return wall[`getUTC${node.part}`]()
  }
}

/** The time whose UTC fields are what the zone's clocks show. */
const wallClock = (utc: number, zone: string): number => {
  if (/^[+-]/.test(zone)) {
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
    return utc + (zone.startsWith("-") ? -minutes : minutes) * 60_000
  }
  // the Swedish form is 2026-01-31 12:00:00
  const shown = new Date(utc).toLocaleString("sv-SE", { timeZone: zone, timeZoneName: undefined })
  return Date.parse(`${shown.replace(" ", "T")}Z`) + (((utc % 1000) + 1000) % 1000)
}

const text = (node: TextNode, record: RecordValue): string | null => {
  switch (node._tag) {
    case "TextConstant":
      return node.value
    case "TextField":
      // the record was decoded by its schema: the field is a text or null
      return read(record, node.name) as string | null
    case "Concat": {
      const left = text(node.left, record)
      const right = text(node.right, record)
      return left === null || right === null ? null : left + right
    }
    case "NumberText":
      return numberText(node.value.type, numeric(node.value, record))
    case "BoolText": {
      const value = truth(node.value, record)
      return value === null ? null : String(value)
    }
    case "TextIf":
      return text(truth(node.condition, record) === true ? node.then : node.otherwise, record)
  }
}

const numberText = (type: NumberType, value: Numeric): string | null => {
  if (value === null) return null
  switch (type._tag) {
    case "Decimal":
      return unscaledText(value, type.scale)
    case "Timestamp":
      return Timestamp.format(Timestamp.fromMicros(Number(value)))
    case "Date":
      return dateTextFromDays(Number(value))
    default:
      return String(value)
  }
}
