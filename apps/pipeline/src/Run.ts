/**
 * Wires a pipeline: feeds or generator → topics → jobs → topics → landings → tables, all in this process.
 *
 * `main.ts` calls it. It decides nothing about data; it starts the parts, tells them when their input is complete, and
 * keeps what people want to see.
 */
import { feedFile, sinkShard } from "@frazil/connect"
import { KeyScanner, type Topic } from "@frazil/core"
import { Instances, Job, Log, type LogReader, newOwner, runRetention, shardWork, whileMine } from "@frazil/engine"
import { flows, flowsByDefault } from "@frazil/flows"
import { checkCells, DuckDb, landingShard, makeLandingMonitor, runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, Ledger, MaintenanceRuns, OperationsAlerts } from "@frazil/model"
import { type DataDirectory, makeSystemReadings, thresholdsDefault, watchSystem } from "@frazil/platform"
import { type KindName, kinds } from "@frazil/sim"
import { Deferred, Effect, Layer, Schedule } from "effect"
import { makeCompletion } from "./Completion.ts"
import { generate, kindsOf } from "./Generate.ts"
import { hostGateway } from "./HostGateway.ts"
import { type AnyJob, jobsOf, runJob } from "./Jobs.ts"
import type { PipelineOptions } from "./Options.ts"
import { holdLock, takePlace } from "./Place.ts"
import { inOrder, showForever, takeMoment, topicsOf } from "./Moments.ts"
import { openThreads } from "./RunThreads.ts"
import type { Screen } from "./Screen.ts"
import { servicesLayer } from "./Services.ts"
import { openSinks } from "./Sinks.ts"
import { processCost, summarise, type Summary } from "./Summary.ts"

const watchEveryMs = 1_000

/** Among the writers of topics. */
const watcher = "watch"

type FlowName = PipelineOptions["flows"][number]

const sourcesOf = (jobs: ReadonlyArray<AnyJob>): ReadonlyArray<ReturnType<typeof Job.sources>[number]> => {
  const written = new Set(jobs.flatMap((job) => Job.outputs(job).map(({ name }) => name)))
  const read = jobs.flatMap((job) => Job.sources(job)).filter(({ name }) => !written.has(name))
  return [...new Map(read.map((topic) => [topic.name, topic])).values()]
}

/** The topics that these flows read and none of them writes: those that `--input` may feed, and generators fill. */
export const inputTopics = (names: ReadonlyArray<FlowName>): ReadonlyArray<string> =>
  sourcesOf(names.flatMap((name): ReadonlyArray<AnyJob> => flows[name])).map(({ name }) => name)

/**
 * Runs until interrupted, or, bounded, until everything has landed. Either way `atEnd` gets the summary; after a failure
 * there is none.
 */
export const runPipeline = Effect.fnUntraced(function* <E, R>(
  options: PipelineOptions,
  directory: DataDirectory,
  screen: Screen,
  atEnd: (summary: Summary) => Effect.Effect<void, E, R>
) {
  const jobs = jobsOf(options)
  const group = yield* takePlace(options, directory, screen)
  for (const job of jobs) yield* holdLock(job.name, directory, group !== undefined)
  const landingMonitor = makeLandingMonitor()
  const completion = makeCompletion()
  const landings = yield* landingsOf(options, jobs)
  const wired = { options, jobs, directory, completion, screen }
  const running = yield* options.parallelism === undefined || options.parallelism === 1
    ? runHere(wired)
    : openThreads({ ...wired, shared: group !== undefined })
  declareWriters(options, jobs, completion)
  const sinks = yield* openSinks({
    sinks: options.sinks ?? [],
    bounded: options.bounded,
    shared: group !== undefined,
    directory,
    completion,
    screen
  })

  if (options.gatewayPort !== undefined) {
    const gateway = { port: options.gatewayPort, directory, live: running.status, say: screen.say }
    yield* Effect.forkScoped(hostGateway(gateway))
  }
  const moment = takeMoment(jobs, running.status, landingMonitor)
  const show = showForever(moment, screen)
  const deciding = Effect.all(
    [...feeds(options, jobs, completion), ...generators(options, jobs, completion), running.run],
    { concurrency: "unbounded", discard: true }
  )
  const decided = yield* Deferred.make<void>()
  const work = Effect.all(
    [
      Effect.andThen(deciding, Deferred.succeed(decided, undefined)),
      // sinks may read what it tells: a topic is complete when its writers have ended
      watch({ options, jobs, status: running.status, ended: Deferred.await(decided), screen }).pipe(
        Effect.tap(() => Effect.sync(() => completion.ended(watcher)))
      ),
      ...sinks,
      ...(landings.length > 0 ? [checkWriting] : []),
      ...landings.map((landing) =>
        whileMine(
          shardWork(landingShard(landing)),
          runLanding(landing, {
            commitEveryMs: options.lakeCommitEveryMs,
            // somebody waits for a bounded run to end, one way or the other
            ...(options.bounded ? { failuresInRowMax: 5 } : {}),
            inputComplete: (topic) => Effect.sync(() => options.bounded && completion.isComplete(topic)),
            monitor: landingMonitor
          })
        )
      )
    ],
    { concurrency: "unbounded", discard: true }
  )
  const end = Effect.flatMap(moment, (last) => atEnd(summarise(last.jobs, inOrder(landingMonitor), processCost())))
  const others = Effect.raceAllFirst([show, retention(options), group?.lost ?? Effect.never])
  // a person who stops it wants to know what it came to; what cannot be told then is not worth a second error
  yield* Effect.raceFirst(work, others).pipe(
    Effect.provideService(Instances, group?.instances ?? (yield* Instances)),
    Effect.onInterrupt(() => Effect.ignore(end))
  )
  yield* end
}, Effect.scoped)

interface Wired {
  readonly options: PipelineOptions
  readonly jobs: ReadonlyArray<AnyJob>
  readonly directory: DataDirectory
  readonly completion: ReturnType<typeof makeCompletion>
  readonly screen: Screen
}

/** The jobs in this thread: running them, and where they stand. */
const runHere = Effect.fnUntraced(function* ({ completion, directory, jobs, options, screen }: Wired) {
  const monitor = Job.monitor()
  const services = yield* Layer.build(servicesLayer({ ...options, directory, say: screen.say }))
  const inputComplete = (topic: string) => Effect.sync(() => options.bounded && completion.isComplete(topic))
  const one = (job: AnyJob) =>
    runJob({ job, options, inputComplete, observer: monitor }).pipe(
      Effect.provideContext(services),
      Effect.tap(() => Effect.sync(() => completion.ended(job.name)))
    )
  return { run: Effect.forEach(jobs, one, { concurrency: "unbounded", discard: true }), status: monitor.status }
})

interface Watched {
  readonly options: PipelineOptions
  readonly jobs: ReadonlyArray<AnyJob>
  readonly status: Job.JobMonitor["status"]
  readonly ended: Effect.Effect<void>
  readonly screen: Screen
}

/** Tells a topic what leaves its bounds. Jobs go on without it. */
const watch = ({ ended, jobs, options, screen, status }: Watched) => {
  const thresholds = {
    ...thresholdsDefault,
    lagRecordsMax: options.alertLagRecords,
    // who writes snapshots seldom has old ones
    checkpointAgeMsMax: Math.max(thresholdsDefault.checkpointAgeMsMax, 3 * options.checkpointEveryMs),
    // a file's event times are not of today
    ...(options.bounded ? { watermarkDelayMsMax: undefined } : {})
  }
  const readings = makeSystemReadings(jobs, thresholds, status)
  return whileMine("watch", watchSystem({ topic: OperationsAlerts, readings, everyMs: watchEveryMs, ended })).pipe(
    Effect.catch(({ message }) => Effect.sync(() => screen.say(`alerts are not watched any more: ${message}`)))
  )
}

/**
 * Whoever reads a topic, whether this run starts it or not: the flows that run unless told otherwise, those of this run,
 * tables and declared sinks. Another flow counts once it has run: that it might is no reason to keep every record.
 */
export const logReaders = ({ flows: names, sinks = [] }: Pick<PipelineOptions, "flows" | "sinks">) => {
  const jobs = [...new Set([...flowsByDefault, ...names])].flatMap((name): ReadonlyArray<AnyJob> => flows[name])
  return [
    ...jobs.flatMap((job) => Job.sources(job).map(({ name }) => ({ topic: name, uid: job.name, stage: name }))),
    ...tables.map((landing) => ({ topic: landing.topic.name, ...landingShard(landing) })),
    ...sinks.map(({ name, topic }) => ({ topic: topic.name, ...sinkShard(name) }))
  ] satisfies ReadonlyArray<LogReader>
}

/** A person hears at the start, not at the first sorted table, that files will take longer. Who writes asks again, and fails then. */
const checkWriting = Effect.ignore(Effect.flatMap(DuckDb, checkCells))

/** As long as the run, when it is asked for. */
const retention = (options: PipelineOptions) =>
  options.logRetentionMs === undefined
    ? Effect.never
    : whileMine("retention", runRetention({ readers: logReaders(options), ageMs: options.logRetentionMs }))

/** The tables of what the jobs write; and of what upkeep beside the pipeline tells, as long as it may still tell something. */
const landingsOf = Effect.fnUntraced(function* (options: PipelineOptions, jobs: ReadonlyArray<AnyJob>) {
  const log = yield* Log
  const upkeep = !options.bounded || (yield* log.topics).some(({ name }) => name === MaintenanceRuns.name)
  const wanted = new Set([...jobs.flatMap(topicsOf), ...(upkeep ? [MaintenanceRuns.name] : [])])
  return tables.filter(({ topic }) => wanted.has(topic.name))
})

const declareWriters = (
  options: PipelineOptions,
  jobs: ReadonlyArray<AnyJob>,
  completion: ReturnType<typeof makeCompletion>
) => {
  for (const topic of options.inputs.keys()) completion.writes(`feed.${topic}`, topic)
  if (options.generator !== undefined) {
    for (const kind of generated(jobs)) completion.writes(`generator.${kind}`, kinds[kind].topic.name)
  }
  completion.writes(watcher, OperationsAlerts.name)
  for (const job of jobs) {
    for (const topic of [...Job.outputs(job), DeadLetters, Ledger]) completion.writes(job.name, topic.name)
  }
}

/** One for each topic, however many jobs read it: two would fence each other. */
const feeds = (options: PipelineOptions, jobs: ReadonlyArray<AnyJob>, completion: ReturnType<typeof makeCompletion>) =>
  sourcesOf(jobs).flatMap((topic) => {
    const file = options.inputs.get(topic.name)
    return file === undefined ? [] : [feed(topic, file, completion)]
  })

const feed = Effect.fnUntraced(function* (
  topic: ReturnType<typeof Job.sources>[number],
  file: string,
  completion: ReturnType<typeof makeCompletion>
) {
  const log = yield* Log
  yield* log.ensureTopic({ name: topic.name, partitions: topic.partitions })
  yield* feedFile({
    file,
    topic: topic.name,
    keys: KeyScanner.make(topic as unknown as Topic<unknown>), // read by its shape and key alone
    owner: yield* newOwner
  })
  completion.ended(`feed.${topic.name}`)
})

const generated = (jobs: ReadonlyArray<AnyJob>) => kindsOf(sourcesOf(jobs).map(({ name }) => name))

const openAgainMs = 1_000

const generators = (
  { bounded, generator }: PipelineOptions,
  jobs: ReadonlyArray<AnyJob>,
  completion: ReturnType<typeof makeCompletion>
) => {
  if (generator === undefined) return []
  const patiently = (kind: KindName) =>
    Effect.retry(generate(kind, generator), {
      while: (error) => error._tag === "LogError" && error.reason === "Unavailable" && !bounded,
      schedule: Schedule.spaced(openAgainMs)
    })
  const one = (kind: KindName) =>
    whileMine(`generator/${kind}`, patiently(kind)).pipe(
      Effect.tap(() => Effect.sync(() => completion.ended(`generator.${kind}`)))
    )
  const all = generated(jobs)
  const once = Effect.forEach(
    all.filter((kind) => kinds[kind].all !== undefined),
    one,
    { discard: true }
  )
  const events = all.filter((kind) => kinds[kind].all === undefined)
  // events speak of what is there once
  return [Effect.andThen(once, Effect.forEach(events, one, { concurrency: "unbounded", discard: true }))]
}
