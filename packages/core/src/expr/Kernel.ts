/**
 * Small functions that compiled expressions call where an operator of JavaScript would give another answer.
 *
 * `Compile.ts` and its parts put them into generated code as constants. "No value" is NaN for numbers, null for texts and
 * 2 for conditions (0 false, 1 true). Decimals are unscaled: a number up to 2^53 − 1, else a bigint, so `===`, `<` and
 * unary minus work on them as they are.
 */
import { unscaledText } from "../Decimal.ts"
import { dateTextFromDays, Timestamp, timestampEndMs } from "../Timestamp.ts"
import type { TextPattern } from "./TextPattern.ts"
import { decimalMagnitudeMax, intMax } from "./Tree.ts"

type Unscaled = number | bigint
/** 0 false, 1 true, 2 no value. */
type Three = 0 | 1 | 2

const safeMax = Number.MAX_SAFE_INTEGER

/** A sum or product of safe integers: exact when it is safe itself, else an overflow. */
export const int = (value: number): number => (value <= safeMax && value >= -safeMax ? value : Number.NaN)

export const finite = (value: number): number => (value - value === 0 ? value : Number.NaN)

/** Microseconds of a point in time. */
export const time = (micros: number): number =>
  micros < timestampEndMs * 1000 && micros > -timestampEndMs * 1000 ? micros : Number.NaN

export const divideInts = (left: number, right: number): number => (right === 0 ? Number.NaN : Math.trunc(left / right))

export const divideDoubles = (left: number, right: number): number => (right === 0 ? Number.NaN : finite(left / right))

/** The one form of an unscaled decimal; more than 38 digits are an overflow. */
const unscaled = (value: bigint): Unscaled => {
  if (value <= intMax && value >= -intMax) return Number(value)
  return value <= decimalMagnitudeMax && value >= -decimalMagnitudeMax ? value : Number.NaN
}

export const addDecimals = (left: Unscaled, right: Unscaled): Unscaled => {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right
    if (sum <= safeMax && sum >= -safeMax) return sum
  }
  return left !== left || right !== right ? Number.NaN : unscaled(BigInt(left) + BigInt(right))
}

export const subtractDecimals = (left: Unscaled, right: Unscaled): Unscaled => addDecimals(left, -right)

export const multiplyDecimals = (left: Unscaled, right: Unscaled): Unscaled => {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right
    if (product <= safeMax && product >= -safeMax) return product
  }
  return left !== left || right !== right ? Number.NaN : unscaled(BigInt(left) * BigInt(right))
}

/** Times a power of ten, to compare with a decimal of a larger scale: no overflow, the value is not kept. */
export const scaleUp = (value: Unscaled, factor: Unscaled): Unscaled => {
  if (typeof value === "number" && typeof factor === "number") {
    const product = value * factor
    if (product <= safeMax && product >= -safeMax) return product
  }
  if (value !== value) return Number.NaN
  const product = BigInt(value) * BigInt(factor)
  return product <= intMax && product >= -intMax ? Number(product) : product
}

export const decimalToInt = (value: Unscaled, scale: number): number => {
  if (value !== value) return Number.NaN
  // the quotient of safe integers is cut correctly: its rounding never reaches the next whole number
  if (typeof value === "number" && scale <= 15) return Math.trunc(value / 10 ** scale)
  const quotient = BigInt(value) / 10n ** BigInt(scale)
  return quotient <= intMax && quotient >= -intMax ? Number(quotient) : Number.NaN
}

export const decimalToDouble = (value: Unscaled, scale: number): number => {
  if (value !== value) return Number.NaN
  // both sides are exact doubles, so the quotient is the nearest double; beyond, the text is
  if (typeof value === "number" && scale <= 22) return value / 10 ** scale
  return Number(unscaledText(value, scale))
}

/** CEL's int(text): a sign and digits. */
export const parseInt = (text: string | null): number =>
  text !== null && /^[+-]?[0-9]{1,19}$/.test(text) ? int(Number(text)) : Number.NaN

export const parseDouble = (text: string | null): number =>
  text !== null && text.length <= 400 && /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)
    ? finite(Number(text))
    : Number.NaN

export const numberText = (value: number): string | null => (value === value ? String(value) : null)
export const decimalText = (value: Unscaled, scale: number): string | null =>
  value === value ? unscaledText(value, scale) : null
export const timeText = (micros: number): string | null =>
  micros === micros ? Timestamp.format(Timestamp.fromMicros(micros)) : null
export const dateText = (days: number): string | null => (days === days ? dateTextFromDays(days) : null)
export const boolText = (value: Three): string | null => (value === 2 ? null : value === 1 ? "true" : "false")

export const concat = (left: string | null, right: string | null): string | null =>
  left === null || right === null ? null : left + right

/** In code points; NaN for null. */
export const textSize = (text: string | null): number => {
  if (text === null) return Number.NaN
  let size = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      size--
      at++
    }
  }
  return size
}

export const textsEqual = (left: string | null, right: string | null): boolean => left !== null && left === right
export const textsDiffer = (left: string | null, right: string | null): boolean =>
  left !== null && right !== null && left !== right

/** Negative, 0 or positive, by code point; NaN when one is null. */
export const compareTexts = (left: string | null, right: string | null): number => {
  if (left === null || right === null) return Number.NaN
  const shared = Math.min(left.length, right.length)
  for (let at = 0; at < shared; at++) {
    const difference = ordered(left.charCodeAt(at)) - ordered(right.charCodeAt(at))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** UTF-16 units reordered as the code points they begin: surrogates come after all others. */
const ordered = (unit: number): number => (unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

export const startsWith = (text: string | null, part: string | null): Three =>
  text === null || part === null ? 2 : text.startsWith(part) ? 1 : 0
export const endsWith = (text: string | null, part: string | null): Three =>
  text === null || part === null ? 2 : text.endsWith(part) ? 1 : 0
export const contains = (text: string | null, part: string | null): Three =>
  text === null || part === null ? 2 : text.includes(part) ? 1 : 0
export const matches = (text: string | null, pattern: TextPattern): Three =>
  text === null ? 2 : pattern.test(text) ? 1 : 0

export const not = (value: Three): Three => (value === 2 ? 2 : value === 1 ? 0 : 1)
export const and = (left: Three, right: Three): Three =>
  left === 0 || right === 0 ? 0 : left === 2 || right === 2 ? 2 : 1
export const or = (left: Three, right: Three): Three =>
  left === 1 || right === 1 ? 1 : left === 2 || right === 2 ? 2 : 0
export const same = (left: Three, right: Three): Three => (left === 2 || right === 2 ? 2 : left === right ? 1 : 0)

export const less = (left: Unscaled, right: Unscaled): Three => (left < right ? 1 : left >= right ? 0 : 2)
export const lessOrEqual = (left: Unscaled, right: Unscaled): Three => (left <= right ? 1 : left > right ? 0 : 2)
export const equal = (left: Unscaled, right: Unscaled): Three => (left === right ? 1 : differ(left, right) ? 0 : 2)
/** Both have a value, and not the same. */
export const differ = (left: Unscaled, right: Unscaled): boolean => left === left && right === right && left !== right

export const oneOf = (value: Unscaled, items: ReadonlySet<Unscaled>): Three =>
  value !== value ? 2 : items.has(value) ? 1 : 0
export const oneOfTexts = (value: string | null, items: ReadonlySet<string>): Three =>
  value === null ? 2 : items.has(value) ? 1 : 0
