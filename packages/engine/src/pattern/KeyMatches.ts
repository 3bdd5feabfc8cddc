/** What one key has open: its partial matches, and matches that wait for an earlier one. */
import type { Listed } from "../state/Capture.ts"
import type { Open } from "./AfterMatch.ts"
import type { PatternPlan } from "./PatternPlan.ts"
import type { Timed } from "./TimeQueue.ts"

export interface KeyMatches extends Open, Listed {
  readonly key: string
  /** Since the last delta. */
  changed: boolean
  /** When it is looked at next; infinite: no deadline of it is listed. */
  dueAt: number
}

/** When the first partial match of a key is over, or was when it was put there. */
export interface Deadline extends Timed {
  readonly keyed: KeyMatches
}

export const makeKeyMatches = (key: string): KeyMatches => ({
  key,
  partials: [],
  completed: [],
  changed: false,
  dueAt: Number.POSITIVE_INFINITY,
  listedIn: 0
})

/** Whether it has something, as it is or in its durable form. */
export const isOpen = ({ completed, partials }: { readonly [P in keyof Open]: ReadonlyArray<unknown> }): boolean =>
  partials.length + completed.length > 0

/** The deadline of the first partial match; undefined when there is none. */
export const deadlineOf = ({ spec }: PatternPlan, keyed: KeyMatches): Deadline | undefined => {
  const start = keyed.partials[0]?.start
  // of two keys' deadlines at one time the one that began first comes first
  return start === undefined ? undefined : { time: start.time + spec.withinMs, id: start.turn, keyed }
}
