/**
 * Reads the keys out of raw records, to choose each record's partition before anything is decoded.
 *
 * Feeders call it for each batch of lines. The topic's scanner reads records of the usual form, and a key that is one text lies in
 * its record as it is; any other record is parsed. Never throws.
 */
import type { FieldSpec } from "../schema/FieldType.ts"
import { ProblemFound, readNumber, readText } from "../schema/FieldValue.ts"
import type { Topic } from "../Topic.ts"
import { type Columns, makeColumns } from "./Columns.ts"
import { nestsTooDeep } from "./JsonMembers.ts"
import { keyText } from "./KeyText.ts"
import { numbersPerOdd } from "./OddValues.ts"
import { makeScanner } from "./Scanner.ts"
import { makeTextOf } from "./TextOf.ts"

/** The key of the record `bytes[start, end)`; null for none, and for what cannot be parsed. */
export type KeyOf = (bytes: Uint8Array, start: number, end: number) => string | null

/** The keys of a batch's records, by row. Lent until the next batch is scanned. */
export interface RecordKeys {
  /** Where the key lies in the batch's bytes, inside its record; −1 where it does not. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** The keys that do not lie in their records as they are; a row with neither has no key. */
  readonly texts: ReadonlyMap<number, string>
}

export interface KeyScanner {
  /** The keys of the records `bytes[starts[row], ends[row])` for rows below `length`. */
  readonly scan: (bytes: Uint8Array, starts: Int32Array, ends: Int32Array, length: number) => RecordKeys
  /** That of one record. */
  readonly keyOf: KeyOf
}

const rowsInitial = 256

/** Where keys are noted: grows to the largest batch seen. */
const makeNotes = () => {
  const notes = {
    starts: new Int32Array(rowsInitial),
    ends: new Int32Array(rowsInitial),
    texts: new Map<number, string>()
  }
  const begin = (length: number) => {
    if (length > notes.starts.length) {
      notes.starts = new Int32Array(length)
      notes.ends = new Int32Array(length)
    }
    notes.starts.fill(-1, 0, length)
    notes.texts.clear()
  }
  return { notes, begin }
}

/** Keys by a function, record by record. */
const fromFunction = (keyOf: KeyOf): KeyScanner => {
  const { begin, notes } = makeNotes()
  return {
    keyOf,
    scan: (bytes, starts, ends, length) => {
      begin(length)
      for (let row = 0; row < length; row++) {
        const key = keyOf(bytes, starts[row]!, ends[row]!)
        if (key !== null) notes.texts.set(row, key)
      }
      return notes
    }
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const parsedObject = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const text = utf8.decode(bytes)
    if (nestsTooDeep(text)) return undefined
    const value: unknown = JSON.parse(text)
    // any object that JSON.parse makes is one; an array has no members of a field's name
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    // not UTF-8 or not JSON: such a record has no key
    return undefined
  }
}

const keyValue = (
  { name, type }: FieldSpec,
  record: Readonly<Record<string, unknown>>
): string | number | undefined => {
  const value = Object.hasOwn(record, name) ? record[name] : undefined
  const read = type._tag === "Text" ? readText(type, value) : type._tag === "Int" ? readNumber(type, value) : undefined
  return read instanceof ProblemFound ? undefined : read
}

const absent = ({ name }: FieldSpec, record: Readonly<Record<string, unknown>>): boolean =>
  !Object.hasOwn(record, name) || record[name] === null

/** The fields that a topic's key is made of. */
interface KeyFields {
  readonly fields: ReadonlyArray<FieldSpec>
  readonly standIn: FieldSpec | undefined
}

const keyFieldsOf = <A>({ key, keyElse, shape }: Topic<A>): KeyFields => ({
  // Topic.make made sure that each is a field
  fields: key.map((name) => shape.byName.get(name)!),
  standIn: keyElse === undefined ? undefined : shape.byName.get(keyElse)
})

/** The slow way: the record is parsed. */
const makeParsedKeyOf =
  ({ fields, standIn }: KeyFields): KeyOf =>
  (bytes, start, end) => {
    const record = parsedObject(bytes.subarray(start, end))
    if (record === undefined) return null
    const values = fields
      .map((field) =>
        standIn !== undefined && absent(field, record) ? keyValue(standIn, record) : keyValue(field, record)
      )
      .filter((value) => value !== undefined)
    return values.length === fields.length ? keyText(values) : null
  }

/** Whether all of `bytes[start, end)` is ASCII: then it is text as it is. */
const plain = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return false
  return true
}

/** Marks the rows whose keys are parsed: those that the scanner gave up on, and those whose key has an unusual form. */
const markParsed = (marks: Uint8Array, { odd, slowRows }: Columns, slow: number, isKey: (index: number) => boolean) => {
  for (let each = 0; each < slow; each++) marks[slowRows[each]!] = 1
  // of the numbers of each, the first is its row, the second its field
  for (let at = 0; at < odd.length; at += numbersPerOdd) if (isKey(odd[at + 1]!)) marks[odd[at]!] = 1
}

const make = <A>(topic: Topic<A>): KeyScanner => {
  const { fields, standIn } = keyFieldsOf(topic)
  const [first] = fields
  if (first === undefined) return fromFunction(() => null)
  const parsedKeyOf = makeParsedKeyOf({ fields, standIn })
  const read = standIn === undefined ? fields : [...fields, standIn]
  const isKey = (index: number) => read.some((field) => field.index === index)
  const scanner = makeScanner(topic, new Set(read.map(({ name }) => name)))
  const { begin, notes } = makeNotes()
  let columns = makeColumns(topic.shape, rowsInitial)
  let parsed = new Uint8Array(rowsInitial)

  const valueOf = (field: FieldSpec, row: number, textOf: ReturnType<typeof makeTextOf>): string | number => {
    const column = columns.columns[field.index]!
    if (column._tag !== "Bytes") return column.values[row]!
    return column.starts[row]! < 0 && standIn !== undefined && standIn.index !== field.index
      ? valueOf(standIn, row, textOf)
      : textOf(column.starts[row]!, column.ends[row]!)
  }
  /** A key that is one text and lies in its record as it is. */
  const lies = (bytes: Uint8Array, row: number): boolean => {
    const column = columns.columns[first.index]!
    if (fields.length > 1 || column._tag !== "Bytes") return false
    const start = column.starts[row]!
    const end = column.ends[row]!
    if (start < 0 || !plain(bytes, start, end)) return false
    notes.starts[row] = start
    notes.ends[row] = end
    return true
  }
  const scan: KeyScanner["scan"] = (bytes, starts, ends, length) => {
    begin(length)
    if (length > columns.capacity) {
      columns = makeColumns(topic.shape, length)
      parsed = new Uint8Array(length)
    }
    columns.odd.length = 0
    columns.unknown.length = 0
    parsed.fill(0, 0, length)
    markParsed(parsed, columns, scanner(bytes, starts, ends, length, columns), isKey)
    const textOf = makeTextOf(bytes)
    for (let row = 0; row < length; row++) {
      if (parsed[row] === 0 && lies(bytes, row)) continue
      const key =
        parsed[row] === 0
          ? keyText(fields.map((field) => valueOf(field, row, textOf)))
          : parsedKeyOf(bytes, starts[row]!, ends[row]!)
      if (key !== null) notes.texts.set(row, key)
    }
    return notes
  }
  const [one, oneEnd] = [new Int32Array(1), new Int32Array(1)]
  return {
    scan,
    keyOf: (bytes, start, end) => {
      one[0] = start
      oneEnd[0] = end
      const keys = scan(bytes, one, oneEnd, 1)
      return keys.starts[0]! < 0 ? (keys.texts.get(0) ?? null) : makeTextOf(bytes)(keys.starts[0]!, keys.ends[0]!)
    }
  }
}

export const KeyScanner = { make, fromFunction } as const
