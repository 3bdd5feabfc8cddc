/**
 * What a rule document holds, as a schema: the authority on its form, and what editors complete and check by.
 *
 * `Document.ts` reads YAML by it, `Check.ts` judges what needs the topic's fields. `ruleJsonSchema` is written to
 * `lakehouse/rules/schema.json`.
 */
import { Schema } from "effect"

const describe = (description: string) => ({ description })

const idPattern = /^[a-z][a-z0-9-]{0,62}$/
const namePattern = /^[a-z][A-Za-z0-9_]{0,62}$/

const text = (charactersMax: number, description: string) =>
  Schema.String.check(Schema.isNonEmpty(), Schema.isMaxLength(charactersMax)).annotate(describe(description))

const duration = (description: string) => text(40, `${description}: 500ms, 30s, 5m, 2h, 3d`)

const Cel = (description: string) => text(10_000, `${description} (CEL)`)

const Window = Schema.Struct({
  size: duration("How long a window is"),
  every: Schema.optionalKey(duration("A window begins so often; the size when left out: one after the other")),
  allowedLateness: Schema.optionalKey(
    duration("So long after its end a window still takes late records, each with an updated alert; 5m when left out")
  )
}).annotate(describe("Windows of event time"))

const aggregateFunctions = ["count", "sum", "avg", "min", "max", "distinct"] as const

const Aggregate = Schema.Struct({
  function: Schema.Literals(aggregateFunctions).annotate(describe("What is computed of the window's records")),
  field: Schema.optionalKey(text(128, "Of which field; count takes none")),
  where: Schema.optionalKey(Cel("Only of records for which this holds")),
  valuesMax: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).annotate(
      describe("Different values that distinct counts at most; 1000 when left out")
    )
  )
})

const Expectation = Schema.Struct({
  key: Schema.optionalKey(text(1_000, "The alert's key")),
  message: Schema.optionalKey(text(10_000, "The alert's whole message")),
  values: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])).annotate(
      describe("Some of the alert's values; decimals and times as text")
    )
  ),
  window_start: Schema.optionalKey(text(40, "The window's start, ISO-8601"))
})

const Test = Schema.Struct({
  name: text(200, "What the test shows"),
  events: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
    .check(Schema.isMaxLength(1_000))
    .annotate(describe("Records in order; a field that is left out takes a plain value of its kind")),
  expect: Schema.Array(Expectation).annotate(describe("Every alert that must come, in order; [] for none"))
})

export const RuleDocument = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(idPattern)).annotate(
    describe("The rule's name for life: lower case letters, digits and dashes")
  ),
  version: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate(
    describe("Counts up with every change; each alert names it")
  ),
  description: text(2_000, "What it looks for, and why"),
  severity: Schema.Literals(["low", "medium", "high", "critical"]),
  on: text(249, "The topic whose records it judges"),
  kind: Schema.Literals(["row", "window"]).annotate(
    describe("row: each record by itself; window: what the records of a key come to in a window of event time")
  ),
  when: Cel("The condition, over the record's fields, or over the window's key and aggregates"),
  key: Schema.optionalKey(text(128, "The field whose value alerts carry as key; the topic's key when left out")),
  window: Schema.optionalKey(Window),
  aggregates: Schema.optionalKey(
    Schema.Record(Schema.String.check(Schema.isPattern(namePattern)), Aggregate).annotate(
      describe("What the condition of a window rule reads, by name")
    )
  ),
  outcome: Schema.optionalKey(text(64, "What should follow: review, block")),
  score: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: -1_000, maximum: 1_000 })).annotate(describe("Weight of the finding"))
  ),
  message: text(2_000, "For people; {name} stands for a field or an aggregate, {{ and }} for braces"),
  effective: Schema.optionalKey(
    Schema.Struct({
      from: Schema.optionalKey(text(40, "Records before do not alert; ISO-8601 with Z or an offset")),
      until: Schema.optionalKey(text(40, "Records from here on do not alert"))
    }).annotate(describe("By event time; by the window's end for windows"))
  ),
  tests: Schema.optionalKey(Schema.Array(Test).check(Schema.isMaxLength(200)))
})

export type RuleDocument = typeof RuleDocument.Type
export type AggregateDocument = typeof Aggregate.Type
export type TestDocument = typeof Test.Type
export type Severity = RuleDocument["severity"]

/** The JSON Schema of a rule document, for editors. */
export const ruleJsonSchema = (): object => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(RuleDocument)
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A rule of frazil",
    ...schema,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}
