/**
 * What a lookup has done since its task started, for people: progress lines, metrics and lineage read it.
 */
import type { BreakerState } from "./Breaker.ts"

export interface LookupStatus {
  readonly name: string
  /** Keys asked, each time they were. */
  readonly asked: number
  /** Calls made; fewer than keys where they are asked in batches. */
  readonly calls: number
  /** Records that got an answer, by a call or from the cache. */
  readonly answered: number
  /** Records that failed, by tag. */
  readonly failed: Readonly<Record<string, number>>
  /** Records whose call threw. */
  readonly threw: number
  /** Keys that will be asked again after a transient failure, or were. */
  readonly retried: number
  /** Calls that took too long. */
  readonly timedOut: number
  readonly cacheHits: number
  /** Hits that said that there is nothing. */
  readonly cacheNegativeHits: number
  readonly cacheMisses: number
  readonly cacheSize: number
  /** Calls now. */
  readonly inFlight: number
  /** Records held: waiting, asked about, or answered and not yet passed on. */
  readonly held: number
  /** Keys that wait for their call, the first or a further one. */
  readonly waiting: number
  /** Calls that may be in flight now. */
  readonly concurrency: number
  readonly breaker: BreakerState
  /** Times that the breaker opened. */
  readonly opened: number
  /** Of calls that were answered, milliseconds; undefined before the first. */
  readonly latencyP50Ms: number | undefined
  readonly latencyP95Ms: number | undefined
  readonly latencyP99Ms: number | undefined
}
