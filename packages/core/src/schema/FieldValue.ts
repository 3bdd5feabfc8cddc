/**
 * Reads and checks one field's JSON value: the rules that `Field`'s schemas apply and that the scanner must agree with.
 *
 * A rule returns the decoded value or a `FieldProblem`; it never throws and never puts the value in a message.
 */
import { CalendarDate } from "../CalendarDate.ts"
import { Decimal, parseDecimal } from "../Decimal.ts"
import { Timestamp } from "../Timestamp.ts"
import type { FieldProblem, FieldType, TextFormat } from "./FieldType.ts"

/** A decimal as a JSON number may have this many significant digits; beyond, it must be a string: other writers use doubles. */
export const numberDigitsMax = 15

/** A JSON number with the text it was written with, which a double may not hold. The slow path makes it for decimals. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A value that failed a rule. A class, so that no record's value can be taken for one. */
export class ProblemFound {
  readonly problem: FieldProblem
  constructor(reason: FieldProblem["reason"], message: string) {
    this.problem = { reason, message }
  }
}

/** The kind of a JSON value, for messages. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "string") return "a text"
  if (typeof value === "number" || value instanceof NumberText) return "a number"
  if (typeof value === "boolean") return "a boolean"
  return "an object"
}

const wrongType = (wanted: string, value: unknown) =>
  new ProblemFound("wrong_type", `must be ${wanted}, found ${kindOf(value)}`)

type TypeOf<Tag extends FieldType["_tag"]> = Extract<FieldType, { readonly _tag: Tag }>

const formats: Record<TextFormat, { readonly pattern: RegExp; readonly name: string }> = {
  uuid: { pattern: /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, name: "a UUID" },
  ipv4: {
    pattern: /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/,
    name: "an IPv4 address"
  },
  alpha2: { pattern: /^[A-Z]{2}$/, name: "a code of 2 capital letters" },
  alpha3: { pattern: /^[A-Z]{3}$/, name: "a code of 3 capital letters" },
  digits9: { pattern: /^[0-9]{9}$/, name: "9 digits" }
}

/** Bytes of a well-formed text in UTF-8. */
const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // one unit takes one, two or three bytes; the two units of a surrogate pair take two each
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2
  }
  return bytes
}

export const readText = (type: TypeOf<"Text">, value: unknown): string | ProblemFound => {
  if (typeof value !== "string") return wrongType("a text", value)
  if (type.values !== undefined) {
    return type.values.includes(value) ? value : new ProblemFound("not_allowed", "is none of the values allowed")
  }
  if (type.format !== undefined) {
    const format = formats[type.format]
    return format.pattern.test(value) ? value : new ProblemFound("bad_format", `must be ${format.name}`)
  }
  if (!value.isWellFormed()) return new ProblemFound("bad_format", "holds half of a surrogate pair, which is no text")
  // UTF-8 takes at most three bytes for each unit
  if (value.length * 3 > type.lengthMax && utf8Length(value) > type.lengthMax) {
    return new ProblemFound("out_of_range", `is longer than ${type.lengthMax} bytes`)
  }
  return value
}

export const readDecimal = (type: TypeOf<"Decimal">, value: unknown): Decimal | ProblemFound => {
  const number = typeof value === "number" ? String(value) : value instanceof NumberText ? value.text : undefined
  const text = number ?? value
  if (typeof text !== "string") return wrongType("a decimal, as a number or a text", value)
  if (number === undefined && /[eE]/.test(text)) return new ProblemFound("bad_format", "must be a decimal number")
  const parsed = parseDecimal(text, type.scale)
  if (parsed === "bad_format") return new ProblemFound("bad_format", "must be a decimal number")
  if (parsed === "too_many_digits") {
    return new ProblemFound("too_many_digits", `must be a decimal of at most ${type.scale} fraction digits`)
  }
  if (number !== undefined && parsed.significantDigits > numberDigitsMax) {
    return new ProblemFound("too_many_digits", `has over ${numberDigitsMax} digits: write it as a text`)
  }
  return checkDecimal(type, Decimal.make(parsed.unscaled, type.scale))
}

/** Sign and precision; also before a decimal is encoded. */
export const checkDecimal = (type: TypeOf<"Decimal">, value: Decimal): Decimal | ProblemFound => {
  const { unscaled } = value
  if (type.positive && unscaled <= 0) return new ProblemFound("out_of_range", "must be over 0")
  const digits = String(unscaled).length - (unscaled < 0 ? 1 : 0)
  if (digits > type.precision) {
    return new ProblemFound(
      "too_many_digits",
      `must have at most ${type.precision} digits, ${type.scale} of them fraction`
    )
  }
  return value
}

export const readTimestamp = (value: unknown): Timestamp | ProblemFound => {
  if (typeof value !== "string") return wrongType("a timestamp, as a text", value)
  const parsed = Timestamp.parse(value)
  if (parsed === undefined) {
    return new ProblemFound("bad_format", "must be a timestamp such as 2026-01-14T23:45:00.000Z")
  }
  return parsed === "out_of_range"
    ? new ProblemFound("out_of_range", "must lie between the years 1831 and 2109")
    : parsed
}

export const readDate = (value: unknown): CalendarDate | ProblemFound => {
  if (typeof value !== "string") return wrongType("a date, as a text", value)
  return CalendarDate.parse(value) ?? new ProblemFound("bad_format", "must be a date such as 2026-01-14")
}

export const readNumber = (type: TypeOf<"Int"> | TypeOf<"Double">, value: unknown): number | ProblemFound => {
  const integer = type._tag === "Int"
  if (typeof value !== "number") return wrongType(integer ? "an integer" : "a number", value)
  if (integer && Number.isFinite(value) && !Number.isInteger(value)) {
    return new ProblemFound("wrong_type", "must be an integer, found a number with a fraction")
  }
  if (!(value >= type.min && value <= type.max)) {
    return new ProblemFound("out_of_range", `must lie between ${type.min} and ${type.max}`)
  }
  // −0 becomes 0: the two would compare equal but hash and print apart
  return value + 0
}

export const readBoolean = (value: unknown): boolean | ProblemFound =>
  typeof value === "boolean" ? value : wrongType("true or false", value)
