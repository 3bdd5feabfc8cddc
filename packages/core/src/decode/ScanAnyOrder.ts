/**
 * Reads a record whose members come in any order, with blanks between them and fields that its topic does not declare: the
 * scanner's second way, for rows that are not in the usual form.
 *
 * One loop for all topics, over what was generated for each of their fields. It gives up on a field that comes again, on names
 * with escapes, and on whatever its values refuse.
 */
import type { Column } from "../record/ColumnBatch.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import type { Columns } from "./Columns.ts"
import { afterBlanks, textEnd } from "./ScanBytes.ts"
import { afterJson } from "./ScanJson.ts"

/** Reads a field's value at `p` into its column; the position after it, −1 when it is not what it looks for. */
export type ReadValue = (
  b: Uint8Array,
  w: DataView,
  p: number,
  end: number,
  row: number,
  odd: Array<number>,
  column: Column
) => number

/** Reads the record `b[p, end)`: whether it could. */
export type ScanAnyOrder = (
  b: Uint8Array,
  w: DataView,
  p: number,
  end: number,
  row: number,
  columns: Columns
) => boolean

/** Notes a value that is not read here: the rule of its field reads it. The position after it. */
export const noteOdd = (
  bytes: Uint8Array,
  at: number,
  end: number,
  row: number,
  field: number,
  odd: Array<number>
): number => {
  const after = afterJson(bytes, at, end, 1)
  if (after >= 0) odd.push(row, field, at, after)
  return after
}

const encoder = new TextEncoder()

const standsAt = (bytes: Uint8Array, at: number, name: Uint8Array): boolean => {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false
  return true
}

/** Where the value begins whose name ends at a position; −1 without a colon. */
const afterColon = (bytes: Uint8Array, nameEnd: number): number => {
  const colon = afterBlanks(bytes, nameEnd)
  return bytes[colon] === 0x3a ? afterBlanks(bytes, colon + 1) : -1
}

/** Whether a byte can follow a value: a number may be longer than what was read of it. */
const endsValue = (byte: number | undefined): boolean =>
  byte === 0x2c || byte === 0x7d || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const storeNull = (column: Column, row: number): void => {
  if (column._tag === "Bytes") {
    column.starts[row] = -1
    column.ends[row] = -1
  } else column.values[row] = column._tag === "Booleans" ? 2 : Number.NaN
}

export const makeScanAnyOrder = (
  { closed, fields }: Pick<RecordShape, "closed" | "fields">,
  values: ReadonlyArray<ReadValue>
): ScanAnyOrder => {
  const names = fields.map(({ name }) => encoder.encode(`"${name}"`))
  /** The number of the row that a field was seen in last. */
  const seen = new Float64Array(fields.length)
  let mark = 0

  /** The field whose name stands there, looked for first behind the one before; −1 when it is none. */
  const fieldAt = (bytes: Uint8Array, at: number, expected: number): number => {
    for (let field = expected; field < names.length; field++) if (standsAt(bytes, at, names[field]!)) return field
    for (let field = 0; field < expected; field++) if (standsAt(bytes, at, names[field]!)) return field
    return -1
  }
  /** After a member that is none of the shape's. A name with escapes may be one of them, written otherwise. */
  const afterUnknown = (bytes: Uint8Array, at: number, end: number, row: number, unknown: Array<number>): number => {
    if (closed || bytes[at] !== 0x22) return -1
    const nameEnd = textEnd(bytes, at + 1) + 1
    const start = nameEnd === 0 ? -1 : afterColon(bytes, nameEnd)
    const after = start < 0 ? -1 : afterJson(bytes, start, end, 1)
    if (after >= 0) unknown.push(row, at, nameEnd, start, after)
    return after
  }
  const absentFit = (row: number, columns: ReadonlyArray<Column>): boolean => {
    for (let index = 0; index < seen.length; index++) {
      if (seen[index] === mark) continue
      if (!fields[index]!.nullable) return false
      storeNull(columns[index]!, row)
    }
    return true
  }

  return (b, w, p, end, row, { columns, odd, unknown }) => {
    mark++
    let at = afterBlanks(b, p)
    if (b[at] !== 0x7b) return false
    at = afterBlanks(b, at + 1)
    let expected = 0
    // an object without members ends here; where they go on, each begins with its name
    for (let more = b[at] !== 0x7d; more;) {
      const field = fieldAt(b, at, expected)
      if (field < 0) at = afterUnknown(b, at, end, row, unknown)
      else {
        if (seen[field] === mark) return false
        seen[field] = mark
        const start = afterColon(b, at + names[field]!.length)
        if (start < 0) return false
        const after = values[field]!(b, w, start, end, row, odd, columns[field]!)
        at = after >= 0 && endsValue(b[after]) ? after : noteOdd(b, start, end, row, field, odd)
        expected = field + 1
      }
      if (at < 0) return false
      at = afterBlanks(b, at)
      more = b[at] === 0x2c
      if (more) at = afterBlanks(b, at + 1)
    }
    // blanks may go on behind the record
    return b[at] === 0x7d && at < end && afterBlanks(b, at + 1) >= end && absentFit(row, columns)
  }
}
