/**
 * State as people may see it: of stages that have personal fields, records are masked field by field, and what code or
 * aggregates made of records whole.
 *
 * States put what records brought under `record`, `value`, `values` and `key` alone (`OperatorState.read`).
 */
import { makeRecordMask, personalText, type RecordShape } from "@frazil/core"
import type { StagePlan } from "../plan/StagePlan.ts"

const encoder = new TextEncoder()

/** Every text, number and flag in it. */
const masked = (value: unknown): unknown => {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== "object") return personalText
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, masked(inner)]))
}

const hasPersonal = (shape: RecordShape): boolean => shape.fields.some(({ personal }) => personal)

/** The mask of a stage's state; undefined when nothing of what it reads is personal. */
export const maskOf = (plan: StagePlan): ((state: object) => object) | undefined => {
  const tables = plan.tables.map(({ topic }) => topic.shape)
  // what a service answers has a contract of its own, which says less than a topic's
  const shapes = plan.ports.map(({ source }) => source.shape)
  const secret = [...shapes, ...tables].some(hasPersonal) || plan.lookups.length > 0
  if (!secret) return undefined
  // which port a record came by is not told here: what any of them hides is hidden
  const masks = shapes.flatMap((shape) => makeRecordMask(shape) ?? [])
  const record = (value: unknown): unknown =>
    masks.length === 0
      ? masked(value)
      : masks.reduce((shown, mask): unknown => JSON.parse(mask(encoder.encode(JSON.stringify(shown)))), value)
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        if (name === "record") return [name, record(inner)]
        return [name, name === "value" || name === "values" || name === "key" ? masked(inner) : walk(inner)]
      })
    )
  }
  return (state) => walk(state) as object // of an object it makes one
}
