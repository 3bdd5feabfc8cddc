/** What only window rules have: lengths of time, aggregates, their fields. Part of `Check.ts`. */
import { type FieldSpec, type FieldType, parseDuration, type RecordShape } from "@frazil/core"
import { checkCondition, type CheckContext } from "./CheckContext.ts"
import type { CheckedAggregate, CheckedWindow, RuleTopic } from "./CheckedRule.ts"
import type { AggregateDocument } from "./Rule.ts"
import { windowShape } from "./WindowShape.ts"

const allowedLatenessDefault = "5m"
const valuesMaxDefault = 1_000
const aggregatesMax = 20
/** A window is made of so many pieces at most; see `Flow.window`. */
const panesPerWindowMax = 10_000

const numeric: ReadonlySet<FieldType["_tag"]> = new Set(["Int", "Double", "Decimal"])
const ordered: ReadonlySet<FieldType["_tag"]> = new Set([...numeric, "Timestamp"])
const counted: ReadonlySet<FieldType["_tag"]> = new Set(["Text", "Int", "Double", "Timestamp", "Date"])
const taken = new Set(["window_start", "window_end", "revision"])

const kindsOf = (name: AggregateDocument["function"]) =>
  name === "distinct" ? counted : name === "min" || name === "max" ? ordered : numeric

/** The window of a window rule with the fields of its results; undefined for row rules, and when it cannot be told. */
export const checkWindow = (
  context: CheckContext,
  topic: RuleTopic,
  key: FieldSpec | undefined
): { readonly window: CheckedWindow; readonly shape: RecordShape } | undefined => {
  const { read, refuse } = context
  const { aggregates, kind, window } = read.document
  if (kind === "row") {
    if (window !== undefined) refuse(["window"], "a row rule has no window: leave it out, or write kind: window")
    if (aggregates !== undefined) refuse(["aggregates"], "a row rule has no aggregates: it judges one record")
    return undefined
  }
  if (window === undefined) refuse(["kind"], "a window rule has a window: write window: { size: 5m }")
  const entries = Object.entries(aggregates ?? {})
  if (entries.length === 0) refuse(["kind"], "a window rule reads aggregates: name at least one")
  if (entries.length > aggregatesMax) refuse(["aggregates"], `at most ${aggregatesMax} aggregates`)
  if (key !== undefined && topic.key.join() !== key.name) {
    refuse(["key"], `${topic.name} is partitioned by ${topic.key.join(", ") || "nothing"}: a window's key must be that`)
  }
  const checked = entries.slice(0, aggregatesMax).flatMap(([name, each]) => {
    if (
      name === key?.name ||
      taken.has(name) ||
      (name.endsWith("_capped") && name.slice(0, -7) in (aggregates ?? {}))
    ) {
      refuse(["aggregates", name], `a window's result has a field ${name} already: choose another name`)
      return []
    }
    return checkAggregate(context, topic, name, each) ?? []
  })
  const times = window === undefined ? undefined : checkTimes(context, window)
  if (times === undefined || key === undefined || checked.length < entries.length) return undefined
  return { window: { ...times, aggregates: checked }, shape: windowShape(key, checked) }
}

const checkTimes = (
  { refuse }: CheckContext,
  window: { readonly size: string; readonly every?: string; readonly allowedLateness?: string }
) => {
  const lengthOf = (name: "size" | "every" | "allowedLateness", text: string, least: number): number | undefined => {
    const ms = parseDuration(text)
    if (ms === undefined) return refuse(["window", name], "a duration is written 500ms, 30s, 5m, 2h or 3d")
    return ms >= least ? ms : refuse(["window", name], "it must be longer than nothing")
  }
  const sizeMs = lengthOf("size", window.size, 1)
  const everyMs = window.every === undefined ? sizeMs : lengthOf("every", window.every, 1)
  const allowedLatenessMs = lengthOf("allowedLateness", window.allowedLateness ?? allowedLatenessDefault, 0)
  if (sizeMs === undefined || everyMs === undefined || allowedLatenessMs === undefined) return undefined
  if (everyMs > sizeMs) return refuse(["window", "every"], "windows must meet: every is at most the size")
  if (sizeMs % everyMs !== 0) return refuse(["window", "every"], "the size must be a multiple of it")
  if (sizeMs / everyMs > panesPerWindowMax) {
    return refuse(["window", "every"], `at most ${panesPerWindowMax} windows may overlap: choose a longer one`)
  }
  return { sizeMs, everyMs, allowedLatenessMs }
}

const checkAggregate = (
  context: CheckContext,
  topic: RuleTopic,
  name: string,
  aggregate: AggregateDocument
): CheckedAggregate | undefined => {
  const { refuse } = context
  const path = ["aggregates", name]
  const { function: kind } = aggregate
  const where =
    aggregate.where === undefined
      ? undefined
      : checkCondition(context, [...path, "where"], aggregate.where, topic.shape)
  if (aggregate.where !== undefined && where === undefined) return undefined
  if (aggregate.valuesMax !== undefined && kind !== "distinct") {
    return refuse([...path, "valuesMax"], "only distinct has a bound of values")
  }
  const valuesMax = aggregate.valuesMax ?? valuesMaxDefault
  if (kind === "count") {
    if (aggregate.field !== undefined) return refuse([...path, "field"], "count counts records: leave the field out")
    return { name, function: kind, field: undefined, where, valuesMax }
  }
  if (aggregate.field === undefined) return refuse(path, `${kind} needs a field`)
  const field = topic.shape.byName.get(aggregate.field)
  if (field === undefined || field.hiddenFromRules) {
    return refuse([...path, "field"], `no field "${aggregate.field}" that a rule could read`)
  }
  if (!kindsOf(kind).has(field.type._tag)) {
    return refuse([...path, "field"], `there is no ${kind} of "${field.name}", a ${field.type._tag.toLowerCase()}`)
  }
  if (where !== undefined && field.type._tag !== "Text" && !numeric.has(field.type._tag)) {
    return refuse([...path, "where"], `only numbers and texts can be picked by a condition, "${field.name}" is neither`)
  }
  return { name, function: kind, field, where, valuesMax }
}
