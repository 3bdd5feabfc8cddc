/**
 * Code for the values of fields: the parts that the generated scanners are put together from.
 *
 * In all of it, `b` are the bytes, `w` the same as a DataView, `p` the position, `end` where the record ends, `row` where
 * its cells go. Code that finds anything but what it looks for returns −1: the scanner gives up on the row.
 */
import { numberDigitsMax } from "../schema/FieldValue.ts"
import type { FieldSpec, FieldType, TextFormat } from "../schema/FieldType.ts"
import { eventTimeEndMs, eventTimeStartMs } from "./EventTimeWindow.ts"
import {
  afterBlanks,
  dateAt,
  exponentEnd,
  ipv4At,
  numberIn,
  plainBytes,
  textEnd,
  timestampAt,
  uuidAt
} from "./ScanBytes.ts"

const tens = Float64Array.from({ length: 39 }, (_, exponent) => Number(`1e${exponent}`))

/** What generated code calls, by name. */
export const scanHelpers = {
  plainBytes,
  textEnd,
  uuidAt,
  ipv4At,
  timestampAt,
  dateAt,
  exponentEnd,
  numberIn,
  afterBlanks,
  tens
}

type TypeOf<Tag extends FieldType["_tag"]> = Extract<FieldType, { readonly _tag: Tag }>

const encoder = new TextEncoder()

/** Code: whether the bytes of `text` stand at `p` and end within the record. Compares eight at a time, read as one double. */
export const standsAt = (text: string): string => {
  const bytes = encoder.encode(text)
  const view = new DataView(bytes.buffer)
  const tests = [`p + ${bytes.length} <= end`]
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    tests.push(`w.getFloat64(p + ${at}, true) === ${view.getFloat64(at, true)}`)
  }
  if (at + 4 <= bytes.length) {
    tests.push(`w.getInt32(p + ${at}, true) === ${view.getInt32(at, true)}`)
    at += 4
  }
  for (; at < bytes.length; at++) tests.push(`b[p + ${at}] === ${bytes[at]}`)
  return tests.join(" && ")
}

/** Code: reads a number's digits into `m`, how many are fraction into `f`, how many there are into `digits`, its sign. */
const readDigits = `
      const negative = b[p] === 45
      if (negative) p++
      let from = p, m = b[p] - 48, f = 0, d = 0
      if (!(m >= 0 && m <= 9)) return -1
      p++
      if (m !== 0) while ((d = b[p] - 48) >= 0 && d <= 9) { m = m * 10 + d; p++ }
      if (b[p] === 46) {
        from++
        const point = p++
        while ((d = b[p] - 48) >= 0 && d <= 9) { m = m * 10 + d; p++ }
        f = p - point - 1
        if (f === 0) return -1
      }
      const digits = p - from`

const readDecimal = (field: FieldSpec, type: TypeOf<"Decimal">): string => `
      const quoted = b[p] === 34
      if (quoted) p++
      ${readDigits}
      if (digits > ${numberDigitsMax}) return -1
      if (quoted) { if (b[p] !== 34) return -1; p++ }
      if (f > ${type.scale}) return -1
      const u = m * tens[${type.scale} - f]
      if (u > ${Math.min(Number.MAX_SAFE_INTEGER, 10 ** type.precision - 1)}) return -1
      ${type.positive ? "if (negative || u === 0) return -1" : ""}
      v${field.index}[row] = negative ? 0 - u : u`

const readInt = (field: FieldSpec, type: TypeOf<"Int">): string => `
      ${readDigits}
      if (f > 0 || digits > ${numberDigitsMax}) return -1
      const u = negative ? 0 - m : m
      if (u < ${type.min} || u > ${type.max}) return -1
      v${field.index}[row] = u`

/** Fifteen digits over a power of ten divide exactly as the number's text reads; longer ones are read as text. */
const readDouble = (field: FieldSpec, type: TypeOf<"Double">): string => `
      const text = p
      ${readDigits}
      let u = 0
      if (digits > ${numberDigitsMax} || b[p] === 101 || b[p] === 69) {
        p = exponentEnd(b, p)
        u = numberIn(b, text, p) + 0
      } else {
        u = m / tens[f]
        if (negative) u = 0 - u
      }
      if (!(u >= ${type.min} && u <= ${type.max})) return -1
      v${field.index}[row] = u`

/** Formats of so many characters of one range of ASCII. */
const fixedWidth: Readonly<
  Partial<Record<TextFormat, { readonly width: number; readonly first: number; readonly last: number }>>
> = {
  alpha2: { width: 2, first: 65, last: 90 },
  alpha3: { width: 3, first: 65, last: 90 },
  digits9: { width: 9, first: 48, last: 57 }
}

const readText = (field: FieldSpec, type: TypeOf<"Text">): string => {
  const store = (end: string) => `s${field.index}[row] = p; e${field.index}[row] = ${end}; p = ${end} + 1`
  if (type.format === "uuid")
    return `if (b[p] !== 34 || b[p + 37] !== 34 || p + 38 > end || !uuidAt(w, ++p)) return -1; ${store("p + 36")}`
  const fixed = type.format === undefined ? undefined : fixedWidth[type.format]
  if (fixed !== undefined) {
    const { first, last, width } = fixed
    const characters = Array.from(
      { length: width },
      (_, at) => `!(b[p + ${at + 1}] >= ${first} && b[p + ${at + 1}] <= ${last})`
    )
    return `if (b[p] !== 34 || b[p + ${width + 1}] !== 34 || ${characters.join(" || ")}) return -1; p++; ${store(`p + ${width}`)}`
  }
  if (type.values !== undefined) {
    // a text that must be escaped never stands in a record as it is
    const plain = type.values.filter((value) => JSON.stringify(value) === `"${value}"`)
    const choices = plain.map((value) => {
      const width = encoder.encode(value).length
      return `if (b[p + ${width}] === 34 && ${standsAt(value) || "true"}) { ${store(`p + ${width}`)} }`
    })
    return `if (b[p] !== 34) return -1; p++; ${[...choices, "return -1"].join(" else ")}`
  }
  return `
      if (b[p] !== 34) return -1
      let q = ++p
      while (plainBytes[b[q]] === 1) q++
      if (b[q] !== 34 && (q = textEnd(b, q)) < 0) return -1
      if (${type.format === "ipv4" ? "!ipv4At(b, p, q)" : `q - p > ${type.lengthMax}`}) return -1
      ${store("q")}`
}

const readTyped = (field: FieldSpec): string => {
  const { type, index } = field
  switch (type._tag) {
    case "Text":
      return readText(field, type)
    case "Decimal":
      return readDecimal(field, type)
    case "Int":
      return readInt(field, type)
    case "Double":
      return readDouble(field, type)
    case "Timestamp":
      return `p = timestampAt(b, p, v${index}, row); if (p < 0) return -1`
    case "Date":
      return `p = dateAt(b, p, v${index}, row); if (p < 0) return -1`
    case "Boolean":
      return `if (${standsAt("true")}) { v${index}[row] = 1; p += 4 } else if (${standsAt("false")}) { v${index}[row] = 0; p += 5 } else return -1`
    case "Json":
      return "return -1"
  }
}

export const storeNull = ({ type, index }: FieldSpec): string =>
  type._tag === "Text" || type._tag === "Json"
    ? `s${index}[row] = -1; e${index}[row] = -1`
    : `v${index}[row] = ${type._tag === "Boolean" ? "2" : "NaN"}`

/** Names of a field's arrays, in its function and where that is called. */
export const arraysOf = ({ type, index }: FieldSpec): ReadonlyArray<readonly [name: string, from: string]> =>
  type._tag === "Text" || type._tag === "Json"
    ? [
        [`s${index}`, `columns[${index}].starts`],
        [`e${index}`, `columns[${index}].ends`]
      ]
    : [[`v${index}`, `columns[${index}].values`]]

/** Code: reads the value of a field at `p` into its arrays, with everything that the schema checks. */
export const readValue = (field: FieldSpec, eventTime: boolean): string => {
  const cell = `v${field.index}[row]`
  const check = eventTime ? `if (!(${cell} >= ${eventTimeStartMs} && ${cell} < ${eventTimeEndMs})) return -1` : ""
  const value = `{ ${readTyped(field)}
      ${check} }`
  return field.nullable ? `if (${standsAt("null")}) { ${storeNull(field)}; p += 4 } else ${value}` : value
}
