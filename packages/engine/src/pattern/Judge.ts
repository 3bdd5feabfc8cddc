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

/** Throws what a condition's code throws. */
export const judge = (
  plan: PatternPlan,
  partials: ReadonlyArray<PartialMatch>,
  record: HeldRecord,
  read: (held: HeldRecord) => AnyRecord
): Judged => {
  const kept: Array<PartialMatch> = []
  const completed: Array<Take> = []
  let same = true
  const holds = (step: number, last: Take | undefined): boolean => {
    if ((record.mask & (1 << step)) === 0) return false
    const { code } = plan.steps[step]!
    return code === undefined || code(read(record), earlierOf(plan, last, step, read)) === true
  }
  const anyHolds = (steps: number, last: Take): boolean => {
    for (let step = 0, rest = steps & record.mask; rest !== 0; step++, rest >>>= 1) {
      if ((rest & 1) !== 0 && holds(step, last)) return true
    }
    return false
  }
  const take = (step: number, last: Take | undefined, start: HeldRecord) => {
    same = false
    const count = last?.step === step ? last.count + 1 : 1
    const taken: Take = { record, step, count, before: last }
    if (plan.trailing === 0 && completes(plan, taken)) completed.push(taken)
    const partial = partialOf(plan, taken, start)
    if (partial.waiting !== 0 || partial.pending) kept.push(partial)
  }
  for (const partial of partials) {
    const { last } = partial
    const takes: Array<number> = []
    let { waiting } = partial
    for (let step = 0, rest = waiting; rest !== 0; step++, rest >>>= 1) {
      if ((rest & 1) === 0) continue
      const { consecutive, nots, strict } = plan.steps[step]!
      const again = step === last.step
      if (holds(step, last)) takes.push(step)
      else if (again ? !consecutive : !strict && !anyHolds(nots, last)) continue
      waiting &= ~(1 << step)
    }
    const pending = partial.pending && !anyHolds(plan.trailing, last)
    if (waiting === partial.waiting && pending === partial.pending) kept.push(partial)
    else {
      same = false
      if (waiting !== 0 || pending) kept.push({ ...partial, waiting, pending })
    }
    for (const step of takes) take(step, last, partial.start)
  }
  if (holds(0, undefined)) take(0, undefined, record)
  return { partials: same ? partials : kept, completed }
}
