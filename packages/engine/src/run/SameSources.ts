/**
 * Whether a job's stages are still told apart as they were: positions, places and what is on its way through internal topics
 * count sources and writers through.
 *
 * Asked when a task restores. A version of a job that has more sources behind the others goes on; another order does not.
 */
import { Effect } from "effect"
import type { ShardId } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { JobError } from "./JobError.ts"
import type { ShardDetail } from "./ShardDetail.ts"

/** What a record in force holds of it. */
export interface RecordedSources {
  /** Of the job: name and partitions. */
  readonly origins: ReadonlyArray<readonly [name: string, partitions: number]>
  /** Topics of the stages that write what the stage reads; none for a source. */
  readonly writers: ReadonlyArray<string>
}

export const sourcesOf = ({ origins, portOfInput, ports, writers = [] }: StagePlan): RecordedSources => ({
  origins: origins.map(({ name, partitions }) => [name, partitions] as const),
  // of one port, there is nothing to tell
  writers: ports.length === 1 ? writers : writers.map((name, input) => `${name} (${portOfInput[input]})`)
})

/** Fails with the way out when the plan counts them otherwise. */
export const sameSources = (plan: StagePlan, id: ShardId, { sources }: ShardDetail): Effect.Effect<void, JobError> => {
  if (sources === undefined) return Effect.void
  const now = sourcesOf(plan)
  const begins = JSON.stringify(now.origins.slice(0, sources.origins.length)) === JSON.stringify(sources.origins)
  if (begins && JSON.stringify(now.writers) === JSON.stringify(sources.writers)) return Effect.void
  return new JobError({
    reason: "StateDiffers",
    message: `job ${id.uid}: stage ${id.stage} was written for sources ${sources.origins.map(([name]) => name).join(", ")} in this order, with their partitions; name new ones behind them, or start the job under a new name.`
  })
}
