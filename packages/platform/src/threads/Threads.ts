/**
 * Jobs on several threads: deals the program's shards among them, keeps them running, and knows what they all come to.
 *
 * An app calls it beside its feeds, landings and sinks, which stay in the main thread. A thread that dies is replaced, and
 * its successor takes its shards from their last epoch: fencing and the record in force make that safe, as for instances.
 * **Bounds**: a thread that dies again and again without an epoch in between, or very often for all its epochs, since one of its
 * shards always ends it, ends the program, with the cause.
 */
import { Instances, type InstancesShape, Job, keepMeasured } from "@frazil/engine"
import type { SqlClient } from "@frazil/connect"
import { Clock, Deferred, Effect, FiberSet, Latch, Schema } from "effect"
import { answerQuery } from "./AskedClient.ts"
import { dealWorks, type DealOptions } from "./Deal.ts"
import { decodeFromThread, type FromThread, statusesOf, type ToThread } from "./Messages.ts"
import { type SpawnThread, type Thread, ThreadWatcher } from "./Thread.ts"

/** A thread's job failed, or its thread would not live. Nothing to retry: the program ends. */
class ThreadError extends Schema.TaggedError<ThreadError>()("ThreadError", { message: Schema.String }) {}

export interface ThreadsOptions extends DealOptions {
  readonly spawn: SpawnThread
  /** Names of the jobs that each thread runs. */
  readonly jobs: ReadonlyArray<string>
  /** In a bounded run, the topics that jobs ask about, and whether one is complete; undefined in others. */
  readonly input:
    | { readonly topics: ReadonlyArray<string>; readonly isComplete: (topic: string) => boolean }
    | undefined
  /** A database that threads ask through this one; undefined: none does. */
  readonly client: SqlClient | undefined
  /** Every thread came to the job's end. */
  readonly jobEnded: (job: string) => void
  /** For people: a thread died and is started again. */
  readonly say: (line: string) => void
}

export interface Threads {
  /** Ends when every job has ended on every thread; the threads end with it. */
  readonly run: Effect.Effect<void, ThreadError>
  /** Where the stages stand, all threads together. */
  readonly status: () => ReadonlyArray<Job.StageStatus>
}

/** Dies so often in a row without an epoch, then gives up. */
const deathsInRowMax = 5
/** Epochs or not: one shard may go on while another ends the thread each time. */
const deathsInTimeMax = 30
const deathsInTimeMs = 5 * 60_000
const restartWaitMsMax = 5_000
/** How often a bounded run's topics are looked at. */
const lookEveryMs = 20
/** A shard that moves between living threads begins a moment later: what its thread has open can be committed. */
const handoverMs = 300

/** What is known of one thread. */
interface Known {
  thread: Thread | undefined
  works: ReadonlySet<string>
  generation: number
  progressed: boolean
  status: ReadonlyArray<Job.StageStatus>
  readonly ended: Set<string>
  /** Its own word that it died, of this life. */
  died: Deferred.Deferred<string>
}

const sameWorks = (left: ReadonlySet<string>, right: ReadonlySet<string>): boolean =>
  left.size === right.size && [...left].every((work) => right.has(work))

class Board {
  readonly offered = new Set<string>()
  readonly ended = new Set<string>()
  readonly complete = new Set<string>()
  /** Threads that ask what the share in force is. */
  readonly asking = new Set<number>()
  readonly known: ReadonlyArray<Known>
  /** Opened when there is something to deal, or somebody asks. */
  readonly news = Latch.makeUnsafe(false)
  readonly failed = Deferred.makeUnsafe<never, ThreadError>()
  readonly allEnded = Deferred.makeUnsafe<void>()
  /** Runs what a message asks for; as long as the threads. */
  fork: (effect: Effect.Effect<void>) => void = () => {}
  /** Runs what does not wait. */
  now: (effect: Effect.Effect<void>) => void = () => {}
  private readonly options: ThreadsOptions

  constructor(options: ThreadsOptions) {
    this.options = options
    this.known = Array.from({ length: options.threads }, () => ({
      thread: undefined,
      works: new Set<string>(),
      generation: 0,
      progressed: false,
      status: [],
      ended: new Set<string>(),
      died: Deferred.makeUnsafe<string>()
    }))
  }

  private tellAll(message: ToThread): void {
    for (const { thread } of this.known) thread?.post(message)
  }

  private tellShare({ generation, thread, works }: Known): void {
    thread?.post({ _tag: "Share", generation, works: [...works] })
  }

  /** All there is to know for a thread that begins. Some runtimes lose what is said before it listens. */
  greet(known: Known): void {
    this.tellShare(known)
    known.thread?.post({ _tag: "Complete", topics: [...this.complete] })
    known.thread?.post({ _tag: "Ended", works: [...this.ended] })
  }

  give(thread: number, works: ReadonlySet<string>): void {
    const known = this.known[thread]!
    if (sameWorks(known.works, works)) return
    known.works = works
    known.generation++
    this.tellShare(known)
  }

  completed(topics: ReadonlyArray<string>): void {
    if (topics.length === 0) return
    for (const topic of topics) this.complete.add(topic)
    this.tellAll({ _tag: "Complete", topics })
  }

  answer(problem: string | undefined): void {
    for (const thread of this.asking)
      this.known[thread]!.thread?.post({ _tag: "Confirmed", ...(problem === undefined ? {} : { problem }) })
    this.asking.clear()
  }

  /** A message that is none of ours is a bug. */
  heard(index: number, message: unknown, watch: (said: FromThread["_tag"]) => void): void {
    try {
      const decoded = decodeFromThread(message)
      this.take(index, decoded)
      watch(decoded._tag)
    } catch (error) {
      Deferred.doneUnsafe(this.failed, Effect.die(error))
    }
  }

  private take(index: number, message: FromThread): void {
    const known = this.known[index]!
    if (message._tag === "Hello") this.greet(known)
    else if (message._tag === "Offer") {
      for (const work of message.works) this.offered.add(work)
      this.news.openUnsafe()
    } else if (message._tag === "Confirm") {
      this.asking.add(index)
      this.news.openUnsafe()
    } else if (message._tag === "Committed") known.progressed = true
    else if (message._tag === "Ended") {
      for (const work of message.works) this.ended.add(work)
      this.tellAll({ _tag: "Ended", works: message.works })
    } else if (message._tag === "JobEnded") this.jobEnded(known, message.job)
    else if (message._tag === "Status") known.status = statusesOf(message)
    else if (message._tag === "Measured") this.now(Effect.forEach(message.values, keepMeasured, { discard: true }))
    else if (message._tag === "Query") this.query(known, message)
    else if (message._tag === "Failed") Deferred.doneUnsafe(this.failed, new ThreadError({ message: message.message }))
    else Deferred.doneUnsafe(known.died, Effect.succeed(message.cause))
  }

  private query(known: Known, query: Extract<FromThread, { _tag: "Query" }>): void {
    const { client } = this.options
    if (client === undefined) throw new Error("a thread asks a database that nobody has open")
    const { thread } = known
    this.fork(Effect.map(answerQuery(client, query), (answer) => thread?.post(answer)))
  }

  private jobEnded({ ended }: Known, job: string): void {
    ended.add(job)
    if (!this.known.every((each) => each.ended.has(job))) return
    this.options.jobEnded(job)
    if (this.options.jobs.every((each) => this.known.every((known) => known.ended.has(each))))
      Deferred.doneUnsafe(this.allEnded, Effect.void)
  }
}

/** Deals what the program has, again whenever that changes; answers threads that ask. */
const keepDealing = Effect.fnUntraced(function* (board: Board, options: ThreadsOptions, instances: InstancesShape) {
  const { input } = options
  let offered = 0
  let dealt = -1
  while (true) {
    const { generation } = instances.share()
    board.news.closeUnsafe()
    const more = board.offered.size > offered
    if (more) {
      offered = board.offered.size
      yield* instances.offer([...board.offered])
    }
    if (board.asking.size > 0) {
      const problem = yield* instances.confirmed.pipe(
        Effect.as(undefined),
        Effect.catch(({ message }) => Effect.succeed(message))
      )
      yield* deal(board, options, instances)
      board.answer(problem)
      continue
    }
    if (more || generation !== dealt) yield* deal(board, options, instances)
    dealt = generation
    if (input !== undefined)
      board.completed(input.topics.filter((topic) => !board.complete.has(topic) && input.isComplete(topic)))
    const look = input === undefined ? Effect.never : Effect.sleep(lookEveryMs)
    yield* Effect.raceAllFirst([board.news.await, instances.changed(generation), look])
  }
})

const deal = Effect.fnUntraced(function* (board: Board, options: ThreadsOptions, instances: InstancesShape) {
  const { has } = instances.share()
  const before = board.known.map(({ works }) => works)
  const next = dealWorks([...board.offered].filter(has), before, options)
  const coming = next.map((works, thread) =>
    [...works].filter((work) => before.some((other, index) => index !== thread && other.has(work)))
  )
  for (const [thread, works] of next.entries())
    board.give(thread, new Set([...works].filter((work) => !coming[thread]!.includes(work))))
  if (coming.every((works) => works.length === 0)) return
  yield* Effect.sleep(handoverMs)
  for (const [thread, works] of next.entries()) board.give(thread, works)
})

/** One life of a thread: how it ended. */
const runOnce = Effect.fnUntraced(function* (board: Board, spawn: SpawnThread, index: number, incarnation: number) {
  const watch = yield* ThreadWatcher
  const known = board.known[index]!
  known.progressed = false
  known.died = Deferred.makeUnsafe()
  const onMessage = (message: unknown) =>
    board.heard(index, message, (said) => {
      if (known.thread !== undefined) watch({ index, incarnation, thread: known.thread, said })
    })
  const thread = yield* spawn({ index, incarnation, onMessage })
  known.thread = thread
  yield* Effect.addFinalizer(() => Effect.sync(() => (known.thread = undefined)))
  board.greet(known)
  return yield* Effect.raceFirst(Deferred.await(known.died), thread.ended)
}, Effect.scoped)

/** Starts it again and again; fails when it does not live. */
const keepRunning = Effect.fnUntraced(function* (board: Board, { say, spawn, threads }: ThreadsOptions, index: number) {
  let deathsInRow = 0
  let recent: ReadonlyArray<number> = []
  for (let incarnation = 0; ; incarnation++) {
    const cause = yield* runOnce(board, spawn, index, incarnation)
    deathsInRow = board.known[index]!.progressed ? 1 : deathsInRow + 1
    const now = yield* Clock.currentTimeMillis
    recent = [...recent.filter((at) => at > now - deathsInTimeMs), now]
    const name = `thread ${index + 1} of ${threads}`
    const often =
      deathsInRow > deathsInRowMax
        ? `${deathsInRow} times without an epoch in between`
        : recent.length > deathsInTimeMax
          ? `${recent.length} times within ${deathsInTimeMs / 60_000} minutes`
          : undefined
    if (often !== undefined) {
      return yield* new ThreadError({
        message: `${name} died ${often}: ${cause}. Its shards stand where they were committed; run it with --parallelism 1 --verbose to see the whole error`
      })
    }
    say(`${name} died (${cause}): starts again from its last epoch`)
    yield* Effect.sleep(Math.min(100 * 2 ** (deathsInRow - 1), restartWaitMsMax))
  }
})

/** Of the program's share (`Instances`), which is everything unless other instances are there. */
export const makeThreads = (options: ThreadsOptions): Threads => {
  const board = new Board(options)
  const merge = Job.mergeStatus()
  const run = Effect.gen(function* () {
    const instances = yield* Instances
    const fork = yield* FiberSet.makeRuntime()
    board.fork = (effect) => void fork(effect)
    board.now = Effect.runSyncWith(yield* Effect.context<never>())
    const lives = board.known.map((_, index) => keepRunning(board, options, index))
    yield* Effect.raceAllFirst([
      Deferred.await(board.allEnded),
      Deferred.await(board.failed),
      keepDealing(board, options, instances),
      Effect.all(lives, { concurrency: "unbounded", discard: true })
    ])
  }).pipe(Effect.scoped)
  return { run, status: () => merge(board.known.map(({ status }) => status)) }
}
