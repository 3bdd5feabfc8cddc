/**
 * Lines of Nexmark events in the forms that its generators write, made into the one that `Event.ts` declares.
 *
 * A line may be flat, or have the fields of its kind below `person`, `auction` or `bid` as nexmark-flink's table does;
 * `event_type` is 0, 1, 2 or the kind's name, and may be left out when nested; names are in snake or camel case; times are
 * ISO 8601, SQL's `2015-07-15 00:00:00.000` (UTC), or epoch milliseconds, and are cut to milliseconds as `TIMESTAMP(3)` is.
 * A line that is none of these stays as it is: the decoder refuses it and says why.
 */
import { Event, eventTypes, type EventType } from "./Event.ts"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** The fields of an event but its kind, with their names in camel case. */
const fields: ReadonlyArray<readonly [name: string, camel: string]> = Object.keys(Event.fields)
  .filter((name) => name !== "event_type" && name !== "person")
  .map((name) => [name, name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] as const)
const times: ReadonlySet<string> = new Set(["date_time", "expires"])

const kindOf = (line: Json): EventType | undefined => {
  const told = line["event_type"] ?? line["eventType"]
  if (typeof told === "number") return eventTypes[told]
  if (typeof told === "string") {
    const name = told.toLowerCase()
    return eventTypes.find((kind) => kind === name) ?? eventTypes[/^[012]$/.test(name) ? Number(name) : -1]
  }
  return eventTypes.find((kind) => isObject(line[kind]))
}

const sqlTime = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?$/

/** ISO 8601 to the millisecond; what is no time stays. */
const timeOf = (value: unknown): unknown => {
  if (typeof value === "number") {
    return Math.abs(value) <= 8.64e15 ? new Date(Math.floor(value)).toISOString() : value
  }
  const parts = typeof value === "string" ? sqlTime.exec(value) : null
  if (parts === null) return value
  const [, date, clock, fraction = ".", zone = "Z"] = parts
  const ms = Date.parse(`${date}T${clock}${fraction.padEnd(4, "0").slice(0, 4)}${zone}`)
  return Number.isNaN(ms) ? value : new Date(ms).toISOString()
}

/** The line as `Event` has it. */
export const canonicalLine = (text: string): string => {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return text
  }
  if (!isObject(line)) return text
  const kind = kindOf(line)
  if (kind === undefined) return text
  const nested = line[kind]
  const body = isObject(nested) ? { ...line, ...nested } : line
  const event: Record<string, unknown> = { event_type: kind }
  for (const [name, camel] of fields) {
    const value = body[name] ?? body[camel]
    // a nested event's own name stands beside the kinds' names: `auction` of a flat line is a number
    if (value === undefined || value === null || isObject(value)) continue
    event[name] = times.has(name) ? timeOf(value) : value
  }
  event["auction"] ??= kind === "auction" ? event["id"] : 0
  event["person"] = { person: event["id"], auction: event["seller"], bid: event["bidder"] }[kind]
  return JSON.stringify(event)
}
