/**
 * Values of any engine in one spelling, by the column's type: what rows of different readers are compared in.
 *
 * Each engine prints values in its own way: moments as ISO text or microseconds, maps as objects or pairs, structs by name or
 * by place. Numbers become digits, dates days, times and moments microseconds (nanoseconds where the
 * type has them), bytes hexadecimal.
 */
import type { TableSchema } from "../../src/spec/Schema.ts"
import { isPrimitive, type PrimitiveType, type Type } from "../../src/spec/Type.ts"

export type Canonical = string | null | ReadonlyArray<Canonical> | { readonly [name: string]: Canonical }

const isWhole = (text: string): boolean => /^-?\d+$/.test(text)

/** In units of a second: so many digits of it. */
const timeUnits = (text: string, digits: number): bigint => {
  const [, hour = "0", minute = "0", second = "0", fraction = ""] =
    /(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?/.exec(text) ?? []
  const units = BigInt(fraction.padEnd(digits, "0").slice(0, digits))
  return (BigInt(hour) * 3600n + BigInt(minute) * 60n + BigInt(second)) * 10n ** BigInt(digits) + units
}

const days = (text: string): bigint => {
  const milliseconds = Date.parse(`${text.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(milliseconds)) throw new Error(`no date or moment: ${text}`)
  return BigInt(milliseconds) / 86_400_000n
}

/** Text of a moment in UTC, whatever its separator and suffix. */
const momentUnits = (text: string, digits: number): bigint =>
  days(text) * 86_400n * 10n ** BigInt(digits) + timeUnits(text.slice(11), digits)

/** Digits of an exact decimal at its scale; readers also write 1E-10. */
const decimalDigits = (text: string, scale: number): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const zeros = scale + Number(exponent) - fraction.length
  const digits = `${whole}${fraction}`
  const unscaled = BigInt(zeros >= 0 ? `${digits}${"0".repeat(zeros)}` : digits.slice(0, zeros))
  return String(sign === "-" ? -unscaled : unscaled)
}

const numberText = (text: string): string => text.replace(/^([+-]?)inf(inity)?$/i, "$1Infinity")

const canonicalPrimitive = (type: PrimitiveType, text: string): string => {
  switch (type._tag) {
    case "float":
      return String(Math.fround(Number(numberText(text))) + 0)
    case "double":
      return String(Number(numberText(text)) + 0)
    case "decimal":
      return decimalDigits(text, type.scale)
    case "date":
      return isWhole(text) ? text : String(days(text))
    case "time":
      return isWhole(text) ? text : String(timeUnits(text, 6))
    case "timestamp":
    case "timestamptz":
      return isWhole(text) ? text : String(momentUnits(text, 6))
    case "timestamp_ns":
      return isWhole(text) ? text : String(momentUnits(text, 9))
    case "boolean":
    case "uuid":
    case "binary":
    case "fixed":
      return text.toLowerCase()
    default:
      return text
  }
}

const pairsOf = (value: unknown): ReadonlyArray<readonly [unknown, unknown]> => {
  if (!Array.isArray(value)) return Object.entries(value ?? {})
  return value.map((entry: unknown) =>
    Array.isArray(entry)
      ? ([entry[0], entry[1]] as const)
      : // what is no pair is an object of key and value
        ([(entry as { key: unknown }).key, (entry as { value: unknown }).value] as const)
  )
}

/** All digits of a whole number that came as a double. */
const textOf = (value: unknown): string =>
  typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 64
    ? String(BigInt(value))
    : String(value)

/** Structs come as objects, from Flink with names by place, or as lists of values. */
const fieldOf = (value: unknown, name: string, i: number): unknown => {
  if (Array.isArray(value)) return value[i]
  const struct = value as Readonly<Record<string, unknown>> // what is no array is an object
  return name in struct ? struct[name] : struct[`f${i}`]
}

export const canonical = (type: Type, value: unknown): Canonical => {
  if (value === null || value === undefined) return null
  if (isPrimitive(type)) return canonicalPrimitive(type, textOf(value))
  switch (type._tag) {
    case "struct":
      return Object.fromEntries(
        type.fields.map((field, i) => [field.name, canonical(field.type, fieldOf(value, field.name, i))])
      )
    case "list":
      // lists come as arrays from every engine
      return (value as ReadonlyArray<unknown>).map((item) => canonical(type.element, item))
    case "map":
      return pairsOf(value)
        .map(([key, item]) => [canonical(type.key, key), canonical(type.value, item)])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  }
}

/** One line a row, in the schema's order of columns, sorted: equal lists are equal tables. */
export const canonicalRows = (
  schema: Pick<TableSchema, "fields">,
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>
): ReadonlyArray<string> =>
  rows.map((row) => JSON.stringify(schema.fields.map(({ name, type }) => [name, canonical(type, row[name])]))).sort()
