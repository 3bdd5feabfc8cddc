/**
 * What a rule found, with what explains it: the record of `alerts`.
 *
 * `Plan.ts` makes one where a condition holds, `Evaluate.ts` likewise. Everything in it follows from the rule and what it
 * matched, so that a replay, another batching or a restart gives the same bytes. Personal fields show as `(personal)`.
 */
import { CalendarDate, type Decimal, type FieldSpec, personalText, Timestamp, eventTimeEndMs } from "@frazil/core"
import type { RecordPlace } from "@frazil/engine"
import { createHash } from "node:crypto"
import type { CheckedRule } from "./CheckedRule.ts"
import type { Severity } from "./Rule.ts"
import { fillTemplate } from "./Template.ts"

export type AlertValue = string | number | boolean | null

/** A record of `alerts`. */
export interface AlertRecord {
  readonly alert_id: string
  readonly rule_id: string
  readonly rule_version: number
  readonly severity: Severity
  readonly key: string
  readonly event_timestamp: Timestamp
  readonly window_start: Timestamp | null
  readonly window_end: Timestamp | null
  readonly revision: number
  readonly outcome: string | null
  readonly score: number | null
  readonly values: { readonly [name: string]: AlertValue }
  readonly message: string
  readonly sources: ReadonlyArray<RecordPlace>
  readonly sources_count: number
}

type AnyRecord = Readonly<Record<string, unknown>>

/** Longer texts are cut where they are shown. */
const valueCharactersMax = 500

/** A field's value as people and JSON take it: decimals and times as text. */
const shown = (field: FieldSpec, value: unknown): AlertValue => {
  if (value === null || value === undefined) return null
  if (field.personal) return personalText
  switch (field.type._tag) {
    case "Timestamp":
      return Timestamp.format(value as Timestamp) // the record was decoded by its schema; likewise below
    case "Date":
      return CalendarDate.format(value as CalendarDate)
    case "Decimal":
      return (value as Decimal).toString()
    case "Json":
      return "(nested)"
    default:
      if (typeof value === "number" || typeof value === "boolean") return value
      return cut(String(value))
  }
}

const cut = (text: string) =>
  text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax).toWellFormed()}…` : text

/** The name that an alert has for good. */
export const alertId = (...what: ReadonlyArray<string | number>): string =>
  createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 32)

const fieldOf = (record: AnyRecord, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : null)

const explain = (rule: CheckedRule, record: AnyRecord) => {
  const { document, message, reads, shape } = rule
  const valueOf = (name: string) => String(shown(shape.byName.get(name)!, fieldOf(record, name)) ?? "null")
  return {
    rule_id: document.id,
    rule_version: document.version,
    severity: document.severity,
    key: String(fieldOf(record, rule.key.name)),
    outcome: document.outcome ?? null,
    score: document.score ?? null,
    values: Object.fromEntries(reads.map((field) => [field.name, shown(field, fieldOf(record, field.name))])),
    // a template names fields of the shape only
    message: fillTemplate(message, valueOf)
  }
}

/** The alert of a row rule whose condition holds for the record there. */
export const rowAlert = (rule: CheckedRule, record: AnyRecord, place: RecordPlace): AlertRecord => {
  const explained = explain(rule, record)
  const { topic, partition, offset } = place
  return {
    alert_id: alertId(explained.rule_id, explained.key, topic, partition, offset),
    ...explained,
    // a rule's topic has an event time: it was checked
    event_timestamp: fieldOf(record, rule.topic.eventTime!) as Timestamp,
    window_start: null,
    window_end: null,
    revision: 0,
    sources: [{ topic, partition, offset }],
    sources_count: 1
  }
}

/** An alert names so many records; `sources_count` is how many there are. */
export const sourcesMax = 100

/** The records that a window was made of: where the first of them stand, and how many there are. */
export interface WindowSources {
  readonly places: ReadonlyArray<RecordPlace>
  readonly count: number
}

/** The alert of a window rule whose condition holds for the window's result. */
export const windowAlert = (rule: CheckedRule, result: AnyRecord, sources: WindowSources): AlertRecord => {
  const explained = explain(rule, result)
  // every result of a window has these
  const { revision, window_end, window_start } = result as Pick<AlertRecord, "revision"> & {
    readonly window_start: Timestamp
    readonly window_end: Timestamp
  }
  return {
    alert_id: alertId(explained.rule_id, explained.key, window_start, window_end),
    ...explained,
    // a window of the last believable minutes ends after them: its alert would be refused by its own topic
    event_timestamp: Timestamp.make(Math.min(window_end, eventTimeEndMs - 1)),
    window_start,
    window_end,
    revision,
    sources: sources.places,
    sources_count: sources.count
  }
}

/** An alert as JSON shows it: its topic's form. */
export const alertJson = (alert: AlertRecord) => ({
  ...alert,
  event_timestamp: Timestamp.format(alert.event_timestamp),
  window_start: alert.window_start === null ? null : Timestamp.format(alert.window_start),
  window_end: alert.window_end === null ? null : Timestamp.format(alert.window_end)
})
