/**
 * Checked rules as flows: one pass of a decider for the row rules of a topic, windows with deciders over their results for
 * its window rules.
 *
 * `packages/flows` puts them into jobs. Pure; the engine compiles and interprets the conditions. Rules whose windows and
 * aggregates go together share one window operator.
 */
import { createHash } from "node:crypto"
import { expr } from "@frazil/core"
import {
  type Aggregate,
  avg,
  count,
  countDistinct,
  type Decider,
  Flow,
  max,
  min,
  offsets,
  type RecordPlace,
  sum,
  Window
} from "@frazil/engine"
import type { CheckedAggregate, CheckedRule, CheckedWindow, RuleTopic } from "./CheckedRule.ts"
import type { RuleSet } from "./RuleSet.ts"
import { type AlertRecord, rowAlert, sourcesMax, type WindowSources, windowAlert } from "./Trace.ts"
import { pickedField, pickedValue } from "./Where.ts"

type AnyRecord = Readonly<Record<string, unknown>>
/** A window rule. */
type WindowRule = CheckedRule & { readonly window: CheckedWindow }

/** Window rules that one operator serves: the same windows, and no two aggregates of one name that differ. */
interface Group {
  readonly window: CheckedWindow
  readonly aggregates: Map<string, CheckedAggregate>
  readonly rules: Array<WindowRule>
}

/** Names of what every group computes beside the rules' aggregates; no aggregate's name begins with a capital. */
const countField = "SourcesCount"
const offsetsField = "SourcesOffsets"

const declared = ({ field, function: kind, name, valuesMax, where }: CheckedAggregate): string =>
  JSON.stringify([name, kind, field?.name ?? null, kind === "distinct" ? valuesMax : null, where?.source ?? null])

const sameWindow = (a: CheckedWindow, b: CheckedWindow) =>
  a.sizeMs === b.sizeMs && a.everyMs === b.everyMs && a.allowedLatenessMs === b.allowedLatenessMs

const fits = (group: Group, { window }: WindowRule): boolean =>
  sameWindow(group.window, window) &&
  window.aggregates.every((aggregate) => {
    const other = group.aggregates.get(aggregate.name)
    return other === undefined || declared(other) === declared(aggregate)
  })

const groupsOf = (rules: ReadonlyArray<WindowRule>): ReadonlyArray<Group> => {
  const groups: Array<Group> = []
  for (const rule of rules) {
    let group = groups.find((candidate) => fits(candidate, rule))
    if (group === undefined) groups.push((group = { window: rule.window, aggregates: new Map(), rules: [] }))
    group.rules.push(rule)
    for (const aggregate of rule.window.aggregates) group.aggregates.set(aggregate.name, aggregate)
  }
  return groups
}

/** The group's operator: other aggregates are another state, which starts empty. */
const nameOf = ({ aggregates, window }: Group): string => {
  const what = [...aggregates.values()].map(declared).sort()
  const hash = createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 8)
  return `rules(${window.sizeMs}/${window.everyMs}/${window.allowedLatenessMs})#${hash}`
}

/** Fields were checked when the rule was: here any name goes. */
type Named = (field: string) => Aggregate<AnyRecord, unknown>
const byName = { sum: sum as Named, avg: avg as Named, min: min as Named, max: max as Named }
const distinctByName = countDistinct as (
  field: string,
  options: { readonly valuesMax: number }
) => Aggregate<AnyRecord, unknown>

const aggregateOf = (aggregate: CheckedAggregate): Aggregate<AnyRecord, unknown> => {
  const { field, function: kind, valuesMax, where } = aggregate
  // counting what a condition picks is adding up ones
  if (kind === "count") return where === undefined ? count() : byName.sum(pickedField(aggregate))
  const name = where === undefined ? (field?.name ?? "") : pickedField(aggregate)
  return kind === "distinct" ? distinctByName(name, { valuesMax }) : byName[kind](name)
}

/** What a window's result was made of; made once for the rules that hold for it. */
const makeSources = () => {
  let last: AnyRecord | undefined
  let sources: WindowSources = { places: [], count: 0 }
  return (result: AnyRecord, { partition, topic }: RecordPlace): WindowSources => {
    if (result === last) return sources
    last = result
    const offsets = result[offsetsField] as ReadonlyArray<number> // every result has what the group computes
    const places = offsets.map((offset) => ({ topic, partition, offset }))
    return (sources = { places, count: Number(result[countField]) })
  }
}

const ms = (value: number) => `${value}ms` as const

/** The alerts of a group, over the topic's records. */
const windowFlow = (group: Group, topic: RuleTopic, records: Flow.Flow<AnyRecord>): Flow.Flow<AlertRecord> => {
  const { aggregates, rules, window } = group
  const picked = [...aggregates.values()].flatMap((aggregate) => {
    const value = pickedValue(aggregate)
    return value === undefined ? [] : [[pickedField(aggregate), value] as const]
  })
  const extended = picked.length === 0 ? records : records.pipe(Flow.extend(Object.fromEntries(picked)))
  // the key was checked against the topic
  const keyed = (extended as Flow.Flow<Readonly<Record<string, string>>>).pipe(Flow.keyBy(topic.key[0]!))
  const computed = [...aggregates.values()].map((aggregate) => [aggregate.name, aggregateOf(aggregate)] as const)
  const results = keyed.pipe(
    Flow.window(
      Window.hopping(ms(window.sizeMs), {
        every: ms(window.everyMs),
        allowedLateness: ms(window.allowedLatenessMs)
      }),
      {
        ...Object.fromEntries(computed),
        [countField]: count(),
        [offsetsField]: offsets({ offsetsMax: sourcesMax })
      },
      { name: nameOf(group) }
    )
  )
  const sourcesOf = makeSources()
  const decider: Decider<AnyRecord, AlertRecord> = {
    conditions: rules.map(({ condition }) => expr(condition.source)),
    decide: (index, result, place) => windowAlert(rules[index]!, result, sourcesOf(result, place))
  }
  // a window's results are plain objects of the fields that rules were checked against
  return (results as Flow.Flow<AnyRecord>).pipe(Flow.decide(decider))
}

/**
 * The alerts of every rule about the topic whose records the flow has. The first flow is that of the row rules, also when
 * there are none: a job's outputs do not depend on its rules.
 */
export const alertFlows = (
  { rules }: RuleSet,
  topic: RuleTopic,
  records: Flow.Flow<object>
): readonly [Flow.Flow<AlertRecord>, ...ReadonlyArray<Flow.Flow<AlertRecord>>] => {
  const about = rules.filter((rule) => rule.topic.name === topic.name)
  const row = about.filter((rule) => rule.window === undefined)
  const windows = about.filter((rule): rule is WindowRule => rule.window !== undefined)
  const decider: Decider<AnyRecord, AlertRecord> = {
    conditions: row.map(({ condition }) => expr(condition.source)),
    decide: (index, record, place) => rowAlert(row[index]!, record, place)
  }
  const plain = records as Flow.Flow<AnyRecord> // a record is a plain object of its fields
  return [plain.pipe(Flow.decide(decider)), ...groupsOf(windows).map((group) => windowFlow(group, topic, plain))]
}
