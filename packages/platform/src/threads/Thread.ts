/**
 * A thread that runs jobs, as the main thread sees it; and a worker of `node:worker_threads` as one.
 *
 * `Threads.ts` starts and ends them. **Guarantee**: when its scope has closed the thread is gone: it was asked to stop, and
 * ended when it did not. What it had open in a log or a file is closed with it.
 */
import { Worker } from "node:worker_threads"
import { Context, Deferred, Effect, type Scope } from "effect"
import type { FromThread, ToThread } from "./Messages.ts"

export interface Thread {
  readonly post: (message: ToThread) => void
  /** Ends when the thread has ended, with why as far as that is known. */
  readonly ended: Effect.Effect<string>
  /** Ends it now, whatever it does. */
  readonly terminate: Effect.Effect<void>
}

export interface ThreadStart {
  /** From 0 on. */
  readonly index: number
  /** How often it was started before. */
  readonly incarnation: number
  /** Called with each message as it comes. */
  readonly onMessage: (message: unknown) => void
}

/** Starts a thread; it has ended when the scope is closed. */
export type SpawnThread = (start: ThreadStart) => Effect.Effect<Thread, never, Scope.Scope>

export interface ThreadSaid extends Omit<ThreadStart, "onMessage"> {
  readonly thread: Thread
  /** The message's tag. */
  readonly said: FromThread["_tag"]
}

/** Told of whatever threads say: tests end them then. */
export const ThreadWatcher = Context.Reference<(event: ThreadSaid) => void>("@frazil/platform/ThreadWatcher", {
  defaultValue: () => () => {}
})

/** More than it takes to interrupt what a job does. */
const stopMsMax = 10_000

const describe = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? ""

/** The module at `entry` as a worker's program, given `data`. */
export const spawnWorker =
  (entry: URL, data: object): SpawnThread =>
  ({ incarnation, index, onMessage }) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const ended = Deferred.makeUnsafe<string>()
        const worker = new Worker(entry, { workerData: { ...data, index, incarnation }, name: `frazil-${index}` })
        let why: string | undefined
        worker.on("message", onMessage)
        worker.on("error", (error) => (why ??= describe(error)))
        worker.on("exit", (code) => Deferred.doneUnsafe(ended, Effect.succeed(why ?? `it ended with code ${code}`)))
        const thread: Thread = {
          // to a thread that has ended nothing is said
          post: (message) => worker.postMessage(message),
          ended: Deferred.await(ended),
          terminate: Effect.promise(() => worker.terminate())
        }
        return thread
      }),
      stopThread
    )

/** Asks it to stop, and ends it when it does not. */
export const stopThread = (thread: Thread): Effect.Effect<void> =>
  Effect.gen(function* () {
    thread.post({ _tag: "Stop" })
    yield* Effect.timeoutOption(thread.ended, stopMsMax)
    yield* thread.terminate
  })
