/** How many threads may run the shards of a job's stages: whoever deals shards to threads asks before it does. */
import type { Graph } from "../job/Graph.ts"
import { threadsMax } from "../lookup/PolicyPart.ts"
import { planJob } from "../plan/PlanJob.ts"

/** By stage, of those with lookups alone: as many of the first threads as every lookup has parts for. */
export const lookupThreads = (job: { readonly name: string; readonly graph: Graph }): ReadonlyMap<string, number> =>
  new Map(
    planJob(job)
      .filter(({ lookups }) => lookups.length > 0)
      .map((plan) => [plan.name, threadsMax(plan)])
  )
