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
  /** By their first records, then in the order they came about; the same array when the record changed nothing. */
  readonly partials: ReadonlyArray<PartialMatch>
  /** Matches that the record completes. */
  readonly completed: ReadonlyArray<Take>
}

type Read = (held: HeldRecord) => AnyRecord

const holds = (plan: PatternPlan, record: HeldRecord, step: number, last: Take | undefined, read: Read): boolean => {
  if ((record.mask & (1 << step)) === 0) return false
  const { code } = plan.steps[step]!
  return code === undefined || code(read(record), earlierOf(plan, last, step, read)) === true
}

const anyHolds = (plan: PatternPlan, record: HeldRecord, steps: number, last: Take, read: Read): boolean => {
  for (let step = 0, rest = steps & record.mask; rest !== 0; step++, rest >>>= 1) {
    if ((rest & 1) !== 0 && holds(plan, record, step, last, read)) return true
  }
  return false
}

/** Throws what a condition's code throws. */
export const judge = (
  plan: PatternPlan,
  partials: ReadonlyArray<PartialMatch>,
  record: HeldRecord,
  read: Read
): Judged => {
  /** Made when the first one changes: most records change nothing. */
  let kept: Array<PartialMatch> | undefined
  const completed: Array<Take> = []
  const take = (into: Array<PartialMatch>, step: number, last: Take | undefined, start: HeldRecord) => {
    const taken: Take = { record, step, count: last?.step === step ? last.count + 1 : 1, before: last }
    if (plan.trailing === 0 && completes(plan, taken)) completed.push(taken)
    const partial = partialOf(plan, taken, start)
    if (partial.waiting !== 0 || partial.pending) into.push(partial)
  }
  for (let index = 0; index < partials.length; index++) {
    const partial = partials[index]!
    const { last } = partial
    let taken = 0
    let gone = 0
    for (let step = 0, rest = partial.waiting; rest !== 0; step++, rest >>>= 1) {
      if ((rest & 1) === 0) continue
      const { consecutive, nots, strict } = plan.steps[step]!
      if (holds(plan, record, step, last, read)) taken |= 1 << step
      else if (step === last.step ? consecutive : strict || (nots !== 0 && anyHolds(plan, record, nots, last, read)))
        gone |= 1 << step
    }
    const pending = partial.pending && !anyHolds(plan, record, plan.trailing, last, read)
    if ((taken | gone) === 0 && pending === partial.pending) {
      kept?.push(partial)
      continue
    }
    kept ??= partials.slice(0, index)
    const waiting = partial.waiting & ~(taken | gone)
    if (waiting !== 0 || pending) kept.push({ ...partial, waiting, pending })
    for (let step = 0, rest = taken; rest !== 0; step++, rest >>>= 1) {
      if ((rest & 1) !== 0) take(kept, step, last, partial.start)
    }
  }
  if (holds(plan, record, 0, undefined, read)) take((kept ??= [...partials]), 0, undefined, record)
  return { partials: kept ?? partials, completed }
}
