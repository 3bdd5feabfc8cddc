/**
 * Exact decimals whose scale is in the type: `Decimal<2>` counts hundredths.
 *
 * User functions, expressions and the encoder meet them; columns keep the unscaled integer alone. An object, not a branded
 * number: `amount > 10_000` would be wrong by a factor of 100 and is refused by the type and, at run time, by `valueOf`.
 */
import { Result, Schema } from "effect"

/** What stands for a decimal in code: `10_000`, `"99.95"`. At most as many fraction digits as the other side's scale. */
export type DecimalLiteral = number | string

/** Digits a decimal may have in a schema: what tables can hold. */
export const decimalPrecisionMax = 38

/** A text or number that is no decimal of the wanted scale. `reason` is what is wrong with it; the value is not kept. */
export class DecimalError extends Schema.TaggedError<DecimalError>()("DecimalError", {
  reason: Schema.Literals(["bad_format", "too_many_digits"]),
  message: Schema.String
}) {}

/** A number read exactly from its text, at a scale. */
export interface ParsedDecimal {
  /** A number up to 2^53 − 1, else a bigint. */
  readonly unscaled: number | bigint
  /** From the first digit that is not 0 to the last. */
  readonly significantDigits: number
}

const decimalPattern = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?$/
/** Longer texts are refused unread. */
const decimalTextCharactersMax = 400

/**
 * Reads the text of a JSON number at `scale`. Zeros beyond the scale are accepted, since they change no value; other digits
 * beyond it are `too_many_digits`: nothing is ever rounded.
 */
export const parseDecimal = (text: string, scale: number): ParsedDecimal | "bad_format" | "too_many_digits" => {
  if (text.length > decimalTextCharactersMax) return "too_many_digits"
  const match = decimalPattern.exec(text)
  if (match === null) return "bad_format"
  const fraction = match[3] ?? ""
  const all = (match[2]! + fraction).replace(/^0+/, "")
  const digits = all.replace(/0+$/, "")
  if (digits === "") return { unscaled: 0, significantDigits: 0 }
  const zeros = all.length - digits.length - fraction.length + Number(match[4] ?? 0) + scale
  if (zeros < 0 || digits.length + zeros > 2 * decimalPrecisionMax) return "too_many_digits"
  const magnitude =
    digits.length + zeros <= 15 ? Number(digits + "0".repeat(zeros)) : BigInt(digits + "0".repeat(zeros))
  return { unscaled: narrowed(match[1] === "-" ? -magnitude : magnitude), significantDigits: digits.length }
}

/** A bigint within ±(2^53 − 1) as a number, so that equal values have one form. */
const narrowed = (unscaled: number | bigint): number | bigint => {
  if (typeof unscaled === "number") return unscaled
  return unscaled >= -9_007_199_254_740_991n && unscaled <= 9_007_199_254_740_991n ? Number(unscaled) : unscaled
}

/** The decimal text of an unscaled integer: `unscaledText(-5, 2)` is `"-0.05"`. */
export const unscaledText = (unscaled: number | bigint, scale: number): string => {
  if (scale === 0) return String(unscaled)
  const negative = unscaled < 0
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, "0")
  const point = digits.length - scale
  return (negative ? "-" : "") + digits.slice(0, point) + "." + digits.slice(point)
}

/** Literals repeat in hot functions; a function that makes texts up must not grow this without end. */
const literalsCachedMax = 4_096
const literals = new Map<string, number | bigint>()

const literalUnscaled = (literal: DecimalLiteral, scale: number): number | bigint => {
  if (typeof literal === "number" && Number.isSafeInteger(literal)) {
    const scaled = literal * 10 ** scale
    if (Number.isSafeInteger(scaled)) return scaled + 0
  }
  const key = `${scale}:${literal}`
  const known = literals.get(key)
  if (known !== undefined) return known
  const parsed = parseDecimal(String(literal), scale)
  if (typeof parsed === "string") {
    throw new RangeError(
      parsed === "bad_format"
        ? "a decimal was compared or computed with a literal that is no decimal: write it as 99.95"
        : `a decimal of scale ${scale} was compared or computed with a literal of more fraction digits: shorten it, or use a decimal of a larger scale`
    )
  }
  if (literals.size >= literalsCachedMax) literals.clear()
  literals.set(key, parsed.unscaled)
  return parsed.unscaled
}

const add = (left: number | bigint, right: number | bigint): number | bigint => {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return narrowed(BigInt(left) + BigInt(right))
}

const multiply = (left: number | bigint, right: number | bigint): number | bigint => {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right
    if (Number.isSafeInteger(product)) return product + 0
  }
  return narrowed(BigInt(left) * BigInt(right))
}

/** Divides by a power of ten; a half goes to the even neighbour. */
const dropDigits = (unscaled: number | bigint, digits: number): number | bigint => {
  const divisor = 10n ** BigInt(digits)
  const value = BigInt(unscaled)
  const quotient = value / divisor
  const rest = value % divisor
  const twice = (rest < 0n ? -rest : rest) * 2n
  const away = twice > divisor || (twice === divisor && quotient % 2n !== 0n)
  return narrowed(away ? quotient + (value < 0n ? -1n : 1n) : quotient)
}

/**
 * An exact decimal with `S` fraction digits.
 *
 * **Gotchas**: `<` and `+` do not work on it (`valueOf` throws): use `lt`, `plus`. Scales do not mix: `Decimal<2>` and
 * `Decimal<4>` are different types. A literal with more fraction digits than `S` is a defect. Precision is the schema's:
 * it is checked where a record is decoded or encoded, not in between.
 */
export class Decimal<S extends number = number> {
  readonly scale: S
  /** The value times 10^scale: a number up to 2^53 − 1, else a bigint. */
  readonly unscaled: number | bigint

  private constructor(unscaled: number | bigint, scale: S) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /** From an unscaled integer: `Decimal.make(1050, 2)` is 10.50. A number must be a safe integer. */
  static make<S extends number>(unscaled: number | bigint, scale: S): Decimal<S> {
    if (typeof unscaled === "number" && !Number.isSafeInteger(unscaled)) {
      throw new RangeError("Decimal.make takes an integer up to 2^53 - 1, or a bigint")
    }
    return new Decimal(typeof unscaled === "number" ? unscaled + 0 : narrowed(unscaled), scale)
  }

  /** From a literal in code: `Decimal.of("10.50", 2)`. A literal that does not fit is a defect; for data use `fromText`. */
  static of<S extends number>(literal: DecimalLiteral, scale: S): Decimal<S> {
    return new Decimal(literalUnscaled(literal, scale), scale)
  }

  /** From the text of a decimal. Nothing is rounded: more fraction digits than the scale fail, unless they are zeros. */
  static fromText<S extends number>(text: string, scale: S): Result.Result<Decimal<S>, DecimalError> {
    const parsed = parseDecimal(text, scale)
    if (typeof parsed !== "string") return Result.succeed(new Decimal(parsed.unscaled, scale))
    const message =
      parsed === "bad_format" ? "not a decimal number" : `more digits than a decimal of scale ${scale} can hold`
    return Result.fail(new DecimalError({ reason: parsed, message }))
  }

  /** −1, 0 or 1. */
  compare(other: Decimal<S> | DecimalLiteral): -1 | 0 | 1 {
    const right = this.other(other)
    return this.unscaled < right ? -1 : this.unscaled > right ? 1 : 0
  }

  gt(other: Decimal<S> | DecimalLiteral): boolean {
    return this.unscaled > this.other(other)
  }

  gte(other: Decimal<S> | DecimalLiteral): boolean {
    return this.unscaled >= this.other(other)
  }

  lt(other: Decimal<S> | DecimalLiteral): boolean {
    return this.unscaled < this.other(other)
  }

  lte(other: Decimal<S> | DecimalLiteral): boolean {
    return this.unscaled <= this.other(other)
  }

  eq(other: Decimal<S> | DecimalLiteral): boolean {
    return this.unscaled === this.other(other)
  }

  plus(other: Decimal<S> | DecimalLiteral): Decimal<S> {
    return new Decimal(add(this.unscaled, this.other(other)), this.scale)
  }

  minus(other: Decimal<S> | DecimalLiteral): Decimal<S> {
    return new Decimal(add(this.unscaled, -this.other(other)), this.scale)
  }

  /**
   * The product, at the scale given. Exact when the scale has room for it (the sum of both scales always does), else
   * rounded, a half to the even neighbour. A literal factor counts with the digits written.
   */
  times<R extends number>(factor: Decimal | DecimalLiteral, scale: R): Decimal<R> {
    const other = factor instanceof Decimal ? factor : Decimal.of(factor, fractionDigits(factor))
    const product = multiply(this.unscaled, other.unscaled)
    const surplus = this.scale + other.scale - scale
    if (surplus > 0) return new Decimal(dropDigits(product, surplus), scale)
    return new Decimal(surplus === 0 ? product : narrowed(BigInt(product) * 10n ** BigInt(-surplus)), scale)
  }

  /** The decimal text, with all digits of the scale: `"10.50"`. */
  toString(): string {
    return unscaledText(this.unscaled, this.scale)
  }

  toJSON(): string {
    return this.toString()
  }

  /** Always throws: an operator on decimals would compare or add unscaled integers or texts. */
  valueOf(): never {
    throw new TypeError("a Decimal takes no operators: use gt, lt, eq, plus, minus, times or compare")
  }

  private other(other: Decimal<S> | DecimalLiteral): number | bigint {
    if (typeof other !== "object") return literalUnscaled(other, this.scale)
    if (other.scale !== this.scale) {
      throw new TypeError(
        `decimals of scale ${this.scale} and ${other.scale} do not mix: convert one with times(1, ${this.scale})`
      )
    }
    return other.unscaled
  }
}

/** How many fraction digits a literal is written with. */
const fractionDigits = (literal: DecimalLiteral): number => {
  const match = /^-?[0-9]+(?:\.([0-9]*[1-9])?0*)?(?:e([+-]?[0-9]+))?$/i.exec(String(literal))
  return Math.max(0, (match?.[1]?.length ?? 0) - Number(match?.[2] ?? 0))
}
