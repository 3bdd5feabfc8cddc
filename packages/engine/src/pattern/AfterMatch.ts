/**
 * After-match skip strategies: which matches are given, and what each discards.
 *
 * As Flink CEP has it: with a strategy that skips, a match waits while a partial match that began before it may still become
 * one, so matches are given in the order of their first records, whatever comes between.
 */
import type { HeldRecord } from "./HeldRecord.ts"
import { compareTakes, type PartialMatch, type Take, takesOf } from "./PartialMatch.ts"
import type { PatternPlan } from "./PatternPlan.ts"

/** A match that is complete but not given yet. */
export interface CompletedMatch {
  readonly start: HeldRecord
  readonly last: Take
}

export interface Open {
  partials: ReadonlyArray<PartialMatch>
  /** In the order in which they are given. */
  completed: ReadonlyArray<CompletedMatch>
}

export const startOf = (last: Take): HeldRecord => {
  let take = last
  while (take.before !== undefined) take = take.before
  return take.record
}

/** Adds what a record completed, by first records; what was there before comes first of those. */
export const addCompleted = (open: Open, completed: ReadonlyArray<Take>): void => {
  const [only] = completed
  if (only === undefined) return
  if (completed.length === 1 && open.completed.length === 0)
    return void (open.completed = [{ start: startOf(only), last: only }])
  const added = completed.toSorted(compareTakes).map((last) => ({ start: startOf(last), last }))
  open.completed = [...open.completed, ...added].toSorted((left, right) => left.start.turn - right.start.turn)
}

/** Partial and complete matches that began before the record with this turn are discarded. */
const discardedBelow = ({ spec, steps }: PatternPlan, match: CompletedMatch): number => {
  const { skip } = spec
  if (skip === "noSkip") return Number.NEGATIVE_INFINITY
  if (skip === "skipToNext") return match.start.turn + 1
  if (skip === "skipPastLastEvent") return match.last.record.turn + 1
  const name = "skipToFirst" in skip ? skip.skipToFirst : skip.skipToLast
  const takes = takesOf(match.last).filter(({ step }) => steps[step]!.name === name)
  const to = "skipToFirst" in skip ? takes[0] : takes.at(-1)
  return to?.record.turn ?? Number.NEGATIVE_INFINITY
}

/** Gives the matches whose turn it is, in order; each discards what its strategy says. */
export const giveMatches = (plan: PatternPlan, open: Open, give: (last: Take) => void): void => {
  while (open.completed.length > 0) {
    const [match] = open.completed as [CompletedMatch]
    const earlier = open.partials[0]
    if (plan.spec.skip !== "noSkip" && earlier !== undefined && earlier.start.turn < match.start.turn) return
    open.completed = open.completed.slice(1)
    const below = discardedBelow(plan, match)
    if (below > match.start.turn || below > (open.partials[0]?.start.turn ?? Number.POSITIVE_INFINITY)) {
      open.partials = open.partials.filter(({ start }) => start.turn >= below)
      open.completed = open.completed.filter(({ start }) => start.turn >= below)
    }
    give(match.last)
  }
}
