/**
 * How a flow asks a lookup service: bounds, patience and memory, as they are declared and as they run.
 *
 * `Flow.lookup` takes a `LookupPolicy`; `Job.make` tells what makes no sense in it; `run/lookup` reads the `AskPolicy`.
 */
import { durationMs, type DurationText } from "@frazil/core"

export interface LookupPolicy {
  /** Records that wait, are asked about, or are answered and not yet passed on, in all partitions of a task. 1,000. */
  readonly capacity?: number
  /** `ordered`: records leave in the order they came in, per partition; `unordered`: as their answers come. Ordered. */
  readonly order?: "ordered" | "unordered"
  /** A call that takes longer is interrupted. 5 seconds. */
  readonly timeout?: DurationText
  /** How a failed call is tried again. */
  readonly retry?: {
    /** Calls for one record, the first included, before it fails; without end where the policy waits. 3. */
    readonly attemptsMax?: number
    /** The pause before the second call; it doubles with each further one, less up to a half by chance. 100 ms. */
    readonly first?: DurationText
    /** 10 seconds. */
    readonly longest?: DurationText
  }
  /** Stops asking after failures in a row, then tries again with a few. `"none"`: never. */
  readonly breaker?:
    | "none"
    | {
        /** 10. */
        readonly failures?: number
        /** 2 seconds. */
        readonly openFor?: DurationText
        /** Calls at once that try whether the other side is back. 1. */
        readonly probesMax?: number
      }
  /** Answers to keep. None unless declared; records that ask for one key at once then share a call. */
  readonly cache?: {
    readonly entriesMax: number
    readonly ttl: DurationText
    /** How long "there is nothing" is believed; not at all unless declared. */
    readonly negativeTtl?: DurationText
  }
  /** Keys in one `lookupMany`. One by one unless declared. */
  readonly batch?: {
    readonly keysMax: number
    /** How long the first key of a batch waits for others. 5 ms. */
    readonly wait?: DurationText
  }
  /** A bound on calls, if one is known. */
  readonly rate?: { readonly callsPerSecond: number; readonly burst?: number }
  /**
   * Calls at once. Found while running between `min` (1) and `max` (the capacity), beginning with `initial` (16): more
   * while answers come as fast as before, fewer when the other side is overloaded. A number: always that many.
   */
  readonly concurrency?: number | { readonly initial?: number; readonly min?: number; readonly max?: number }
  /**
   * While the other side is unavailable (transient and overloaded failures, timeouts, an open breaker): `wait`: records
   * wait, and when the capacity is used up the source pauses; nothing fails. `fail`: a record fails when its attempts are
   * used up, at once while the breaker is open. Wait.
   */
  readonly whileUnavailable?: "wait" | "fail"
  /** A record without an answer after so long fails, also where the policy waits. None. A restart begins it anew. */
  readonly deadline?: DurationText
}

/** A policy with defaults, in numbers. */
export interface AskPolicy {
  readonly capacity: number
  readonly ordered: boolean
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly retryFirstMs: number
  readonly retryLongestMs: number
  readonly breaker: { readonly failures: number; readonly openForMs: number; readonly probesMax: number } | undefined
  readonly cache: { readonly entriesMax: number; readonly ttlMs: number; readonly negativeTtlMs: number } | undefined
  readonly batch: { readonly keysMax: number; readonly waitMs: number } | undefined
  readonly rate: { readonly callsPerSecond: number; readonly burst: number } | undefined
  readonly concurrency: { readonly initial: number; readonly min: number; readonly max: number }
  readonly waits: boolean
  readonly deadlineMs: number
}

const breakerDefault = { failures: 10, openFor: "2 seconds", probesMax: 1 } as const

const concurrencyOf = (concurrency: LookupPolicy["concurrency"] = {}, capacity: number): AskPolicy["concurrency"] => {
  if (typeof concurrency === "number") return { initial: concurrency, min: concurrency, max: concurrency }
  const { max = capacity, min = 1 } = concurrency
  return { initial: concurrency.initial ?? Math.max(min, Math.min(16, max)), min, max }
}

/** Throws a `RangeError` when a duration makes no sense. */
export const askPolicy = (policy: LookupPolicy): AskPolicy => {
  const { batch, cache, capacity = 1000, rate, retry = {} } = policy
  const breaker = policy.breaker === "none" ? undefined : { ...breakerDefault, ...policy.breaker }
  return {
    capacity,
    ordered: policy.order !== "unordered",
    timeoutMs: durationMs(policy.timeout ?? "5 seconds"),
    attemptsMax: retry.attemptsMax ?? 3,
    retryFirstMs: durationMs(retry.first ?? "100ms"),
    retryLongestMs: durationMs(retry.longest ?? "10 seconds"),
    breaker: breaker && { ...breaker, openForMs: durationMs(breaker.openFor) },
    cache: cache && {
      entriesMax: cache.entriesMax,
      ttlMs: durationMs(cache.ttl),
      negativeTtlMs: cache.negativeTtl === undefined ? 0 : durationMs(cache.negativeTtl)
    },
    batch: batch && { keysMax: batch.keysMax, waitMs: durationMs(batch.wait ?? "5ms") },
    rate: rate && { callsPerSecond: rate.callsPerSecond, burst: rate.burst ?? Math.max(1, rate.callsPerSecond / 10) },
    concurrency: concurrencyOf(policy.concurrency, capacity),
    waits: policy.whileUnavailable !== "fail",
    deadlineMs: policy.deadline === undefined ? Number.POSITIVE_INFINITY : durationMs(policy.deadline)
  }
}

/** What makes no sense in a policy, each with the field to change. */
export const policyProblems = (policy: AskPolicy): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const atLeast = (name: string, value: number | undefined, least: number) => {
    if (value !== undefined && !(value >= least)) problems.push(`${name} must be at least ${least}, found ${value}`)
  }
  const whole = (name: string, value: number | undefined, least: number) => {
    if (value !== undefined && !Number.isInteger(value)) problems.push(`${name} must be a whole number, found ${value}`)
    else atLeast(name, value, least)
  }
  const { batch, breaker, cache, concurrency, rate } = policy
  whole("capacity", policy.capacity, 1)
  atLeast("timeout", policy.timeoutMs, 1)
  whole("retry.attemptsMax", policy.attemptsMax, 1)
  atLeast("retry.longest", policy.retryLongestMs, policy.retryFirstMs)
  whole("breaker.failures", breaker?.failures, 1)
  whole("breaker.probesMax", breaker?.probesMax, 1)
  atLeast("breaker.openFor", breaker?.openForMs, 1)
  whole("cache.entriesMax", cache?.entriesMax, 1)
  whole("batch.keysMax", batch?.keysMax, 1)
  atLeast("rate.callsPerSecond", rate?.callsPerSecond, Number.MIN_VALUE)
  atLeast("rate.burst", rate?.burst, 1)
  whole("concurrency.min", concurrency.min, 1)
  whole("concurrency.initial", concurrency.initial, concurrency.min)
  whole("concurrency.max", concurrency.max, concurrency.initial)
  atLeast("deadline", policy.deadlineMs, 1)
  return problems
}
