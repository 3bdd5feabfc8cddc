/**
 * What lookups of this process's jobs did and what they are allowed now, for `/metrics`.
 *
 * Counted by the running task: a new process begins at nothing, as Prometheus' counters may.
 */
import type { Job } from "@frazil/engine"
import { family, type Family, type Sample } from "./PrometheusText.ts"

type Status = Job.LookupStatus

interface Asked {
  readonly labels: { readonly job: string; readonly lookup: string }
  readonly status: Status
}

const breakerStates: ReadonlyArray<Status["breaker"]> = ["closed", "half-open", "open"]

const counters: ReadonlyArray<readonly [name: string, help: string, value: (status: Status) => number]> = [
  ["calls", "Calls made", ({ calls }) => calls],
  ["keys_asked", "Keys asked about, each time they were", ({ asked }) => asked],
  ["answered", "Records that got an answer, from a call or the cache", ({ answered }) => answered],
  ["threw", "Records whose call threw", ({ threw }) => threw],
  ["retries", "Keys asked about again after a failure that may pass", ({ retried }) => retried],
  ["timeouts", "Calls that took too long", ({ timedOut }) => timedOut],
  ["cache_hits", "Records answered from the cache", ({ cacheHits }) => cacheHits],
  ["cache_negative_hits", "Cache hits that say that there is nothing", ({ cacheNegativeHits }) => cacheNegativeHits],
  ["cache_misses", "Records whose answer was not in the cache", ({ cacheMisses }) => cacheMisses],
  ["breaker_opened", "Times that the breaker opened", ({ opened }) => opened]
]

const gauges: ReadonlyArray<readonly [name: string, help: string, value: (status: Status) => number]> = [
  ["in_flight", "Calls in flight", ({ inFlight }) => inFlight],
  ["held", "Records that wait, are asked about, or are not yet passed on", ({ held }) => held],
  ["concurrency", "Calls that may be in flight, as found so far", ({ concurrency }) => concurrency],
  ["cache_entries", "Answers in the cache", ({ cacheSize }) => cacheSize],
  ["breaker_state", "0 closed, 1 half open, 2 open", ({ breaker }) => breakerStates.indexOf(breaker)]
]

const quantiles: ReadonlyArray<readonly [quantile: string, ms: (status: Status) => number | undefined]> = [
  ["0.5", ({ latencyP50Ms }) => latencyP50Ms],
  ["0.95", ({ latencyP95Ms }) => latencyP95Ms],
  ["0.99", ({ latencyP99Ms }) => latencyP99Ms]
]

const failures = (asked: ReadonlyArray<Asked>): ReadonlyArray<Sample> =>
  asked.flatMap(({ labels, status }) =>
    Object.entries(status.failed).map(([tag, value]) => ({ labels: { ...labels, tag }, value }))
  )

const latencies = (asked: ReadonlyArray<Asked>): ReadonlyArray<Sample> =>
  asked.flatMap(({ labels, status }) =>
    quantiles.flatMap(([quantile, ms]) => {
      const measured = ms(status)
      return measured === undefined ? [] : [{ labels: { ...labels, quantile }, value: measured / 1000 }]
    })
  )

export const lookupFamilies = (live: ReadonlyArray<Job.StageStatus>): ReadonlyArray<Family> => {
  const asked = live.flatMap(({ job, lookups }): ReadonlyArray<Asked> =>
    lookups.map((status) => ({ labels: { job, lookup: status.name }, status }))
  )
  const samples = (value: (status: Status) => number): ReadonlyArray<Sample> =>
    asked.map(({ labels, status }) => ({ labels, value: value(status) }))
  return [
    ...counters.map(([name, help, value]) => family(`frazil_lookup_${name}_total`, "counter", help, samples(value))),
    family("frazil_lookup_failed_total", "counter", "Records that failed, by what failed", failures(asked)),
    ...gauges.map(([name, help, value]) => family(`frazil_lookup_${name}`, "gauge", help, samples(value))),
    family(
      "frazil_lookup_latency_seconds",
      "gauge",
      "How long calls took that were answered, by quantile, since the job started",
      latencies(asked)
    )
  ]
}
