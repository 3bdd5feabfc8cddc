/**
 * A thread's part of what a lookup may do, where several threads run the shards of one stage.
 *
 * Bounds are declared for the whole: capacity, calls at once, calls a second, answers kept. Each thread gets its part, and
 * the parts add up to what is declared; a stage is dealt to no more threads than each of its lookups has parts for.
 * Breakers, pauses and what was found by trying are each thread's own, as they are each instance's.
 */
import type { StagePlan } from "../plan/StagePlan.ts"
import type { AskPolicy } from "./LookupPolicy.ts"

export interface ThreadPart {
  /** From 0 on. */
  readonly index: number
  readonly of: number
}

/** How many threads can have a part of it: each needs room for a record, a call, and a call's worth of a rate. */
const partsMax = ({ cache, capacity, concurrency, rate }: AskPolicy): number =>
  Math.max(
    1,
    Math.min(
      capacity,
      concurrency.max,
      cache?.entriesMax ?? Number.POSITIVE_INFINITY,
      rate === undefined ? Number.POSITIVE_INFINITY : Math.floor(rate.burst)
    )
  )

/** How many threads, the first ones of all, may run shards of the stage. */
export const threadsMax = ({ lookups }: StagePlan): number =>
  Math.min(Number.POSITIVE_INFINITY, ...lookups.map(({ policy }) => partsMax(policy)))

/** Parts of a whole number differ by one at most, and add up to it. */
const share = (whole: number, { index, of }: ThreadPart): number =>
  Math.floor(whole / of) + (index < whole % of ? 1 : 0)

/** The part of a policy; `of` is no more than its parts. */
export const policyPart = (policy: AskPolicy, part: ThreadPart): AskPolicy => {
  const { cache, capacity, concurrency, rate } = policy
  const max = share(concurrency.max, part)
  const min = Math.max(1, share(concurrency.min, part))
  return {
    ...policy,
    capacity: share(capacity, part),
    concurrency: { max, min, initial: Math.max(min, share(concurrency.initial, part)) },
    ...(cache === undefined ? {} : { cache: { ...cache, entriesMax: share(cache.entriesMax, part) } }),
    ...(rate === undefined
      ? {}
      : { rate: { callsPerSecond: rate.callsPerSecond / part.of, burst: rate.burst / part.of } })
  }
}

/** The stage as a thread runs it. One that none of its shards is dealt to is left as it is. */
export const withPart = (plan: StagePlan, part: ThreadPart | undefined): StagePlan => {
  if (part === undefined || plan.lookups.length === 0) return plan
  const of = Math.min(part.of, threadsMax(plan))
  if (part.index >= of) return plan
  const lookups = plan.lookups.map((lookup) => ({ ...lookup, policy: policyPart(lookup.policy, { ...part, of }) }))
  return { ...plan, lookups }
}
