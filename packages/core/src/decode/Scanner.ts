/**
 * Generates the fast decoder of a topic: one function that reads records in the form that writers mostly give them.
 *
 * The form: declared keys in declared order, no blanks, no escapes, numbers of at most 15 digits without an exponent. The
 * function checks everything that the schema checks, writes the columns, and gives up on any other row, which the slow path
 * then decides. It never decides that a record is bad, so it can only be wrong by accepting: the equivalence tests look
 * for that.
 */
import type { FieldSpec, FieldType } from "../schema/FieldType.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import { numberDigitsMax } from "../schema/FieldValue.ts"
import type { Columns } from "./Columns.ts"
import { eventTimeEndMs, eventTimeStartMs } from "./EventTimeWindow.ts"
import { dateAt, ipv4At, plainBytes, textEnd, timestampAt, uuidAt } from "./ScanBytes.ts"

/**
 * Scans the records `bytes[starts[row], ends[row])` for rows below `length` into `columns`: sets `valid` where it decoded,
 * lists the others in `slowRows`, and returns how many those are.
 */
export type Scanner = (
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  length: number,
  columns: Columns
) => number

/** What of a topic the scanner is made of. */
type ScannedTopic = { readonly shape: RecordShape; readonly eventTime: string | undefined }

const tens = Float64Array.from({ length: 39 }, (_, exponent) => Number(`1e${exponent}`))

const helpers = { plainBytes, textEnd, uuidAt, ipv4At, timestampAt, dateAt, tens }

type TypeOf<Tag extends FieldType["_tag"]> = Extract<FieldType, { readonly _tag: Tag }>

const encoder = new TextEncoder()

/** Code: whether `text` stands at `p + skip`. */
const standsAt = (text: string, skip = 0): string =>
  [...encoder.encode(text)]
    .map((byte, at) => `b[p${skip + at === 0 ? "" : ` + ${skip + at}`}] === ${byte}`)
    .join(" && ")

/** Code: reads a number into `m` (its digits), `f` (how many are fraction) and `negative`. */
const readDigits = `
      const negative = b[p] === 45
      if (negative) p++
      let from = p, m = b[p] - 48, f = 0, d = 0
      if (!(m >= 0 && m <= 9)) break fast
      p++
      if (m !== 0) while ((d = b[p] - 48) >= 0 && d <= 9) { m = m * 10 + d; p++ }
      if (b[p] === 46) {
        from++
        const point = p++
        while ((d = b[p] - 48) >= 0 && d <= 9) { m = m * 10 + d; p++ }
        f = p - point - 1
        if (f === 0) break fast
      }
      if (p - from > ${numberDigitsMax}) break fast`

const readDecimal = (field: FieldSpec, type: TypeOf<"Decimal">): string => `
      const quoted = b[p] === 34
      if (quoted) p++
      ${readDigits}
      if (quoted) { if (b[p] !== 34) break fast; p++ }
      if (f > ${type.scale}) break fast
      const u = m * tens[${type.scale} - f]
      if (u > ${Math.min(Number.MAX_SAFE_INTEGER, 10 ** type.precision - 1)}) break fast
      ${type.positive ? "if (negative || u === 0) break fast" : ""}
      v${field.index}[row] = negative ? 0 - u : u`

const readInt = (field: FieldSpec, type: TypeOf<"Int">): string => `
      ${readDigits}
      if (f > 0) break fast
      const u = negative ? 0 - m : m
      if (u < ${type.min} || u > ${type.max}) break fast
      v${field.index}[row] = u`

const readDouble = (field: FieldSpec, type: TypeOf<"Double">): string => `
      ${readDigits}
      const size = m / tens[f]
      const u = negative ? 0 - size : size
      if (u < ${type.min} || u > ${type.max}) break fast
      v${field.index}[row] = u`

const readText = (field: FieldSpec, type: TypeOf<"Text">): string => {
  const store = (end: string) => `s${field.index}[row] = p; e${field.index}[row] = ${end}; p = ${end} + 1`
  if (type.format === "uuid")
    return `if (b[p] !== 34 || b[p + 37] !== 34 || !uuidAt(b, ++p)) break fast; ${store("p + 36")}`
  if (type.format === "alpha2" || type.format === "alpha3") {
    const width = type.format === "alpha2" ? 2 : 3
    const letters = Array.from({ length: width }, (_, at) => `!(b[p + ${at + 1}] >= 65 && b[p + ${at + 1}] <= 90)`)
    return `if (b[p] !== 34 || b[p + ${width + 1}] !== 34 || ${letters.join(" || ")}) break fast; p++; ${store(`p + ${width}`)}`
  }
  if (type.values !== undefined) {
    // a text that must be escaped never stands in a record as it is
    const plain = type.values.filter((value) => JSON.stringify(value) === `"${value}"`)
    const choices = plain.map((value) => {
      const width = encoder.encode(value).length
      return `if (b[p + ${width}] === 34 && ${standsAt(value) || "true"}) { ${store(`p + ${width}`)} }`
    })
    return `if (b[p] !== 34) break fast; p++; ${[...choices, "break fast"].join(" else ")}`
  }
  return `
      if (b[p] !== 34) break fast
      let end = ++p
      while (plainBytes[b[end]] === 1) end++
      if (b[end] !== 34 && (end = textEnd(b, end)) < 0) break fast
      if (${type.format === "ipv4" ? "!ipv4At(b, p, end)" : `end - p > ${type.lengthMax}`}) break fast
      ${store("end")}`
}

const readValue = (field: FieldSpec): string => {
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
      return `p = timestampAt(b, p, v${index}, row); if (p < 0) break fast`
    case "Date":
      return `p = dateAt(b, p, v${index}, row); if (p < 0) break fast`
    case "Boolean":
      return `if (${standsAt("true")}) { v${index}[row] = 1; p += 4 } else if (${standsAt("false")}) { v${index}[row] = 0; p += 5 } else break fast`
    case "Json":
      return "break fast"
  }
}

const storeNull = ({ type, index }: FieldSpec): string =>
  type._tag === "Text" || type._tag === "Json"
    ? `s${index}[row] = -1; e${index}[row] = -1`
    : `v${index}[row] = ${type._tag === "Boolean" ? "2" : "NaN"}`

/** Whether a comma stands before a field; "maybe" while every field before may be absent. */
type Comma = "yes" | "no" | "maybe"

const separators: Record<Comma, { readonly stands: string; readonly length: string }> = {
  yes: { stands: "b[p] === 44", length: "1" },
  no: { stands: "true", length: "0" },
  maybe: { stands: "p === first || b[p] === 44", length: "p === first ? 0 : 1" }
}

const readField = (field: FieldSpec, comma: Comma, check: string): string => {
  const key = `"${field.name}":`
  const value = `{ ${readValue(field)}\n      ${check} }`
  if (!field.nullable && comma !== "maybe") {
    const text = comma === "yes" ? `,${key}` : key
    return `if (!(${standsAt(text)})) break fast; p += ${text.length}; ${value}`
  }
  const present = field.nullable ? `if (${standsAt("null")}) { ${storeNull(field)}; p += 4 } else ${value}` : value
  return `{
      const before = p, separated = ${separators[comma].stands}
      p += ${separators[comma].length}
      if (separated && ${standsAt(key)}) { p += ${key.length}; ${present} }
      else { p = before; ${field.nullable ? storeNull(field) : "break fast"} } }`
}

const fieldArrays = ({ type, index }: FieldSpec): string =>
  type._tag === "Text" || type._tag === "Json"
    ? `const s${index} = columns[${index}].starts, e${index} = columns[${index}].ends`
    : `const v${index} = columns[${index}].values`

/** The generated function's source. `fast` is left where the scanner gives up on a row. */
const sourceOf = (topic: ScannedTopic): string => {
  let comma: Comma = "no"
  const fields = topic.shape.fields.map((field) => {
    const values = `v${field.index}[row]`
    const check =
      field.name === topic.eventTime
        ? `if (!(${values} >= ${eventTimeStartMs} && ${values} < ${eventTimeEndMs})) break fast`
        : ""
    const code = readField(field, comma, check)
    comma = field.nullable && comma !== "yes" ? "maybe" : "yes"
    return code
  })
  return `"use strict"
return (b, starts, ends, length, { columns, valid, slowRows }) => {
  ${topic.shape.fields.map(fieldArrays).join("\n  ")}
  let slow = 0
  for (let row = 0; row < length; row++) {
    fast: {
      let p = starts[row]
      if (b[p] !== 123) break fast
      const first = ++p
      ${fields.join("\n      ")}
      if (b[p] !== 125 || p + 1 !== ends[row]) break fast
      valid[row] = 1
      continue
    }
    slowRows[slow++] = row
  }
  return slow
}`
}

/** Generates the scanner of a topic; undefined when its records always need the slow path, for a nested field. */
export const makeScanner = (topic: ScannedTopic): Scanner | undefined => {
  if (topic.shape.fields.some((field) => field.type._tag === "Json" && !field.nullable)) return undefined
  const names = Object.keys(helpers)
  // the source is made of names that RecordShape checked, numbers, and byte values of allowed texts
  const make = new Function(...names, sourceOf(topic)) as (...values: ReadonlyArray<unknown>) => Scanner
  return make(...Object.values(helpers))
}
