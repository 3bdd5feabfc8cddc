/**
 * Decodes one record by its schema: the authority on what a topic accepts, and the twin that the scanner must agree with.
 *
 * The decoder calls it for rows that the scanner gave up on, with the fields' rules in the schema's place (`RuleDecode.ts`).
 * Any bytes give an outcome; nothing throws.
 */
import { Result, Schema } from "effect"
import { NumberText, kindOf } from "../schema/FieldValue.ts"
import type { Topic } from "../Topic.ts"
import { eventTimeEndMs, eventTimeStartMs } from "./EventTimeWindow.ts"
import { issueProblem, type RecordProblem } from "./IssueProblem.ts"
import { jsonMembers, nestsTooDeep } from "./JsonMembers.ts"

export type SlowOutcome =
  | {
      readonly _tag: "Decoded"
      readonly record: Readonly<Record<string, unknown>>
      /** Each member's value as it was written. */
      readonly members: ReadonlyMap<string, string>
      /** Unknown members as a JSON object's text. */
      readonly extras: string | undefined
    }
  | { readonly _tag: "Failed"; readonly problem: RecordProblem }

const failed = (reason: RecordProblem["reason"], message: string, field?: string): SlowOutcome => ({
  _tag: "Failed",
  problem: { reason, field, message }
})

// a byte order mark is no JSON: keep it, so that it is refused
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const attempt = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** Names that a schema could declare are told to people; others could hold anything. */
const tellable = (name: string): string | undefined => (/^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : undefined)

/** Reads an object's fields, given with decimals as they were written: a record of the topic's schema, or what is wrong with it. */
export type ReadFields = (input: Readonly<Record<string, unknown>>) => ReadRecord | RecordProblem

type ReadRecord = { readonly record: Readonly<Record<string, unknown>> }

/** The schema itself. */
const readBySchema = <A>(topic: Topic<A>): ReadFields => {
  const decode = Schema.decodeUnknownResult(topic.schema)
  return (input) => {
    const decoded = decode(input)
    return Result.isFailure(decoded)
      ? issueProblem(decoded.failure.issue)
      : // a struct of the shape's fields
        { record: decoded.success as Readonly<Record<string, unknown>> }
  }
}

/** Makes the slow decoder of a topic. */
export const makeSlowDecode = <A>(
  topic: Topic<A>,
  read: ReadFields = readBySchema(topic)
): ((bytes: Uint8Array) => SlowOutcome) => {
  const { shape, eventTime } = topic
  const eventTimeFailed = failed(
    "event_time_out_of_range",
    `field ${eventTime} must lie between 2000 and 2090`,
    eventTime
  )

  const decodeObject = (parsed: Readonly<Record<string, unknown>>, text: string): SlowOutcome => {
    const members = jsonMembers(text)
    // without a prototype, so that a field named "constructor" can be missing
    const input: Record<string, unknown> = Object.create(null)
    for (const field of shape.fields) {
      const raw = members.get(field.name)
      if (raw === undefined) continue
      // an own property: the text has that member
      const value = parsed[field.name]
      input[field.name] = field.type._tag === "Decimal" && typeof value === "number" ? new NumberText(raw) : value
    }
    const found = read(input)
    if ("reason" in found) {
      // beyond what a timestamp can hold is beyond the window as well
      return found.reason === "out_of_range" && found.field === eventTime
        ? eventTimeFailed
        : { _tag: "Failed", problem: found }
    }
    const { record } = found
    if (eventTime !== undefined) {
      const at = Number(record[eventTime])
      if (!(at >= eventTimeStartMs && at < eventTimeEndMs)) {
        return eventTimeFailed
      }
    }
    const unknown = [...members].filter(([name]) => !shape.byName.has(name))
    if (unknown.length > 0 && shape.closed) {
      const name = tellable(unknown[0]![0])
      return failed(
        "unknown_field",
        `field ${name ?? "(unprintable)"} is none of topic ${topic.name}, which is closed`,
        name
      )
    }
    const extras =
      unknown.length === 0
        ? undefined
        : `{${unknown.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`
    return { _tag: "Decoded", record, members, extras }
  }

  return (bytes) => {
    const text = attempt(() => utf8.decode(bytes))
    if (text === undefined) return failed("not_utf8", "the record is not UTF-8")
    if (nestsTooDeep(text)) return failed("not_json", "the record nests arrays or objects too deep")
    const parsed = attempt((): { readonly value: unknown } => ({ value: JSON.parse(text) }))
    if (parsed === undefined) return failed("not_json", "the record is not JSON, or is cut off")
    const { value } = parsed
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return failed("not_an_object", `the record must be a JSON object, found ${kindOf(value)}`)
    }
    // any object that JSON.parse makes is one
    return decodeObject(value as Readonly<Record<string, unknown>>, text)
  }
}
