/**
 * `Job.run`: a declared job, running.
 *
 * Plans the stages, makes their topics, and runs a task for each, over the shards that are this instance's. Ends when every
 * stage came to the end of a bounded input; otherwise runs until interrupted, which is always safe: what was not committed is
 * done again.
 */
import { Effect, Option, Schedule } from "effect"
import type { TopicRef } from "../flow/Node.ts"
import type { Job } from "../job/Job.ts"
import { Log } from "../log/Log.ts"
import { newOwner } from "../log/Owner.ts"
import { planJob } from "../plan/PlanJob.ts"
import { isTimed, type StagePlan } from "../plan/StagePlan.ts"
import { type Ends, makeEnds } from "../instances/Ends.ts"
import { Instances, stageWorks } from "../instances/Instances.ts"
import { withPart } from "../lookup/PolicyPart.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { Ledger } from "./Ledger.ts"
import { type RunOptions, runOptions } from "./RunOptions.ts"
import { runTask } from "./Task.ts"

/** The topics that a stage reads: the source, then its tables. */
const inputsOf = ({ source, tables }: StagePlan): ReadonlyArray<TopicRef> => [
  source,
  ...tables.map(({ topic }) => topic)
]

const makeTopicsAgainMs = 1_000

/** Behind a repartition: how many shards write it, and whether their stages came to their end. */
const writersOf = Effect.fnUntraced(function* ({ uid, writers }: StagePlan, ends: Ends) {
  if (writers === undefined) return undefined
  const log = yield* Log
  const topics = yield* Effect.forEach(writers, (name) => log.topic(name))
  const works = topics.flatMap(({ name, partitions }) => stageWorks(uid, name, partitions))
  return { shape: topics.map(({ partitions }) => partitions), ended: () => ends.haveEnded(works) }
})

const runStages = Effect.fn("Job.run")(function* (job: Job<string, unknown>, options: Partial<RunOptions> = {}) {
  const run = runOptions(options)
  const log = yield* Log
  const deadLetters = yield* DeadLetters
  const ledger = Option.getOrUndefined(yield* Effect.serviceOption(Ledger))
  const stages = planJob(job).map((plan) => withPart(plan, run.part))
  if (ledger === undefined && stages.some(isTimed)) {
    return yield* Effect.die(
      new TypeError(
        `job ${job.name} has windows, patterns, joins, deduplication or rankings, which need a Ledger: provide one as DeadLetters is`
      )
    )
  }
  const standard = ledger === undefined ? [deadLetters.topic] : [deadLetters.topic, ledger.topic]
  const topics = [...standard, ...stages.flatMap((stage) => [...inputsOf(stage), ...stage.outputs])]
  yield* Effect.forEach(topics, ({ name, partitions }) => log.ensureTopic({ name, partitions }), {
    discard: true
  }).pipe(
    Effect.tapError(({ message }) =>
      Effect.sync(() => stages.forEach((plan) => run.observer.troubled?.(plan, message)))
    ),
    Effect.retry({
      while: ({ reason }) => reason === "Unavailable" && !run.bounded,
      schedule: Schedule.spaced(makeTopicsAgainMs)
    })
  )
  const owner = yield* newOwner
  const ends = (yield* Instances).ends ?? makeEnds()
  yield* Effect.all(
    stages.map((plan) =>
      Effect.gen(function* () {
        const read = yield* Effect.forEach(inputsOf(plan), ({ name }) => log.topic(name))
        const writers = yield* writersOf(plan, ends)
        const internal = yield* Effect.forEach(plan.repartitions, ({ topic: { name } }) => log.topic(name))
        yield* runTask({
          plan,
          topics: read,
          internal,
          owner,
          ledger,
          run,
          ends,
          ...(writers === undefined ? {} : { writers })
        })
      })
    ),
    { concurrency: "unbounded", discard: true }
  )
})

type Running = ReturnType<typeof runStages>

/** Runs a job on a log and a checkpoint store, with the services that its lookups ask. */
export const runJob = <R>(
  job: Job<string, R>,
  options: Partial<RunOptions> = {}
): Effect.Effect<Effect.Success<Running>, Effect.Error<Running>, Effect.Services<Running> | R> =>
  runStages(job, options)
