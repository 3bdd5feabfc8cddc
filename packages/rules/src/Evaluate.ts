/**
 * Rules over records in memory, by plain loops: what documents' own tests and `frazil rules test` run, and the slow twin
 * that streams are compared with.
 *
 * All records count as in time: windows are judged once, when all is in. **Bounds**: holds what it is given.
 */
import { Decimal, type FieldSpec, interpretCondition } from "@frazil/core"
import type { RecordPlace } from "@frazil/engine"
import type { CheckedAggregate, CheckedRule, CheckedWindow } from "./CheckedRule.ts"
import { type AlertRecord, rowAlert, sourcesMax, type WindowSources, windowAlert } from "./Trace.ts"

type AnyRecord = Readonly<Record<string, unknown>>

/** A decoded record of a rule's topic, and where it stands. */
export interface PlacedRecord {
  readonly record: AnyRecord
  readonly place: RecordPlace
}

/** The alerts of one rule: of records in their order, of windows by end and key. */
export const evaluateRule = (rule: CheckedRule, records: ReadonlyArray<PlacedRecord>): ReadonlyArray<AlertRecord> => {
  const holds = interpretCondition(rule.condition)
  if (rule.window === undefined) {
    return records.flatMap(({ place, record }) => (holds(record) ? [rowAlert(rule, record, place)] : []))
  }
  return windowResults(rule, rule.window, records)
    .filter(({ result }) => holds(result))
    .map(({ result, sources }) => windowAlert(rule, result, sources))
}

interface Group {
  readonly key: unknown
  readonly end: number
  readonly records: Array<PlacedRecord>
}

const windowResults = (
  rule: CheckedRule,
  window: CheckedWindow,
  records: ReadonlyArray<PlacedRecord>
): ReadonlyArray<{ readonly result: AnyRecord; readonly sources: WindowSources }> => {
  const groups = new Map<string, Group>()
  for (const each of records) {
    const { record } = each
    const time = Number(record[rule.topic.eventTime!]) // a rule's topic has an event time: it was checked
    const key = record[rule.key.name]
    // the first window that ends after the record, then each that still contains it
    let end = (Math.floor((time - window.sizeMs) / window.everyMs) + 1) * window.everyMs + window.sizeMs
    for (; end - window.sizeMs <= time; end += window.everyMs) {
      const name = JSON.stringify([end, key])
      const group = groups.get(name) ?? { key, end, records: [] }
      groups.set(name, group)
      group.records.push(each)
    }
  }
  return [...groups.values()]
    .sort((a, b) => a.end - b.end || (String(a.key) < String(b.key) ? -1 : 1))
    .map((group) => ({ result: resultOf(rule, window, group), sources: sourcesOf(group) }))
}

const resultOf = (rule: CheckedRule, window: CheckedWindow, { end, key, records }: Group): AnyRecord => {
  const inside = records.map(({ record }) => record)
  return Object.fromEntries([
    [rule.key.name, key],
    ["window_start", end - window.sizeMs],
    ["window_end", end],
    ["revision", 0],
    ...window.aggregates.flatMap((aggregate) => aggregated(aggregate, inside))
  ])
}

const sourcesOf = ({ records }: Group): WindowSources => {
  // records of a key lie in one partition
  const places = records.map(({ place }) => place).sort((a, b) => a.offset - b.offset)
  return { places: places.slice(0, sourcesMax), count: records.length }
}

const aggregated = (aggregate: CheckedAggregate, records: ReadonlyArray<AnyRecord>) => {
  const { field, function: kind, name, where } = aggregate
  const counted = where === undefined ? records : records.filter(interpretCondition(where))
  if (field === undefined) return [[name, counted.length] as const]
  const values = counted.map((record) => record[field.name] ?? null).filter((value) => value !== null)
  if (kind === "distinct") {
    const different = new Set(values).size
    const capped = different > aggregate.valuesMax
    return [[name, capped ? aggregate.valuesMax : different] as const, [`${name}_capped`, capped] as const]
  }
  return [[name, values.length === 0 ? null : numberOf(kind, field, values)] as const]
}

const numberOf = (kind: CheckedAggregate["function"], field: FieldSpec, values: ReadonlyArray<unknown>): unknown => {
  if (field.type._tag === "Decimal") {
    // decoded by the topic's schema
    const unscaled = (values as ReadonlyArray<Decimal>).map((value) => BigInt(value.unscaled))
    return Decimal.make(wholeOf(kind, unscaled), field.type.scale)
  }
  if (field.type._tag === "Int" && kind === "sum")
    return Number(wholeOf(kind, (values as ReadonlyArray<number>).map(BigInt))) // as above
  const numbers = values as ReadonlyArray<number> // as above
  switch (kind) {
    case "min":
      return numbers.reduce((least, value) => Math.min(least, value))
    case "max":
      return numbers.reduce((most, value) => Math.max(most, value))
    default: {
      const total = numbers.reduce((sum, value) => sum + value, 0)
      return kind === "avg" ? total / numbers.length : total
    }
  }
}

const wholeOf = (kind: CheckedAggregate["function"], values: ReadonlyArray<bigint>): bigint => {
  if (kind === "min") return values.reduce((least, value) => (value < least ? value : least))
  if (kind === "max") return values.reduce((most, value) => (value > most ? value : most))
  const total = values.reduce((sum, value) => sum + value, 0n)
  return kind === "avg" ? halfEven(total, BigInt(values.length)) : total
}

/** The quotient, a half rounded to the even neighbour. */
const halfEven = (total: bigint, count: bigint): bigint => {
  const floor = total / count - (total % count < 0n ? 1n : 0n)
  const twice = (total - floor * count) * 2n
  return twice > count || (twice === count && floor % 2n !== 0n) ? floor + 1n : floor
}
