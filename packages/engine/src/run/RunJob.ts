/**
 * `Job.run`: a declared job, running.
 *
 * Plans the stages, makes their topics, and runs a task for each. Ends when every stage came to the end of a bounded
 * input; otherwise runs until interrupted, which is always safe: what was not committed is done again.
 */
import { Effect, Option } from "effect"
import type { TopicRef } from "../flow/Node.ts"
import type { Job } from "../job/Job.ts"
import { Log } from "../log/Log.ts"
import { newOwner } from "../log/Owner.ts"
import { planJob } from "../plan/PlanJob.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { Ledger } from "./Ledger.ts"
import { type RunOptions, runOptions } from "./RunOptions.ts"
import { runTask } from "./Task.ts"

/** The topics that a stage reads: the source, then its tables. */
const inputsOf = ({ source, tables }: StagePlan): ReadonlyArray<TopicRef> => [
  source,
  ...tables.map(({ topic }) => topic)
]

const runStages = Effect.fn("Job.run")(function* (job: Job<string, unknown>, options: Partial<RunOptions> = {}) {
  const run = runOptions(options)
  const log = yield* Log
  const deadLetters = yield* DeadLetters
  const ledger = Option.getOrUndefined(yield* Effect.serviceOption(Ledger))
  const stages = planJob(job)
  if (ledger === undefined && stages.some(({ patterns, windows }) => windows.length + patterns.length > 0)) {
    return yield* Effect.die(
      new TypeError(`job ${job.name} has windows or patterns, which need a Ledger: provide one as DeadLetters is`)
    )
  }
  const standard = ledger === undefined ? [deadLetters.topic] : [deadLetters.topic, ledger.topic]
  for (const topic of [...standard, ...stages.flatMap((stage) => [...inputsOf(stage), ...stage.outputs])]) {
    yield* log.ensureTopic({ name: topic.name, partitions: topic.partitions })
  }
  const owner = yield* newOwner
  yield* Effect.all(
    stages.map((plan) =>
      Effect.flatMap(
        Effect.forEach(inputsOf(plan), ({ name }) => log.topic(name)),
        (topics) =>
          runTask({
            plan,
            topics,
            shards: Array.from({ length: topics[0]!.partitions }, (_, shard) => shard),
            owner,
            ledger,
            run
          })
      )
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
