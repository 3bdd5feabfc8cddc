/**
 * The jobs of a run on threads of their own: `--parallelism N`.
 *
 * `Run.ts` runs it in the place of the jobs. Everything else stays in the main thread: feeds, landings, sinks, gateway.
 */
import { Job } from "@frazil/engine"
import { type DataDirectory, makeThreads, spawnWorker } from "@frazil/platform"
import { Effect } from "effect"
import type { Completion } from "./Completion.ts"
import type { AnyJob } from "./Jobs.ts"
import type { PipelineOptions } from "./Options.ts"
import type { Screen } from "./Screen.ts"
import { embedServices } from "./Services.ts"
import { threadData } from "./ThreadData.ts"

interface RunThreadsOptions {
  readonly options: PipelineOptions
  readonly jobs: ReadonlyArray<AnyJob>
  readonly directory: DataDirectory
  /** Other instances share the work. */
  readonly shared: boolean
  readonly completion: Completion
  readonly screen: Screen
}

const entry = new URL("./ThreadMain.ts", import.meta.url)

/** By work, as shards are named: the stage's lookups, if it has any, bound how many threads it goes to. */
const makeThreadsMax = (jobs: ReadonlyArray<AnyJob>) => {
  const bounds = new Map<string, number>(
    jobs.flatMap((job) => [...Job.lookupThreads(job)].map(([stage, max]) => [`${job.name}/${stage}`, max] as const))
  )
  return (work: string) => bounds.get(work.slice(0, work.lastIndexOf("/"))) ?? Number.POSITIVE_INFINITY
}

/** The threads of a run; nothing is started before they are run. */
export const openThreads = Effect.fnUntraced(function* (given: RunThreadsOptions) {
  const { completion, directory, jobs, options, screen, shared } = given
  const { bureau, claims } = yield* embedServices({ ...options, directory, say: screen.say })
  const topics = [...new Set(jobs.flatMap((job) => Job.sources(job).map(({ name }) => name)))]
  return makeThreads({
    spawn: spawnWorker(entry, threadData({ options, directory, bureau, shared })),
    threads: options.parallelism ?? 1,
    threadsMax: makeThreadsMax(jobs),
    client: claims,
    jobs: jobs.map(({ name }) => name),
    input: options.bounded ? { topics, isComplete: completion.isComplete } : undefined,
    jobEnded: completion.ended,
    say: screen.say
  })
})
