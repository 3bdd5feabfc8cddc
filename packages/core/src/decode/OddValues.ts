/**
 * Reads the values that the scanner found but does not read by itself: texts with escapes, numbers of unusual form, nested
 * values. The way between the scanner and the slow path.
 *
 * Each is read by the rule that the topic's schema applies to its field, the slow path's own; a value that the rule refuses
 * sends its row to the slow path, which says why. So the two agree where the scanner agrees with JSON about where values end.
 */
import type { Buffer } from "node:buffer"
import { Result, Schema, SchemaAST } from "effect"
import type { FieldSpec } from "../schema/FieldType.ts"
import {
  NumberText,
  ProblemFound,
  readBoolean,
  readDate,
  readDecimal,
  readNumber,
  readText,
  readTimestamp
} from "../schema/FieldValue.ts"
import type { Topic } from "../Topic.ts"
import { eventTimeEndMs, eventTimeStartMs } from "./EventTimeWindow.ts"

/** Of a value that its field refuses. */
const refused: unique symbol = Symbol("refused")

/** The value of a field from its JSON text, as a record of the topic's schema holds it; a nested one as its text. */
export type ReadOdd = (text: string) => unknown

/** What the schema of a field applies to its value, of decimals to a `NumberText`: the field's value, or a `ProblemFound`. */
export const ruleOf = ({ type }: FieldSpec): ((value: unknown) => unknown) => {
  switch (type._tag) {
    case "Text":
      return (value) => readText(type, value)
    case "Decimal":
      return (value) => readDecimal(type, value)
    case "Int":
    case "Double":
      return (value) => readNumber(type, value)
    case "Timestamp":
      return readTimestamp
    case "Date":
      return readDate
    case "Boolean":
      return readBoolean
    case "Json":
      throw new Error("a nested value is read by its own schema")
  }
}

/** What the record holds is null where a nested schema makes nothing of its value. */
const nestedReader = (schema: Schema.Codec<unknown, unknown>): ReadOdd => {
  const decode = Schema.decodeUnknownResult(schema)
  return (text) => {
    const decoded = decode(JSON.parse(text))
    if (Result.isFailure(decoded)) return refused
    return decoded.success === null || decoded.success === undefined ? null : text
  }
}

const readerOf = (field: FieldSpec, schema: Schema.Codec<unknown, unknown>, eventTime: boolean): ReadOdd => {
  if (field.type._tag === "Json") return nestedReader(schema)
  const rule = ruleOf(field)
  const exact = field.type._tag === "Decimal"
  return (text) => {
    const parsed: unknown = JSON.parse(text)
    const value = rule(exact && typeof parsed === "number" ? new NumberText(text) : parsed)
    if (value instanceof ProblemFound) return refused
    return eventTime && !(Number(value) >= eventTimeStartMs && Number(value) < eventTimeEndMs) ? refused : value
  }
}

/** The readers of a topic's fields, by index. */
export const oddReaders = <A>(topic: Topic<A>): ReadonlyArray<ReadOdd> => {
  const { ast } = topic.schema
  const properties = SchemaAST.isObjects(ast) ? ast.propertySignatures : []
  return topic.shape.fields.map((field) =>
    readerOf(
      field,
      Schema.make<Schema.Codec<unknown, unknown>>(properties[field.index]!.type),
      field.name === topic.eventTime
    )
  )
}

/** Four numbers a value in `Columns.odd`: its row, its field's index, where it starts and ends. */
export const numbersPerOdd = 4

/** Calls back for each value in turn until one of a row is refused, or does not fit; the rows where that happened, ascending. */
export const readOddValues = (
  odd: ReadonlyArray<number>,
  buffer: Buffer,
  readers: ReadonlyArray<ReadOdd>,
  fits: (value: unknown) => boolean,
  write: (row: number, field: number, value: unknown, start: number, end: number) => void
): ReadonlyArray<number> => {
  const given: Array<number> = []
  for (let at = 0; at < odd.length; at += numbersPerOdd) {
    const row = odd[at]!
    if (given.at(-1) === row) continue
    const field = odd[at + 1]!
    const start = odd[at + 2]!
    const end = odd[at + 3]!
    const value = readers[field]!(buffer.toString("utf8", start, end))
    if (value === refused || !fits(value)) given.push(row)
    else write(row, field, value, start, end)
  }
  return given
}
