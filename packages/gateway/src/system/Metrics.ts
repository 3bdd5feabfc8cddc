/**
 * What is measured, as Prometheus reads it: made anew at each call from what jobs and tables committed, and what the jobs
 * of this process measure of themselves.
 *
 * Counters of jobs count from the job's first start, so they do not fall when the process starts again.
 */
import { fastCount, type Job } from "@frazil/engine"
import type { LandingStatus, SinkStatus, StageStatus } from "@frazil/platform"
import { Clock, Effect } from "effect"
import { lookupFamilies } from "./LookupFamilies.ts"
import { family, type Family, registered, type Sample } from "./PrometheusText.ts"

export interface Standing {
  readonly stages: ReadonlyArray<StageStatus>
  readonly landings: ReadonlyArray<LandingStatus>
  readonly sinks: ReadonlyArray<SinkStatus>
}

/** Why a window did not take a record, or time did not follow it. */
const ledgerReasons = ["late", "dropped", "evicted", "lead"] as const

const ofStage = (
  stages: ReadonlyArray<StageStatus>,
  value: (stage: StageStatus) => number | undefined
): ReadonlyArray<Sample> =>
  stages.flatMap((stage) => {
    const measured = value(stage)
    return measured === undefined ? [] : [{ labels: { job: stage.job, topic: stage.topic }, value: measured }]
  })

const jobFamilies = (stages: ReadonlyArray<StageStatus>, nowMs: number): ReadonlyArray<Family> => [
  family(
    "frazil_records_in_total",
    "counter",
    "Records that a stage has read",
    ofStage(stages, (stage) => stage.counts.in)
  ),
  family(
    "frazil_records_decoded_total",
    "counter",
    "Records that a stage has decoded, by path: fast by the scanner made of the topic's schema, slow by the schema's rules; what did not decode is in neither",
    stages.flatMap(({ counts, job, topic }) => [
      { labels: { job, topic, path: "fast" }, value: fastCount(counts) },
      { labels: { job, topic, path: "slow" }, value: counts.slow ?? 0 }
    ])
  ),
  family(
    "frazil_records_out_total",
    "counter",
    "Records that a stage has written, by topic",
    stages.flatMap((stage) =>
      Object.entries(stage.counts.out).map(([to, value]) => ({
        labels: { job: stage.job, topic: stage.topic, to },
        value
      }))
    )
  ),
  family(
    "frazil_records_validated_total",
    "counter",
    "Records that ended as checked",
    ofStage(stages, (stage) => stage.counts.validated)
  ),
  family(
    "frazil_dead_letters_total",
    "counter",
    "Records that went to the dead letters",
    ofStage(stages, (stage) => stage.counts.deadLettered)
  ),
  family(
    "frazil_records_failed_total",
    "counter",
    "Dead letters that failed in an operator",
    ofStage(stages, (stage) => stage.counts.failed)
  ),
  family(
    "frazil_ledger_records_total",
    "counter",
    "Records entered in the ledger, by reason: late, dropped by a window, evicted, far ahead",
    stages.flatMap(({ counts, job, topic }) =>
      ledgerReasons.map((reason) => ({ labels: { job, topic, reason }, value: counts.ledger?.[reason] ?? 0 }))
    )
  ),
  family(
    "frazil_consumer_lag",
    "gauge",
    "Records of the topic that no committed epoch has read",
    ofStage(stages, (stage) => stage.lag)
  ),
  family(
    "frazil_watermark_delay_seconds",
    "gauge",
    "How far the watermark is behind the clock",
    ofStage(stages, (stage) => (stage.watermarkMs === undefined ? undefined : (nowMs - stage.watermarkMs) / 1000))
  ),
  family(
    "frazil_epochs_total",
    "counter",
    "Epochs committed, over all shards",
    ofStage(stages, (stage) => stage.shards.reduce((sum, shard) => sum + shard.epoch, 0))
  ),
  family(
    "frazil_job_running",
    "gauge",
    "1 while the job runs",
    ofStage(stages, (stage) => (stage.state === "running" ? 1 : 0))
  )
]

const ofLanding = (
  landings: ReadonlyArray<LandingStatus>,
  value: (progress: Extract<LandingStatus["progress"], { readonly _tag: "Success" }>["success"]) => number | undefined
): ReadonlyArray<Sample> =>
  landings.flatMap(({ progress, table }) => {
    const measured = progress._tag === "Success" ? value(progress.success) : undefined
    return measured === undefined ? [] : [{ labels: { table }, value: measured }]
  })

const tableFamilies = (landings: ReadonlyArray<LandingStatus>, nowMs: number): ReadonlyArray<Family> => [
  family(
    "frazil_table_rows",
    "gauge",
    "Rows of the current snapshot",
    ofLanding(landings, ({ rows }) => rows)
  ),
  family(
    "frazil_table_files",
    "gauge",
    "Data files of the current snapshot",
    ofLanding(landings, ({ files }) => files)
  ),
  family(
    "frazil_landing_lag",
    "gauge",
    "Records that no committed snapshot has taken in",
    ofLanding(landings, ({ lag }) => lag)
  ),
  family(
    "frazil_lake_last_commit_age_seconds",
    "gauge",
    "Time since the table's last commit",
    ofLanding(landings, ({ committedAtMs }) =>
      committedAtMs === undefined ? undefined : (nowMs - committedAtMs) / 1000
    )
  )
]

const processFamilies = (): ReadonlyArray<Family> => {
  const usage = process.resourceUsage()
  const memory = process.memoryUsage()
  return [
    family("process_resident_memory_bytes", "gauge", "Resident memory of this process", [
      { labels: {}, value: memory.rss }
    ]),
    family("process_heap_bytes", "gauge", "JavaScript heap of this process that is in use", [
      { labels: {}, value: memory.heapUsed }
    ]),
    family("process_external_memory_bytes", "gauge", "Memory outside the heap that JavaScript objects hold", [
      { labels: {}, value: memory.external }
    ]),
    family("process_cpu_seconds_total", "counter", "CPU time of this process", [
      { labels: {}, value: (usage.userCPUTime + usage.systemCPUTime) / 1e6 }
    ])
  ]
}

/** The whole page. */
export const metricsText = Effect.fnUntraced(function* (
  { landings, sinks, stages }: Standing,
  live: ReadonlyArray<Job.StageStatus>,
  load: { readonly running: number; readonly waiting: number }
) {
  const nowMs = yield* Clock.currentTimeMillis
  const families = [
    ...jobFamilies(stages, nowMs),
    family(
      "frazil_state_keys",
      "gauge",
      "Keys of state in memory, for jobs of this process",
      live.map(({ job, keys, topic }) => ({ labels: { job, topic }, value: keys }))
    ),
    ...lookupFamilies(live),
    ...tableFamilies(landings, nowMs),
    family(
      "frazil_sink_lag",
      "gauge",
      "Records of its topic that a sink has not delivered",
      sinks.map(({ lag, name, topic }) => ({ labels: { sink: name, topic }, value: lag }))
    ),
    family("frazil_queries_running", "gauge", "Queries at work", [{ labels: {}, value: load.running }]),
    family("frazil_queries_waiting", "gauge", "Queries that wait for a slot", [{ labels: {}, value: load.waiting }]),
    ...processFamilies(),
    yield* registered
  ]
  return families.join("")
})
