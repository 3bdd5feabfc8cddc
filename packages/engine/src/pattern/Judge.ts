/**
 * One record against the partial matches of its key: which take it, which it breaks, whether it begins one.
 *
 * Pure: `PatternState` keeps what it gives. The rules: a way on takes the first record that fits it; a strict one is gone
 * when the next record does not fit; one behind `notFollowedBy` is gone when such a record comes that does not fit itself.
 */
import type { AnyRecord } from "../flow/Node.ts"
import type { HeldRecord } from "./HeldRecord.ts"
import { completes, earlierOf, type PartialMatch, partialOf, type Take } from "./PartialMatch.ts"
import type { PatternPlan } from "./PatternPlan.ts"

export interface Judged {
  /** By their first records, then in the order they came about. */
  readonly partials: ReadonlyArray<PartialMatch>
  /** Matches that the record completes. */
  readonly completed: ReadonlyArray<Take>
}

type Read = (held: HeldRecord) => AnyRecord

const holds = (plan: PatternPlan, record: HeldRecord, step: number, last: Take | undefined, read: Read): boolean => {
  if ((record.mask & (1 << step)) === 0) return false
  const { code, linked } = plan.steps[step]!
  // no first step is linked
  if (linked !== undefined) return linked(record, last!, read)
  return code === undefined || code(read(record), earlierOf(plan, last, step, read)) === true
}

/** The first of a set of steps. */
const lowestOf = (steps: number): number => 31 - Math.clz32(steps & -steps)

const anyHolds = (plan: PatternPlan, record: HeldRecord, steps: number, last: Take, read: Read): boolean => {
  for (let rest = steps & record.mask; rest !== 0; rest &= rest - 1) {
    if (holds(plan, record, lowestOf(rest), last, read)) return true
  }
  return false
}

/** What the record does to the partial match that `meet` looked at last: an object for each would cost more than the look. */
const met = { taken: 0, gone: 0, pending: false }

/** Whether the record changes the partial match. */
const meet = (plan: PatternPlan, partial: PartialMatch, record: HeldRecord, read: Read): boolean => {
  const { last } = partial
  let taken = 0
  let gone = 0
  for (let rest = partial.waiting; rest !== 0; rest &= rest - 1) {
    const step = lowestOf(rest)
    const { consecutive, nots, strict } = plan.steps[step]!
    if (holds(plan, record, step, last, read)) taken |= 1 << step
    else if (step === last.step ? consecutive : strict || (nots !== 0 && anyHolds(plan, record, nots, last, read)))
      gone |= 1 << step
  }
  met.taken = taken
  met.gone = gone
  met.pending = partial.pending && !anyHolds(plan, record, plan.trailing, last, read)
  return (taken | gone) !== 0 || met.pending !== partial.pending
}

/**
 * Undefined: the record changed nothing, as most do. Throws what a condition's code throws. `keep` gives the record as one that a
 * match may hold on to, the same each time.
 */
export const judge = (
  plan: PatternPlan,
  partials: ReadonlyArray<PartialMatch>,
  record: HeldRecord,
  read: Read,
  keep: (record: HeldRecord) => HeldRecord
): Judged | undefined => {
  let same = 0
  while (same < partials.length && !meet(plan, partials[same]!, record, read)) same++
  if (same < partials.length) return judgeFrom(plan, partials, same, record, read, keep(record))
  if (!holds(plan, record, 0, undefined, read)) return undefined
  const judged: Judging = { partials: [...partials], completed: [] }
  take(plan, judged, 0, undefined, keep(record))
  return judged
}

interface Judging {
  readonly partials: Array<PartialMatch>
  readonly completed: Array<Take>
}

/** The record as one to hold on to takes the place of a step. */
const take = (
  plan: PatternPlan,
  into: Judging,
  step: number,
  last: Take | undefined,
  record: HeldRecord,
  start = record
): void => {
  const taken: Take = { record, step, count: last?.step === step ? last.count + 1 : 1, before: last }
  if (plan.trailing === 0 && completes(plan, taken)) into.completed.push(taken)
  const partial = partialOf(plan, taken, start)
  if (partial.waiting !== 0 || partial.pending) into.partials.push(partial)
}

/** The partial matches before `from` stay as they are; the record changes that one. */
const judgeFrom = (
  plan: PatternPlan,
  partials: ReadonlyArray<PartialMatch>,
  from: number,
  record: HeldRecord,
  read: Read,
  kept: HeldRecord
): Judged => {
  const judged: Judging = { partials: partials.slice(0, from), completed: [] }
  for (let index = from; index < partials.length; index++) {
    const partial = partials[index]!
    // what the first one meets is known
    if (index > from && !meet(plan, partial, record, read)) {
      judged.partials.push(partial)
      continue
    }
    const { gone, pending, taken } = met
    const waiting = partial.waiting & ~(taken | gone)
    if (waiting !== 0 || pending) judged.partials.push({ ...partial, waiting, pending })
    for (let step = 0, rest = taken; rest !== 0; step++, rest >>>= 1) {
      if ((rest & 1) !== 0) take(plan, judged, step, partial.last, kept, partial.start)
    }
  }
  if (holds(plan, record, 0, undefined, read)) take(plan, judged, 0, undefined, kept)
  return judged
}
