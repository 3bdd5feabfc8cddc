/**
 * A thread that runs jobs, from within: its share of the work, what it knows of the others, and what it tells.
 *
 * An app's worker calls `runThread` with what to run. Nothing is shared with the main thread but messages: the thread has its
 * own log, checkpoints and lookups. **Guarantee**: `Hello` is the first thing said, and only then anything is answered.
 */
import { type MessagePort, parentPort } from "node:worker_threads"
import { type InstancesShape, Job, LogError, makeEnds, type Measured, MeasureKeeper, type Share } from "@frazil/engine"
import type { SqlClient } from "@frazil/connect"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { collectInTime } from "../memory/CollectInTime.ts"
import { makeAskedClient } from "./AskedClient.ts"
import { decodeToThread, type FromThread, statusMessage, type ToThread } from "./Messages.ts"

/** How often the main thread is told where the jobs stand: as often as a person looks. */
const statusEveryMs = 250

export interface ThreadContext {
  /** The share that the main thread deals. */
  readonly instances: InstancesShape
  /** A database that only the main thread has open. */
  readonly client: SqlClient
  /** Of bounded runs. */
  readonly inputComplete: (topic: string) => Effect.Effect<boolean>
  readonly observer: Job.TaskObserver
  /** All shards of the job that this thread has came to their end. */
  readonly jobEnded: (job: string) => void
}

export interface ThreadOptions {
  /** Instances of other processes may be there: who is fenced asks again what its share is. */
  readonly shared: boolean
}

/** What comes and goes on a port, as `MessagePort` has it: tests have one of their own. */
export interface ThreadPort {
  readonly post: (message: FromThread) => void
  readonly listen: (onMessage: (message: unknown) => void) => void
}

/** What the main thread told. */
class Told {
  readonly complete = new Set<string>()
  readonly ends = makeEnds()
  private works: ReadonlySet<string> = new Set()
  private generation = 0
  private changed = Deferred.makeUnsafe<void>()
  private confirmed = Deferred.makeUnsafe<void, LogError>()
  readonly stop = Deferred.makeUnsafe<void>()

  readonly share = (): Share => {
    const { generation, works } = this
    return { generation, has: (work) => works.has(work) }
  }

  readonly awaitChange = (generation: number): Effect.Effect<void> =>
    Effect.suspend(() => (this.generation === generation ? Deferred.await(this.changed) : Effect.void))

  readonly awaitConfirmed = (): Effect.Effect<void, LogError> => Deferred.await(this.confirmed)

  take(message: Exclude<ToThread, { _tag: "Rows" }>): void {
    if (message._tag === "Share") {
      this.works = new Set(message.works)
      this.generation = message.generation
      const before = this.changed
      this.changed = Deferred.makeUnsafe()
      Deferred.doneUnsafe(before, Effect.void)
    } else if (message._tag === "Complete") for (const topic of message.topics) this.complete.add(topic)
    else if (message._tag === "Ended") this.ends.ended(message.works)
    else if (message._tag === "Confirmed") {
      const before = this.confirmed
      this.confirmed = Deferred.makeUnsafe()
      const { problem } = message
      const answer = problem === undefined ? Effect.void : new LogError({ reason: "Unavailable", message: problem })
      Deferred.doneUnsafe(before, answer)
    } else Deferred.doneUnsafe(this.stop, Effect.void)
  }
}

interface ContextParts {
  readonly told: Told
  readonly monitor: Job.JobMonitor
  readonly client: SqlClient
  readonly shared: boolean
  readonly post: ThreadPort["post"]
}

const makeContext = ({ client, monitor, post, shared, told }: ContextParts) => {
  let committed = false
  const context: ThreadContext = {
    client,
    instances: {
      shared,
      offer: (works) => Effect.sync(() => post({ _tag: "Offer", works: [...works] })),
      share: told.share,
      changed: told.awaitChange,
      confirmed: Effect.suspend(() => {
        const answered = told.awaitConfirmed()
        post({ _tag: "Confirm" })
        return Effect.map(answered, told.share)
      }),
      ends: {
        ...told.ends,
        ended: (works) => {
          told.ends.ended(works)
          post({ _tag: "Ended", works: [...works] })
        }
      }
    },
    inputComplete: (topic) => Effect.sync(() => told.complete.has(topic)),
    observer: {
      ...monitor,
      committed: () => {
        if (!committed) post({ _tag: "Committed" })
        committed = true
      }
    },
    jobEnded: (job) => {
      post(statusMessage(monitor.status()))
      post({ _tag: "JobEnded", job })
    }
  }
  return context
}

/** What went wrong, in one line. An expected failure is no bug: whoever else tried would fail as well. */
const endMessage = (cause: Cause.Cause<{ readonly message: string }>): FromThread => {
  const failure = cause.reasons.find((reason) => Cause.isFailReason(reason))
  if (failure !== undefined && Cause.isFailReason(failure)) return { _tag: "Failed", message: failure.error.message }
  const defect = cause.reasons.find((reason) => Cause.isDieReason(reason))
  const thrown = defect !== undefined && Cause.isDieReason(defect) ? defect.defect : undefined
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  return { _tag: "Died", cause: text.split("\n", 1)[0] ?? text }
}

/** Runs `body` until it ends and the main thread says `Stop`, whichever comes last; `Stop` interrupts it. */
export const runThreadOn = <E extends { readonly message: string }>(
  port: ThreadPort,
  options: ThreadOptions,
  body: (context: ThreadContext) => Effect.Effect<void, E>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const told = new Told()
    const monitor = Job.monitor()
    const asked = makeAskedClient(port.post)
    port.listen((message) => {
      const decoded = decodeToThread(message)
      if (decoded._tag === "Rows") asked.take(decoded)
      else told.take(decoded)
    })
    port.post({ _tag: "Hello" })
    const measured: Array<Measured> = []
    const keep = (value: Measured) => Effect.sync(() => void measured.push(value))
    const tell = Effect.sync(() => {
      if (measured.length > 0) port.post({ _tag: "Measured", values: measured.splice(0) })
      port.post(statusMessage(monitor.status()))
    })
    const telling = yield* Effect.forkChild(Effect.forever(Effect.andThen(Effect.sleep(statusEveryMs), tell)))
    const parts = { told, monitor, client: asked.client, shared: options.shared, post: port.post }
    const running = yield* Effect.forkChild(Effect.provideService(body(makeContext(parts)), MeasureKeeper, keep))
    const ended = Effect.flatMap(Fiber.await(running), (exit) =>
      Effect.andThen(
        Effect.sync(() => (Exit.isFailure(exit) ? port.post(endMessage(exit.cause)) : undefined)),
        Effect.never
      )
    )
    yield* Effect.raceFirst(Deferred.await(told.stop), ended)
    yield* Fiber.interrupt(running)
    yield* Fiber.interrupt(telling)
    yield* tell
  })

/** The port of a worker. */
const portOf = (port: MessagePort): ThreadPort => ({
  post: (message) => port.postMessage(message),
  listen: (onMessage) => void port.on("message", onMessage)
})

/** A worker's program: ends the thread when it was told to stop. */
export const runThread = <E extends { readonly message: string }>(
  options: ThreadOptions,
  body: (context: ThreadContext) => Effect.Effect<void, E>
): void => {
  const port = parentPort
  if (port === null) throw new Error("this module is a worker's: a program starts it")
  const running = Effect.raceFirst(runThreadOn(portOf(port), options, body), collectInTime())
  void Effect.runPromise(running).finally(() => port.close())
}
