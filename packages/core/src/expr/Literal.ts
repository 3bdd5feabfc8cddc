/**
 * Literals of expressions, read from their text.
 *
 * The checker calls these; each gives undefined for a text that stands for nothing, and never rounds: `99.999` beside a
 * decimal is the decimal 99.999, not the double nearest to it.
 */
import { parseDecimal } from "../Decimal.ts"
import { parseDuration } from "../Duration.ts"
import { Timestamp } from "../Timestamp.ts"
import { decimalMagnitudeMax, intMax, type NumberConstant, type NumberType } from "./Tree.ts"

const constant = (type: NumberType, value: number | bigint): NumberConstant =>
  Object.freeze({ _tag: "NumberConstant", type: Object.freeze(type), value })

export const intLiteral = (text: string): NumberConstant | undefined => {
  const value = BigInt(text)
  return value >= -intMax && value <= intMax ? constant({ _tag: "Int" }, Number(value)) : undefined
}

export const doubleLiteral = (text: string): NumberConstant | undefined => {
  const value = Number(text)
  return Number.isFinite(value) ? constant({ _tag: "Double" }, value) : undefined
}

const numberPattern = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/

/** The decimal a number's text stands for, of the smallest scale that holds it; undefined beyond 38 digits. */
export const decimalLiteral = (text: string): NumberConstant | undefined => {
  const match = numberPattern.exec(text)
  if (match === null) return undefined
  const whole = match[2]!.replace(/^0+(?=[0-9])/, "")
  const fraction = (match[3] ?? "").replace(/0+$/, "")
  const scale = Math.max(0, fraction.length - Number(match[4] ?? 0))
  if (scale > 38) return undefined
  const parsed = parseDecimal(`${match[1]}${whole}${fraction === "" ? "" : `.${fraction}`}e${match[4] ?? 0}`, scale)
  if (typeof parsed === "string") return undefined
  const magnitude = parsed.unscaled < 0 ? -BigInt(parsed.unscaled) : BigInt(parsed.unscaled)
  return magnitude <= decimalMagnitudeMax ? constant({ _tag: "Decimal", scale }, parsed.unscaled) : undefined
}

/** An ISO time with `Z` or an offset; not finer than microseconds. */
export const timestampLiteral = (text: string): NumberConstant | undefined => {
  const time = Timestamp.parse(text)
  if (time === undefined || time === "out_of_range" || /\.[0-9]{6}[0-9]*[1-9]/.test(text)) return undefined
  return constant({ _tag: "Timestamp" }, Timestamp.toMicros(time))
}

const unitMicros: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000_000],
  ["m", 60_000_000],
  ["s", 1_000_000],
  ["ms", 1_000],
  ["us", 1]
])
const durationPattern = /^(-?)((?:[0-9]{1,12}(?:\.[0-9]{1,6})?(?:ms|us|h|m|s))+)$/

/** CEL's `1h30m`, `-1.5s`, `250ms`, and also `3d` and `5 minutes`; whole microseconds only. */
export const durationLiteral = (text: string): NumberConstant | undefined => {
  const ms = parseDuration(text)
  if (ms !== undefined) return constant({ _tag: "Duration" }, ms * 1000)
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  let micros = 0
  for (const [, whole, fraction = "", unit] of match[2]!.matchAll(/([0-9]+)(?:\.([0-9]+))?(ms|us|h|m|s)/g)) {
    const perUnit = unitMicros.get(unit!)!
    const part = (Number(fraction) * perUnit) / 10 ** fraction.length
    micros += Number(whole) * perUnit + part
  }
  if (!Number.isSafeInteger(micros)) return undefined
  return constant({ _tag: "Duration" }, match[1] === "-" ? 0 - micros : micros)
}
