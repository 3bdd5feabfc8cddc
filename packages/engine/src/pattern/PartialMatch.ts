/**
 * Partial matches: what a sequence of records has come to, and what it waits for.
 *
 * Records taken are a list from the last back to the first, so that sequences that begin alike share their beginning. What
 * may come next is a set: each way on takes the first record that fits it, then it is gone. So a partial match is as long as
 * the pattern at most, and there are as many as `partialMatchesMax`.
 */
import type { AnyRecord } from "../flow/Node.ts"
import type { HeldRecord } from "./HeldRecord.ts"
import type { PatternPlan } from "./PatternPlan.ts"

/** A record in the place of a step. */
export interface Take {
  readonly record: HeldRecord
  readonly step: number
  /** Which of the step's records it is, from 1. */
  readonly count: number
  readonly before: Take | undefined
  /** What `earlierOf` made of it last: a partial match meets many records. */
  earlier?: { readonly step: number; readonly records: AnyRecord } | undefined
}

export interface PartialMatch {
  /** Its first record. */
  readonly start: HeldRecord
  readonly last: Take
  /** Steps whose next record it waits for; that of its last step is one more of the same. */
  readonly waiting: number
  /** It is a match when `within` is over, unless a negative step at the end has its record before. */
  readonly pending: boolean
}

/** Whether a take ends a match. */
export const completes = (plan: PatternPlan, { count, step }: Take): boolean =>
  plan.steps[step]!.last && count >= plan.steps[step]!.min

/** The partial match that a take makes. */
export const partialOf = (plan: PatternPlan, last: Take, start: HeldRecord): PartialMatch => {
  const { after, max, min } = plan.steps[last.step]!
  const more = last.count < max ? 1 << last.step : 0
  return {
    start,
    last,
    waiting: more | (last.count >= min ? after : 0),
    pending: plan.trailing !== 0 && completes(plan, last)
  }
}

/** The takes from the first to the last. */
export const takesOf = (last: Take): ReadonlyArray<Take> => {
  const takes: Array<Take> = []
  for (let take: Take | undefined = last; take !== undefined; take = take.before) takes.push(take)
  return takes.reverse()
}

/**
 * Which of two sequences comes first when a record completes both: the one that took the earlier record where they first
 * differ, or, of one record, the earlier step.
 */
export const compareTakes = (left: Take, right: Take): number => {
  const [one, other] = [takesOf(left), takesOf(right)]
  for (const [index, take] of one.entries()) {
    const beside = other[index]
    if (beside === undefined) return 1
    const order = take.record.turn - beside.record.turn || take.step - beside.step
    if (order !== 0) return order
  }
  return one.length - other.length
}

/** Records by step: a record, an array, or null; of the steps before `end`. */
export const recordsBySteps = (
  plan: PatternPlan,
  last: Take | undefined,
  record: (held: HeldRecord) => AnyRecord,
  end: number
): Record<string, unknown> => {
  const entries: Array<readonly [name: string, taken: unknown]> = []
  for (let step = 0; step < end; step++) {
    const { many, name, negative } = plan.steps[step]!
    if (negative) continue
    const records: Array<AnyRecord> = []
    for (let take = last; take !== undefined; take = take.before) {
      if (take.step === step) records.push(record(take.record))
    }
    entries.push([name, many ? records.reverse() : (records.at(-1) ?? null)])
  }
  // defined, not assigned: a step may be named as an accessor that every object inherits
  return Object.fromEntries(entries)
}

/** What the condition of a step is told of earlier records: those of the steps before, and its own. */
export const earlierOf = (
  plan: PatternPlan,
  last: Take | undefined,
  step: number,
  record: (held: HeldRecord) => AnyRecord
): AnyRecord => {
  if (last?.earlier?.step === step) return last.earlier.records
  const own: Array<AnyRecord> = []
  let before = last
  for (; before !== undefined && before.step === step; before = before.before) own.unshift(record(before.record))
  const others = recordsBySteps(plan, before, record, step)
  const records = { ...others, ...Object.fromEntries([[plan.steps[step]!.name, own]]) }
  if (last !== undefined) last.earlier = { step, records }
  return records
}
