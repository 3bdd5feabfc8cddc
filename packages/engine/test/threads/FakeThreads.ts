// Threads that are fibers: what they and the main thread say goes by structured clone, in order, a moment later. A test ends
// them whenever it likes.
import { makeThreads, type SpawnThread, stopThread, type ThreadsOptions } from "@frazil/platform"
import { runThreadOn, type ThreadContext, type ThreadPort } from "@frazil/platform/threads"
import { Instances, Job } from "../../src/index.ts"
import { Deferred, Effect, Exit, Fiber } from "effect"

export type Body<R> = (
  context: ThreadContext,
  of: { readonly index: number; readonly incarnation: number }
) => Effect.Effect<void, { readonly message: string }, R>

export interface FakeThreads {
  readonly spawn: SpawnThread
  /** How many live. */
  readonly living: () => number
  readonly started: () => number
}

/** Messages are told a moment after they were said. */
const makeLine = () => {
  let last = Promise.resolve()
  return (tell: () => void) => void (last = last.then(tell))
}

export const fakeThreads = <R>(body: Body<R>, shared = false): Effect.Effect<FakeThreads, never, R> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R>()
    let living = 0
    let started = 0
    const spawn: SpawnThread = ({ incarnation, index, onMessage }) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const ended = Deferred.makeUnsafe<string>()
          let heard: (message: unknown) => void = () => {}
          const up = makeLine()
          const down = makeLine()
          const port: ThreadPort = {
            post: (message) => {
              const copy: unknown = structuredClone(message)
              up(() => onMessage(copy))
            },
            listen: (onHeard) => (heard = onHeard)
          }
          living++
          started++
          const fiber = Effect.runForkWith(context)(
            runThreadOn(port, { shared }, (given) =>
              body(given, { index, incarnation }).pipe(Effect.provideContext(context))
            )
          )
          fiber.addObserver((exit) => {
            living--
            Deferred.doneUnsafe(ended, Effect.succeed(Exit.isSuccess(exit) ? "it ended with code 0" : "it was ended"))
          })
          return {
            post: (message: unknown) => {
              const copy: unknown = structuredClone(message)
              down(() => heard(copy))
            },
            ended: Deferred.await(ended),
            terminate: Effect.asVoid(Fiber.interrupt(fiber))
          }
        }),
        stopThread
      )
    return { spawn, living: () => living, started: () => started }
  })

/** A thread's program: the job to its end, over the thread's share. */
export const jobBody =
  <R>(job: Job.Job<string, R>, options: Partial<Job.RunOptions>) =>
  ({ inputComplete, instances, jobEnded, observer }: ThreadContext) =>
    Job.run(job, { bounded: true, epochRecords: 10, ...options, inputComplete, observer }).pipe(
      Effect.provideService(Instances, instances),
      Effect.tap(() => Effect.sync(() => jobEnded(job.name)))
    )

/** Threads of one job whose topics are complete. */
export const threadsOf = (
  job: Job.Job<string, never>,
  { spawn }: FakeThreads,
  threads: number,
  more: Partial<ThreadsOptions> = {}
) =>
  makeThreads({
    spawn,
    threads,
    threadsMax: () => Number.POSITIVE_INFINITY,
    jobs: [job.name],
    input: { topics: Job.sources(job).map(({ name }) => name), isComplete: () => true },
    client: undefined,
    jobEnded: () => {},
    say: () => {},
    ...more
  })
