/**
 * Keys and values of a feature store, as a declaration writes them: `fraud_features:{customer_id}:transaction_count_5min`.
 *
 * `DeclaredSink.ts` reads them, `OpenSink.ts` makes features of records with them. Pure.
 */
import { CalendarDate, type FieldSpec, Timestamp, type Topic } from "@frazil/core"
import { Result } from "effect"
import type { Feature } from "./RedisSink.ts"

interface KeyTemplate {
  /** Texts around the fields: one more than there are fields. */
  readonly texts: ReadonlyArray<string>
  readonly fields: ReadonlyArray<string>
}

export interface FeatureTemplate {
  readonly key: KeyTemplate
  readonly value: FieldSpec
  readonly ttlMs: number
}

/** The template of a topic's keys, or what is wrong with it. */
export const readTemplate = (topic: Topic<object>, text: string): Result.Result<KeyTemplate, string> => {
  // odd pieces are what stood in braces
  const pieces = text.split(/\{([^{}]*)\}/)
  const fields = pieces.filter((_, at) => at % 2 === 1)
  const texts = pieces.filter((_, at) => at % 2 === 0)
  if (fields.length === 0) return Result.fail(`a feature's key names a field in braces, such as {customer_id}`)
  if (texts.some((each) => /[{}]/.test(each))) return Result.fail("a brace of a feature's key has no other one")
  for (const name of fields) {
    const field = topic.shape.byName.get(name)
    if (field === undefined) return Result.fail(`topic ${topic.name} has no field "${name}"`)
    if (field.nullable || (field.type._tag !== "Text" && field.type._tag !== "Int")) {
      return Result.fail(`field "${name}" cannot be part of a key: it must be a text or an integer that cannot be null`)
    }
  }
  return Result.succeed({ texts, fields })
}

/** As it was written. */
export const templateText = ({ fields, texts }: KeyTemplate): string =>
  texts.map((text, at) => (at === 0 ? text : `{${fields[at - 1]!}}${text}`)).join("")

/** Exact, as the topic's JSON would say it. */
const valueText = ({ type }: FieldSpec, value: unknown): string => {
  switch (type._tag) {
    case "Timestamp":
      return Timestamp.isTimestamp(value) ? Timestamp.format(value) : String(value)
    case "Date":
      return CalendarDate.isCalendarDate(value) ? CalendarDate.format(value) : String(value)
    case "Json":
      return JSON.stringify(value)
    default:
      return String(value)
  }
}

/** What a record says; a null value says nothing, and what was there before stays until its time is over. */
export const featuresOf =
  (templates: ReadonlyArray<FeatureTemplate>) =>
  (record: object): ReadonlyArray<Feature> => {
    const values = record as Readonly<Record<string, unknown>> // of the topic's own fields
    return templates.flatMap(({ key, ttlMs, value }) => {
      const given = values[value.name]
      if (given === null || given === undefined) return []
      const name = key.texts.map((text, at) => (at === 0 ? text : `${String(values[key.fields[at - 1]!])}${text}`))
      return [{ key: name.join(""), value: valueText(value, given), ttlMs }]
    })
  }
