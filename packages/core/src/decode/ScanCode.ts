/**
 * Code for the values of fields: the parts that the generated scanners are put together from.
 *
 * In all of it, `b` are the bytes, `w` the same as a DataView, `p` the position, `end` where the record ends, `row` where
 * its cells go, `odd` the list of values that are read later. Code that finds anything but what it looks for returns −1.
 */
import { bytesCode } from "../BytesCode.ts"
import type { FieldSpec, FieldType, TextFormat } from "../schema/FieldType.ts"
import { eventTimeEndMs, eventTimeStartMs } from "./EventTimeWindow.ts"
import { noteOdd } from "./ScanAnyOrder.ts"
import { dateAt, timestampAt, uuidAt } from "./ScanBytes.ts"
import { decimalAt, doubleAt, intAt, ipv4TextAt, textAt } from "./ScanValues.ts"

/** What generated code calls, by name. */
export const scanHelpers = {
  textAt,
  ipv4TextAt,
  decimalAt,
  intAt,
  doubleAt,
  uuidAt,
  timestampAt,
  dateAt,
  noteOdd
}

type TypeOf<Tag extends FieldType["_tag"]> = Extract<FieldType, { readonly _tag: Tag }>

const encoder = new TextEncoder()

/** Code: whether the bytes of `text` stand at `p` and end within the record. */
export const standsAt = (text: string): string => {
  const bytes = encoder.encode(text)
  return [`p + ${bytes.length} <= end`, ...bytesCode(bytes, { bytes: "b", view: "w", at: "p" })].join(" && ")
}

const readDecimal = ({ index }: FieldSpec, type: TypeOf<"Decimal">, cell: string): string => {
  const max = Math.min(Number.MAX_SAFE_INTEGER, 10 ** type.precision - 1)
  return `p = decimalAt(b, p, v${index}, ${cell}, ${type.scale}, ${max}, ${type.positive}); if (p < 0) return -1`
}

const readNumber = ({ index }: FieldSpec, { _tag, max, min }: TypeOf<"Int" | "Double">, cell: string): string =>
  `p = ${_tag === "Int" ? "intAt" : "doubleAt"}(b, p, v${index}, ${cell}, ${min}, ${max}); if (p < 0) return -1`

/** Formats of so many characters of one range of ASCII. */
const fixedWidth: Readonly<
  Partial<Record<TextFormat, { readonly width: number; readonly first: number; readonly last: number }>>
> = {
  alpha2: { width: 2, first: 65, last: 90 },
  alpha3: { width: 3, first: 65, last: 90 },
  digits9: { width: 9, first: 48, last: 57 }
}

const readText = (field: FieldSpec, type: TypeOf<"Text">, cell: string): string => {
  const store = (end: string) => `s${field.index}[${cell}] = p; e${field.index}[${cell}] = ${end}; p = ${end} + 1`
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
      return `b[p + ${width}] === 34 && ${standsAt(value) || "true"} ? ${width}`
    })
    return `if (b[p] !== 34) return -1; p++; const width = ${[...choices, "-1"].join(" : ")}; if (width < 0) return -1; ${store("p + width")}`
  }
  const into = `b, p, s${field.index}, e${field.index}, ${cell}`
  const read = type.format === "ipv4" ? `ipv4TextAt(${into})` : `textAt(${into}, ${type.lengthMax})`
  return `p = ${read}; if (p < 0) return -1`
}

const readTyped = (field: FieldSpec, cell: string): string => {
  const { type, index } = field
  switch (type._tag) {
    case "Text":
      return readText(field, type, cell)
    case "Decimal":
      return readDecimal(field, type, cell)
    case "Int":
    case "Double":
      return readNumber(field, type, cell)
    case "Timestamp":
      return `p = timestampAt(b, w, p, v${index}, ${cell}); if (p < 0) return -1`
    case "Date":
      return `p = dateAt(b, p, v${index}, ${cell}); if (p < 0) return -1`
    case "Boolean":
      return `if (${standsAt("true")}) { v${index}[${cell}] = 1; p += 4 } else if (${standsAt("false")}) { v${index}[${cell}] = 0; p += 5 } else return -1`
    case "Json":
      return `p = noteOdd(b, p, end, row, ${index}, odd); if (p < 0) return -1`
  }
}

export const storeNull = ({ type, index }: FieldSpec, cell: string): string =>
  type._tag === "Text" || type._tag === "Json"
    ? `s${index}[${cell}] = -1; e${index}[${cell}] = -1`
    : `v${index}[${cell}] = ${type._tag === "Boolean" ? "2" : "NaN"}`

/** A field's arrays: their names, in its function and where that is called, what they are there, and their column's property. */
export const arraysOf = ({
  type,
  index
}: FieldSpec): ReadonlyArray<readonly [name: string, from: string, property: string]> => {
  const properties = type._tag === "Text" || type._tag === "Json" ? ["starts", "ends"] : ["values"]
  return properties.map((property) => [`${property[0]}${index}`, `columns[${index}].${property}`, property])
}

/** Code: reads the value of a field at `p` into the cell of its arrays, with everything that the schema checks. */
export const readValue = (field: FieldSpec, eventTime: boolean, cell: string): string => {
  const read = `v${field.index}[${cell}]`
  const check = eventTime ? `if (!(${read} >= ${eventTimeStartMs} && ${read} < ${eventTimeEndMs})) return -1` : ""
  const value = `{ ${readTyped(field, cell)}
      ${check} }`
  return field.nullable ? `if (${standsAt("null")}) { ${storeNull(field, cell)}; p += 4 } else ${value}` : value
}
