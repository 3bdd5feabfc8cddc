/**
 * Generates the fast decoder of a topic: code made for its fields, which reads rows straight into columns.
 *
 * It reads a row in its usual form (declared keys in declared order, no blanks), else in any (`ScanAnyOrder.ts`: any order, blanks,
 * unknown keys). Values that it does not read by itself (escapes, odd numbers, nested ones) it notes: `OddValues.ts` reads them.
 * On keys with escapes, keys that come again and everything else it gives up, and the slow path decides. It checks all that
 * the schema checks and never decides that a record is bad, so it can only be wrong by accepting: the equivalence tests and
 * `fuzz` look for that.
 */
import type { FieldSpec } from "../schema/FieldType.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import type { Columns } from "./Columns.ts"
import { makeScanAnyOrder } from "./ScanAnyOrder.ts"
import { arraysOf, readValue, scanHelpers, standsAt, storeNull } from "./ScanCode.ts"

/**
 * Scans the records `bytes[starts[row], ends[row])` for rows below `length` into `columns`: sets `valid` where it decoded,
 * lists the others in `slowRows`, and returns how many those are. A row in `odd` has decoded only if its values there are read.
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

/** Names of the fields that are read from the columns; undefined is all. */
export type Reads = ReadonlySet<string> | undefined

/** Where values go that are checked and not kept. */
const scratch = { scratchInts: new Int32Array(1), scratchNumbers: new Float64Array(1), scratchBytes: new Uint8Array(1) }

const cellOf = ({ name }: FieldSpec, reads: Reads): string => (reads === undefined || reads.has(name) ? "row" : "0")

const scratchOf = ({ type }: FieldSpec): keyof typeof scratch =>
  type._tag === "Text" || type._tag === "Json"
    ? "scratchInts"
    : type._tag === "Boolean"
      ? "scratchBytes"
      : "scratchNumbers"

/** Whether a comma stands before a field; "maybe" while every field before may be absent. */
type Comma = "yes" | "no" | "maybe"

const separators: Record<Comma, { readonly stands: string; readonly length: string }> = {
  yes: { stands: "b[p] === 44", length: "1" },
  no: { stands: "true", length: "0" },
  maybe: { stands: "p === first || b[p] === 44", length: "p === first ? 0 : 1" }
}

const readMember = (field: FieldSpec, comma: Comma, value: string, cell: string): string => {
  const key = `"${field.name}":`
  if (!field.nullable && comma !== "maybe") {
    const text = comma === "yes" ? `,${key}` : key
    return `if (!(${standsAt(text)})) return -1; p += ${text.length}; ${value}`
  }
  return `{
      const before = p, separated = ${separators[comma].stands}
      p += ${separators[comma].length}
      if (separated && ${standsAt(key)}) { p += ${key.length}; ${value} }
      else { p = before; ${field.nullable ? storeNull(field, cell) : "return -1"} } }`
}

/** Fields that one function reads: of more than a few dozen lines, Bun's last compiler takes long for what it gains. */
const fieldsPerFunction = 8

const namesOf = (fields: ReadonlyArray<FieldSpec>): string =>
  ["b", "w", "p", "end", "row", "odd", ...fields.flatMap(arraysOf).map(([name]) => name)].join(", ")

/** Code of the strict way: functions of a few fields each, and the calls that make up a row. */
const strictCode = ({ shape, eventTime }: ScannedTopic, reads: Reads) => {
  let comma: Comma = "no"
  const members = shape.fields.map((field) => {
    const cell = cellOf(field, reads)
    const code = readMember(field, comma, readValue(field, field.name === eventTime, cell), cell)
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

/** Code: a function that reads a field's value, for rows in any order. */
const valueCode = (field: FieldSpec, eventTime: boolean): string => {
  const arrays = arraysOf(field).map(([name, , property]) => `${property}: ${name}`)
  return `(b, w, p, end, row, odd, { ${arrays.join(", ")} }) => {
  ${readValue(field, eventTime, "row")}
  return p
}`
}

const sourceOf = (topic: ScannedTopic, reads: Reads): string => {
  const { fields } = topic.shape
  const strict = strictCode(topic, reads)
  const arrays = fields.flatMap((field) =>
    arraysOf(field).map(([name, from]) => `const ${name} = ${cellOf(field, reads) === "row" ? from : scratchOf(field)}`)
  )
  const values = fields.map((field) => valueCode(field, field.name === topic.eventTime))
  return `"use strict"
${strict.functions}
const anyOrder = makeScanAnyOrder(shape, [${values.join(",\n")}])
return (b, starts, ends, length, cells) => {
  const { columns, valid, slowRows, odd, unknown } = cells
  ${arrays.join("\n  ")}
  const w = new DataView(b.buffer, b.byteOffset, b.byteLength)
  let slow = 0
  for (let row = 0; row < length; row++) {
    const end = ends[row], first = starts[row] + 1, odds = odd.length
    let p = first
    strict: {
      if (b[p - 1] !== 123) break strict
      ${strict.calls}
      if (b[p] !== 125 || p + 1 !== end) break strict
      valid[row] = 1
      continue
    }
    odd.length = odds
    const unknowns = unknown.length
    if (anyOrder(b, w, first - 1, end, row, cells)) { valid[row] = 1; continue }
    odd.length = odds
    unknown.length = unknowns
    slowRows[slow++] = row
  }
  return slow
}`
}

/**
 * Generates the scanner of a topic. With `reads` it checks all fields as ever, and leaves out of the columns those that nobody
 * reads: their cells mean nothing, except in rows that the slow path decided.
 */
export const makeScanner = (topic: ScannedTopic, reads?: Reads): Scanner => {
  const helpers = { ...scanHelpers, ...scratch, makeScanAnyOrder, shape: topic.shape }
  // the source is made of names that RecordShape checked, numbers, and byte values of allowed texts
  const make = new Function(...Object.keys(helpers), sourceOf(topic, reads)) as (
    ...values: ReadonlyArray<unknown>
  ) => Scanner
  return make(...Object.values(helpers))
}
