/**
 * Where jobs and landings stand, and whether they run: what `jobs list` prints, the gateway shows and `health` judges.
 *
 * Read from what they committed and from the locks that running jobs hold; takes nothing, changes nothing.
 */
import { jobRunning, type SinkProgress, sinkProgress, sinkShard } from "@frazil/connect"
import { Job, Log, type LogError } from "@frazil/engine"
import { landingProgress, type Catalog, type LakeError, type Landing, type LandingProgress } from "@frazil/lake"
import { Effect, type Result } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"

/** What a build declares: apps pass it in. */
export interface Declared {
  readonly jobs: ReadonlyArray<Job.Job<string, unknown>>
  readonly landings: ReadonlyArray<Landing>
  /** The topic that every job may write besides its own. */
  readonly deadLetterTopic: string
  /** The topic that every job with windows may write besides its own. */
  readonly ledgerTopic: string
}

/** finished: a bounded run came to its end; stopped: it committed before, and does not run now. */
export type State = "running" | "finished" | "stopped" | "never ran"

export interface StageStatus extends Job.StageProgress {
  readonly state: State
}

export interface LandingStatus {
  readonly table: string
  readonly state: State
  /** Why the table cannot be read, when it cannot. */
  readonly progress: Result.Result<LandingProgress, LakeError | LogError>
}

const stateOf = (running: boolean, began: boolean, finished: boolean): State =>
  running ? "running" : finished ? "finished" : began ? "stopped" : "never ran"

/** Every stage of every job. */
export const stageStatuses = Effect.fnUntraced(function* (
  directory: DataDirectory,
  { jobs }: Pick<Declared, "jobs">
): Effect.fn.Return<ReadonlyArray<StageStatus>, LogError, Log> {
  return yield* Effect.forEach(yield* Job.progress(jobs), (stage) =>
    Effect.map(jobRunning({ job: stage.job, dataDirectory: directory.root }), (running) => ({
      ...stage,
      state: stateOf(running, stage.shards.length > 0, stage.finished)
    }))
  )
})

/** Names of jobs in whose process the topic lands: those that read it or write it. */
const jobsOf = ({ deadLetterTopic, jobs }: Declared, topic: string): ReadonlyArray<string> =>
  jobs
    .filter(
      (job) =>
        topic === deadLetterTopic ||
        [...Job.sources(job), ...Job.outputs(job)].some((candidate) => candidate.name === topic)
    )
    .map((job) => job.name)

/** Every declared landing; `stages` say whether the pipeline that lands it runs. */
export const landingStatuses = Effect.fnUntraced(function* (
  stages: ReadonlyArray<StageStatus>,
  declared: Declared
): Effect.fn.Return<ReadonlyArray<LandingStatus>, never, Log | Catalog> {
  return yield* Effect.forEach(declared.landings, (landing) => {
    const names = jobsOf(declared, landing.topic.name)
    // jobs that never ran wrote nothing that is still to come
    const around = stages.filter((stage) => names.includes(stage.job) && stage.state !== "never ran")
    return Effect.map(Effect.result(landingProgress(landing)), (progress): LandingStatus => {
      const running = around.some((stage) => stage.state === "running")
      const ended = around.length > 0 && around.every((stage) => stage.state === "finished")
      const landed = progress._tag === "Success" ? progress.success : undefined
      const began = landed === undefined || landed.snapshotId !== undefined || landed.lag > 0
      return { table: landing.table, progress, state: stateOf(running, began, ended && landed?.lag === 0) }
    })
  })
})

export interface SinkStatus extends SinkProgress {
  readonly running: boolean
}

/** Every sink that ever ran here. */
export const sinkStatuses = Effect.fnUntraced(function* (
  directory: DataDirectory
): Effect.fn.Return<ReadonlyArray<SinkStatus>, LogError, Log> {
  return yield* Effect.forEach(yield* sinkProgress(yield* Log), (sink) =>
    Effect.map(jobRunning({ job: sinkShard(sink.name).uid, dataDirectory: directory.root }), (running) => ({
      ...sink,
      running
    }))
  )
})

/** What is wrong with it, when something is. */
export const landingProblem = (status: LandingStatus): string | undefined =>
  status.progress._tag === "Success" ? status.progress.success.problem : status.progress.failure.message
