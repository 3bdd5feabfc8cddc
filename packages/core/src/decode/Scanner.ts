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
import { dateAt, exponentEnd, ipv4At, numberIn, plainBytes, textEnd, timestampAt, uuidAt } from "./ScanBytes.ts"

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

const helpers = { plainBytes, textEnd, uuidAt, ipv4At, timestampAt, dateAt, exponentEnd, numberIn, tens }

type TypeOf<Tag extends FieldType["_tag"]> = Extract<FieldType, { readonly _tag: Tag }>

const encoder = new TextEncoder()

/** Code: whether the bytes of `text` stand at `p` and end within the record. Compares eight at a time, read as one double. */
const standsAt = (text: string): string => {
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
        if (p < 0) return -1
        u = numberIn(b, text, p) + 0
      } else {
        u = m / tens[f]
        if (negative) u = 0 - u
      }
      if (!(u >= ${type.min} && u <= ${type.max})) return -1
      v${field.index}[row] = u`

const readText = (field: FieldSpec, type: TypeOf<"Text">): string => {
  const store = (end: string) => `s${field.index}[row] = p; e${field.index}[row] = ${end}; p = ${end} + 1`
  if (type.format === "uuid")
    return `if (b[p] !== 34 || b[p + 37] !== 34 || p + 38 > end || !uuidAt(w, ++p)) return -1; ${store("p + 36")}`
  if (type.format === "alpha2" || type.format === "alpha3") {
    const width = type.format === "alpha2" ? 2 : 3
    const letters = Array.from({ length: width }, (_, at) => `!(b[p + ${at + 1}] >= 65 && b[p + ${at + 1}] <= 90)`)
    return `if (b[p] !== 34 || b[p + ${width + 1}] !== 34 || ${letters.join(" || ")}) return -1; p++; ${store(`p + ${width}`)}`
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
      return `p = timestampAt(b, p, v${index}, row); if (p < 0) return -1`
    case "Date":
      return `p = dateAt(b, p, v${index}, row); if (p < 0) return -1`
    case "Boolean":
      return `if (${standsAt("true")}) { v${index}[row] = 1; p += 4 } else if (${standsAt("false")}) { v${index}[row] = 0; p += 5 } else return -1`
    case "Json":
      return "return -1"
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
    return `if (!(${standsAt(text)})) return -1; p += ${text.length}; ${value}`
  }
  const present = field.nullable ? `if (${standsAt("null")}) { ${storeNull(field)}; p += 4 } else ${value}` : value
  return `{
      const before = p, separated = ${separators[comma].stands}
      p += ${separators[comma].length}
      if (separated && ${standsAt(key)}) { p += ${key.length}; ${present} }
      else { p = before; ${field.nullable ? storeNull(field) : "return -1"} } }`
}

/** Names of a field's arrays, in its function and where that is called. */
const arraysOf = ({ type, index }: FieldSpec): ReadonlyArray<readonly [name: string, from: string]> =>
  type._tag === "Text" || type._tag === "Json"
    ? [
        [`s${index}`, `columns[${index}].starts`],
        [`e${index}`, `columns[${index}].ends`]
      ]
    : [[`v${index}`, `columns[${index}].values`]]

/** Code per field, in order. */
const fieldCodes = ({ shape, eventTime }: ScannedTopic): ReadonlyArray<string> => {
  let comma: Comma = "no"
  return shape.fields.map((field) => {
    const values = `v${field.index}[row]`
    const check =
      field.name === eventTime
        ? `if (!(${values} >= ${eventTimeStartMs} && ${values} < ${eventTimeEndMs})) return -1`
        : ""
    const code = readField(field, comma, check)
    comma = field.nullable && comma !== "yes" ? "maybe" : "yes"
    return code
  })
}

/**
 * Fields that one function reads. One function for all of them runs as fast, but Bun's last compiler then takes half a
 * second for it, over a million records' worth.
 */
const fieldsPerFunction = 4

/** The generated code. A row's functions return the position they reached, or −1 to give up. */
const sourceOf = (topic: ScannedTopic): string => {
  const { fields } = topic.shape
  const codes = fieldCodes(topic)
  const functions: Array<string> = []
  const calls: Array<string> = []
  for (let from = 0; from < fields.length; from += fieldsPerFunction) {
    const arrays = fields
      .slice(from, from + fieldsPerFunction)
      .flatMap(arraysOf)
      .map(([name]) => name)
    const parameters = ["b", "w", "p", "end", "row", "first", ...arrays].join(", ")
    const body = codes.slice(from, from + fieldsPerFunction).join("\n  ")
    functions.push(`const read${from} = (${parameters}) => {\n  ${body}\n  return p\n}`)
    calls.push(`p = read${from}(${parameters}); if (p < 0) break fast`)
  }
  return `"use strict"
${functions.join("\n")}
return (b, starts, ends, length, { columns, valid, slowRows }) => {
  ${fields
    .flatMap(arraysOf)
    .map(([name, from]) => `const ${name} = ${from}`)
    .join("\n  ")}
  const w = new DataView(b.buffer, b.byteOffset, b.byteLength)
  let slow = 0
  for (let row = 0; row < length; row++) {
    fast: {
      const end = ends[row], first = starts[row] + 1
      let p = first
      if (b[p - 1] !== 123) break fast
      ${calls.join("\n      ")}
      if (b[p] !== 125 || p + 1 !== end) break fast
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
