/**
 * Writes records as the JSON that a topic holds: declared fields only, in declared order, in the form that the scanner reads.
 *
 * Sinks make one per topic. Generated from the shape, like the scanner. Decoding what it wrote gives the record back.
 */
import { Schema, SchemaAST } from "effect"
import { CalendarDate } from "../CalendarDate.ts"
import { Decimal } from "../Decimal.ts"
import { eventTimeEndMs, eventTimeStartMs } from "../decode/EventTimeWindow.ts"
import type { FieldSpec } from "../schema/FieldType.ts"
import { checkDecimal, kindOf, numberDigitsMax, ProblemFound, readNumber, readText } from "../schema/FieldValue.ts"
import { Timestamp } from "../Timestamp.ts"
import type { Topic } from "../Topic.ts"
import { EncodeError } from "./EncodeError.ts"
import { plainJson } from "./PlainJson.ts"

/**
 * A record's JSON text. Fields that are null or absent are left out, and so are fields that the schema does not name.
 * Throws an `EncodeError` when the topic would not accept the record.
 */
export type Encoder<A> = (record: A) => string

type WriteValue = (value: unknown) => string | ProblemFound

const mustBe = (kind: string, value: unknown) =>
  new ProblemFound("wrong_type", `must be ${kind}, found ${kindOf(value)}`)

/** Texts that stand for themselves in JSON, which most do. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

const writeText = (text: string): string => (plainText.test(text) ? `"${text}"` : JSON.stringify(text))

const writeDecimal = (value: Decimal): string => {
  const text = value.toString()
  const { unscaled } = value
  if (unscaled > -(10 ** numberDigitsMax) && unscaled < 10 ** numberDigitsMax) return text
  const digits = String(unscaled).replace(/^-/, "").replace(/0+$/, "")
  return digits.length <= numberDigitsMax ? text : `"${text}"`
}

const writeTimestamp = (value: unknown, eventTime: boolean): string | ProblemFound => {
  if (!Timestamp.isTimestamp(value)) return mustBe("a timestamp between 1831 and 2109", value)
  if (eventTime && !(value >= eventTimeStartMs && value < eventTimeEndMs)) {
    return new ProblemFound("event_time_out_of_range", "must lie between 2000 and 2090")
  }
  return `"${Timestamp.format(value)}"`
}

const writerOf = (field: FieldSpec, eventTime: boolean, schema: Schema.Codec<unknown, unknown>): WriteValue => {
  const { type } = field
  switch (type._tag) {
    case "Text":
      return (value) => {
        const read = readText(type, value)
        return read instanceof ProblemFound ? read : writeText(read)
      }
    case "Decimal":
      return (value) => {
        if (!(value instanceof Decimal) || value.scale !== type.scale) return mustBe(`a Decimal<${type.scale}>`, value)
        const checked = checkDecimal(type, value)
        return checked instanceof ProblemFound ? checked : writeDecimal(checked)
      }
    case "Timestamp":
      return (value) => writeTimestamp(value, eventTime)
    case "Date":
      return (value) =>
        CalendarDate.isCalendarDate(value) ? `"${CalendarDate.format(value)}"` : mustBe("a date", value)
    case "Int":
    case "Double":
      return (value) => {
        const read = readNumber(type, value)
        return read instanceof ProblemFound ? read : String(read)
      }
    case "Boolean":
      return (value) => (typeof value === "boolean" ? String(value) : mustBe("true or false", value))
    case "Json": {
      const encode = Schema.encodeUnknownSync(schema)
      const plain = plainJson(schema.ast)
      // undefined has no JSON, whatever a schema says of it
      return (value) => JSON.stringify(plain?.(value) === true ? value : encode(value)) ?? mustBe("a JSON value", value)
    }
  }
}

const make = <A>(topic: Topic<A>): Encoder<A> => {
  const { fields } = topic.shape
  const { ast } = topic.schema
  const properties = SchemaAST.isObjects(ast) ? ast.propertySignatures : []
  const writers = fields.map((field): ((value: unknown) => string) => {
    const schema = Schema.make<Schema.Codec<unknown, unknown>>(properties[field.index]!.type)
    const write = writerOf(field, field.name === topic.eventTime, schema)
    return (value) => {
      const written = write(value)
      if (typeof written === "string") return written
      const { message } = written.problem
      throw new EncodeError({
        topic: topic.name,
        field: field.name,
        message: `a record for topic ${topic.name} was not written: field ${field.name} ${message}`
      })
    }
  })
  // one that is always there comes first without a comma; else the first comma is cut off, which copies the text
  const led = fields[0]?.nullable === false
  const members = fields.map(({ name, index, nullable }, at) => {
    // a record without the field must not show what every object inherits
    const value = name in Object.prototype ? `(Object.hasOwn(r, "${name}") ? r.${name} : null)` : `r.${name}`
    const member = `'${led && at === 0 ? "" : ","}"${name}":' + w${index}(${value})`
    return nullable ? `(${value} == null ? "" : ${member})` : member
  })
  // names were checked by RecordShape
  const joined = ["''", ...members].join(" + ")
  const source = `"use strict"; return (r) => "{" + ${led ? joined : `(${joined}).slice(1)`} + "}"`
  const generate = new Function(...writers.map((_, index) => `w${index}`), source) as (
    ...writers: ReadonlyArray<(value: unknown) => string>
  ) => Encoder<A>
  return generate(...writers)
}

export const Encoder = { make } as const
