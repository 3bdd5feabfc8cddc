/**
 * What a pattern is refused for when its job is declared: counts that make no sense, names that clash, steps that cannot be
 * where they are.
 *
 * Called by `CheckGraph` beside `CheckState`, which has what patterns share with other keyed state.
 */
import type { NodeOf } from "../flow/Node.ts"
import type { PatternSpec } from "../pattern/Pattern.ts"
import { conditionsMax } from "../pattern/PatternPlan.ts"

type Tell = (problem: string) => void

/** A match is one record: so many records of a key go into it at most. */
const recordsPerMatchMax = 1000
const partialMatchesMaxMax = 10_000

export const checkPattern = (name: string, { key, pattern }: NodeOf<"pattern">, tell: Tell): void => {
  const { partialMatchesMax, recordsHeldMax, steps, withinMs } = pattern
  if (!(withinMs > 0))
    tell(`${name}: its within is nothing, so no two records could be a match: write how long it may take`)
  if (!(partialMatchesMax >= 1 && partialMatchesMax <= partialMatchesMaxMax))
    tell(`${name}: partialMatchesMax must be from 1 to ${partialMatchesMaxMax}, found ${partialMatchesMax}`)
  if (!(recordsHeldMax >= 1)) tell(`${name}: recordsHeldMax must be at least 1, found ${recordsHeldMax}`)
  if (steps.length > conditionsMax)
    tell(`${name}: it has ${steps.length} conditions, at most ${conditionsMax}; write it as two patterns over a topic`)
  if (key.includes("steps"))
    tell(`${name}: keyed by a field named steps, as the steps of a match are; rename the field`)
  checkSteps(name, pattern, tell)
  checkSkip(name, pattern, tell)
}

const checkSteps = (name: string, { steps }: PatternSpec, tell: Tell) => {
  let records = 0
  for (const [index, step] of steps.entries()) {
    const { max, min, optional } = step
    const before = steps[index - 1]
    if (steps.findIndex((other) => other.name === step.name) < index)
      tell(`${name}: two steps are named "${step.name}"; give each its own name`)
    if (!Number.isInteger(min) || !Number.isInteger(max) || min < 1 || max < min)
      tell(`${name}: "${step.name}" takes ${min} to ${max} records; write whole numbers from 1, the lesser first`)
    if (index === 0 && optional) tell(`${name}: its first step "${step.name}" is optional; begin with the one after it`)
    if (before?.negative === true && optional)
      tell(`${name}: "${step.name}" follows notFollowedBy, so it must be there; write a pattern for each way`)
    if (!step.negative) records += max
  }
  if (records > recordsPerMatchMax)
    tell(`${name}: a match would hold up to ${records} records, at most ${recordsPerMatchMax}; lower a max`)
}

const checkSkip = (name: string, { skip, steps }: PatternSpec, tell: Tell) => {
  if (typeof skip === "string") return
  const to = "skipToFirst" in skip ? skip.skipToFirst : skip.skipToLast
  const at = steps.findIndex((step) => step.name === to)
  if (at < 0 || steps[at]!.negative) tell(`${name}: skips to "${to}", which is no step that takes records`)
  if (at === 0 && ("skipToFirst" in skip || !steps[0]!.many))
    tell(`${name}: skips to "${to}", with which a match begins, so it would skip nothing; write noSkip`)
}
