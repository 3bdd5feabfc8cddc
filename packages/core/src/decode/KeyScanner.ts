/**
 * Reads the key out of a raw record, to choose the record's partition before anything is decoded.
 *
 * Feeders call it for each line. The topic's scanner reads records of the usual form; any other record is parsed. Never
 * throws.
 */
import type { FieldSpec } from "../schema/FieldType.ts"
import { ProblemFound, readNumber, readText } from "../schema/FieldValue.ts"
import type { Topic } from "../Topic.ts"
import { makeColumns } from "./Columns.ts"
import { nestsTooDeep } from "./JsonMembers.ts"
import { keyText } from "./KeyText.ts"
import { numbersPerOdd } from "./OddValues.ts"
import { makeScanner } from "./Scanner.ts"
import { makeTextOf } from "./TextOf.ts"

/** The key of the record `bytes[start, end)`; null when the topic has no key, or the record none that fits its field. */
export type KeyScanner = (bytes: Uint8Array, start: number, end: number) => string | null

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

const make = <A>(topic: Topic<A>): KeyScanner => {
  // Topic.make made sure that each is a field
  const fields = topic.key.map((name) => topic.shape.byName.get(name)!)
  if (fields.length === 0) return () => null
  const standIn = topic.keyElse === undefined ? undefined : topic.shape.byName.get(topic.keyElse)
  const scanner = makeScanner(topic)
  const columns = makeColumns(topic.shape, 1)
  const starts = new Int32Array(1)
  const ends = new Int32Array(1)
  let textBytes: Uint8Array | undefined
  let textOf: ReturnType<typeof makeTextOf> = () => ""

  const scannedValue = ({ index }: FieldSpec): string | number => {
    const column = columns.columns[index]!
    if (column._tag !== "Bytes") return column.values[0]!
    return column.starts[0]! < 0 && standIn !== undefined && standIn.index !== index
      ? scannedValue(standIn)
      : textOf(column.starts[0]!, column.ends[0]!)
  }

  /** Of the numbers in `Columns.odd`, a key's field index. */
  const isKeyField = (value: number, at: number) =>
    at % numbersPerOdd === 1 && (fields.some(({ index }) => index === value) || standIn?.index === value)

  return (bytes, start, end) => {
    starts[0] = start
    ends[0] = end
    columns.odd.length = 0
    columns.unknown.length = 0
    if (scanner(bytes, starts, ends, 1, columns) === 0 && !columns.odd.some(isKeyField)) {
      if (textBytes !== bytes) {
        textBytes = bytes
        textOf = makeTextOf(bytes)
      }
      return keyText(fields.map(scannedValue))
    }
    const record = parsedObject(bytes.subarray(start, end))
    if (record === undefined) return null
    const values = fields
      .map((field) =>
        standIn !== undefined && absent(field, record) ? keyValue(standIn, record) : keyValue(field, record)
      )
      .filter((value) => value !== undefined)
    return values.length === fields.length ? keyText(values) : null
  }
}

export const KeyScanner = { make } as const
