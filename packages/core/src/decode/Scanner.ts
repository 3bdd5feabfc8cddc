/**
 * Generates the fast decoder of a topic: code made for its fields, which reads rows straight into columns.
 *
 * It reads a row the strict way (declared keys in declared order, no blanks), else the tolerant way (any order, blanks).
 * Neither takes escapes, unknown keys, or odd numbers: on those it gives up, and the slow path decides. It
 * checks all that the schema checks and never decides that a record is bad, so it can only be wrong by accepting: the
 * equivalence tests look for that.
 */
import type { FieldSpec } from "../schema/FieldType.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import type { Columns } from "./Columns.ts"
import { arraysOf, readValue, scanHelpers, standsAt, storeNull } from "./ScanCode.ts"

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

/** Whether a comma stands before a field; "maybe" while every field before may be absent. */
type Comma = "yes" | "no" | "maybe"

const separators: Record<Comma, { readonly stands: string; readonly length: string }> = {
  yes: { stands: "b[p] === 44", length: "1" },
  no: { stands: "true", length: "0" },
  maybe: { stands: "p === first || b[p] === 44", length: "p === first ? 0 : 1" }
}

const readMember = (field: FieldSpec, comma: Comma, value: string): string => {
  const key = `"${field.name}":`
  if (!field.nullable && comma !== "maybe") {
    const text = comma === "yes" ? `,${key}` : key
    return `if (!(${standsAt(text)})) return -1; p += ${text.length}; ${value}`
  }
  return `{
      const before = p, separated = ${separators[comma].stands}
      p += ${separators[comma].length}
      if (separated && ${standsAt(key)}) { p += ${key.length}; ${value} }
      else { p = before; ${field.nullable ? storeNull(field) : "return -1"} } }`
}

/**
 * Fields that one function reads. One function for all of them runs as fast, but Bun's last compiler then takes half a
 * second for it, over a million records' worth.
 */
const fieldsPerFunction = 4

const namesOf = (fields: ReadonlyArray<FieldSpec>): string =>
  ["b", "w", "p", "end", "row", ...fields.flatMap(arraysOf).map(([name]) => name)].join(", ")

/** Code of the strict way: functions of a few fields each, and the calls that make up a row. */
const strictCode = ({ shape, eventTime }: ScannedTopic) => {
  let comma: Comma = "no"
  const members = shape.fields.map((field) => {
    const code = readMember(field, comma, readValue(field, field.name === eventTime))
    comma = field.nullable && comma !== "yes" ? "maybe" : "yes"
    return code
  })
  const functions: Array<string> = []
  const calls: Array<string> = []
  for (let from = 0; from < members.length; from += fieldsPerFunction) {
    const names = namesOf(shape.fields.slice(from, from + fieldsPerFunction))
    const body = members.slice(from, from + fieldsPerFunction).join("\n  ")
    functions.push(`const strict${from} = (first, ${names}) => {\n  ${body}\n  return p\n}`)
    calls.push(`p = strict${from}(first, ${names}); if (p < 0) break strict`)
  }
  return { functions: functions.join("\n"), calls: calls.join("\n      ") }
}

/** Code of the tolerant way: a function per field, and one that finds which comes next. Of a repeated field the last counts. */
const tolerantCode = ({ shape, eventTime }: ScannedTopic): string => {
  const all = namesOf(shape.fields)
  const functions = shape.fields.map(
    (field) => `const value${field.index} = (${namesOf([field])}) => {
  ${readValue(field, field.name === eventTime)}
  return p
}`
  )
  const members = shape.fields.map(
    (field) => `if (${standsAt(`"${field.name}"`)}) {
      p = afterBlanks(b, p + ${field.name.length + 2})
      if (b[p] !== 58) return -1
      p = afterBlanks(b, p + 1)
      seen[${field.index}] = mark
      p = value${field.index}(${namesOf([field])})
    }`
  )
  const absent = shape.fields.map(
    (field) => `if (seen[${field.index}] !== mark) { ${field.nullable ? storeNull(field) : "return -1"} }`
  )
  return `${functions.join("\n")}
const seen = new Float64Array(${shape.fields.length})
let mark = 0
const tolerant = (${all}) => {
  mark += 1
  p = afterBlanks(b, p)
  if (b[p] !== 123) return -1
  p = afterBlanks(b, p + 1)
  for (;;) {
    ${members.join(" else ")} else return -1
    if (p < 0) return -1
    p = afterBlanks(b, p)
    if (b[p] !== 44) break
    p = afterBlanks(b, p + 1)
  }
  if (b[p] !== 125 || afterBlanks(b, p + 1) !== end) return -1
  ${absent.join("\n  ")}
  return end
}`
}

const sourceOf = (topic: ScannedTopic): string => {
  const strict = strictCode(topic)
  const arrays = topic.shape.fields.flatMap(arraysOf).map(([name, from]) => `const ${name} = ${from}`)
  return `"use strict"
${strict.functions}
${tolerantCode(topic)}
return (b, starts, ends, length, { columns, valid, slowRows }) => {
  ${arrays.join("\n  ")}
  const w = new DataView(b.buffer, b.byteOffset, b.byteLength)
  let slow = 0
  for (let row = 0; row < length; row++) {
    const end = ends[row], first = starts[row] + 1
    let p = first
    strict: {
      if (b[p - 1] !== 123) break strict
      ${strict.calls}
      if (b[p] !== 125 || p + 1 !== end) break strict
      valid[row] = 1
      continue
    }
    p = first - 1
    if (tolerant(${namesOf(topic.shape.fields)}) === end) valid[row] = 1
    else slowRows[slow++] = row
  }
  return slow
}`
}

/** Generates the scanner of a topic; undefined when its records always need the slow path, for a nested field. */
export const makeScanner = (topic: ScannedTopic): Scanner | undefined => {
  if (topic.shape.fields.some((field) => field.type._tag === "Json" && !field.nullable)) return undefined
  const names = Object.keys(scanHelpers)
  // the source is made of names that RecordShape checked, numbers, and byte values of allowed texts
  const make = new Function(...names, sourceOf(topic)) as (...values: ReadonlyArray<unknown>) => Scanner
  return make(...Object.values(scanHelpers))
}
