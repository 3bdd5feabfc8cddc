/**
 * Runs a generator: paces a source of records, sends what it makes through an outlet, and reports progress.
 *
 * `apps/generator` and the pipeline's demo call it. One Effect per group of records; inside a group a plain loop.
 * **Back pressure**: while the outlet has no room, nothing is generated; tokens that pass meanwhile are counted as
 * withheld.
 */
import { Clock, Deferred, Effect, Fiber, type Scope } from "effect"
import type { Outlet, OutletStatus } from "./Outlet.ts"
import type { GeneratedRecord, RecordSource } from "./RecordSource.ts"
import type { TokenBucket } from "./TokenBucket.ts"

export interface GeneratorProgress extends OutletStatus {
  readonly generated: number
  /** Generated records with a label: fraud, unknown claims. */
  readonly labelled: number
  /** Records not generated because there was no room for them. */
  readonly withheld: number
  /** True while generation waits for room. */
  readonly full: boolean
  /** Events per second that are asked for now. */
  readonly rate: number
}

export interface GeneratorOptions<E, R extends GeneratedRecord> {
  readonly source: RecordSource<R>
  readonly outlet: Outlet<E>
  /** Paces the generator by the clock; whoever holds it may change the rate. */
  readonly bucket: TokenBucket
  /** Ends after so many records. Without it, only an interruption ends it. */
  readonly count?: number
  /**
   * Generates as fast as the outlet takes it, with arrivals from this time on, spaced by the bucket's rate at the
   * start: the same seed, start and rate give the same records. Epoch milliseconds.
   */
  readonly startMs?: number
  /** Called once a second, and once at the end. */
  readonly onProgress?: (progress: GeneratorProgress) => Effect.Effect<void>
}

/** Records generated before other fibers get their turn. */
const groupRecordsMax = 2_000
const progressEveryMs = 1_000
const drainMsMax = 10_000

/** Grants turns and says when each record arrives. */
interface Pace {
  readonly take: (max: number) => Effect.Effect<number>
  /** Called once after `take`; then once a record. */
  readonly begin: Effect.Effect<void>
  readonly arrivalMs: (index: number) => number
  readonly withheld: Effect.Effect<number>
}

const livePace = (bucket: TokenBucket): Pace => {
  let nowMs = 0
  return {
    take: bucket.take,
    // the wall clock may be set back, and a simulated one may have fractions; arrivals are whole and never go back
    begin: Effect.map(Clock.currentTimeMillis, (ms) => {
      nowMs = Math.max(nowMs, Math.floor(ms))
    }),
    arrivalMs: () => nowMs,
    withheld: bucket.forfeited
  }
}

const simulatedPace = (startMs: number, rate: number): Pace => ({
  take: (max) => Effect.as(Effect.yieldNow, max),
  begin: Effect.void,
  arrivalMs: (index) => startMs + Math.floor((index * 1_000) / rate),
  withheld: Effect.succeed(0)
})

interface Counters {
  generated: number
  labelled: number
  full: boolean
}

const generate = Effect.fnUntraced(function* <E, R extends GeneratedRecord>(
  options: GeneratorOptions<E, R>,
  pace: Pace,
  counters: Counters
): Effect.fn.Return<void, E> {
  const { outlet, source } = options
  const partitionOf = source.partitioner(outlet.partitions)
  const count = options.count ?? Infinity
  while (counters.generated < count) {
    counters.full = true
    const room = yield* outlet.awaitRoom
    counters.full = false
    const group = yield* pace.take(Math.min(room, groupRecordsMax, count - counters.generated))
    yield* pace.begin
    for (let turn = 0; turn < group; turn++) {
      const record = source.next(pace.arrivalMs(counters.generated))
      outlet.add(partitionOf(record), record)
      counters.generated++
      if (record.label !== undefined) counters.labelled++
    }
    yield* outlet.flush
  }
})

/**
 * Generates until `count` is reached or it is interrupted, then has delivered what was generated; returns the last
 * progress. Fails when the outlet can never deliver.
 *
 * **Gotchas**: interrupted, it waits up to 10 s for the outlet to take what is buffered; the last progress says what is
 * left. The outlet must outlive it.
 */
export const runGenerator = Effect.fnUntraced(function* <E, R extends GeneratedRecord>(
  options: GeneratorOptions<E, R>
): Effect.fn.Return<GeneratorProgress, E, Scope.Scope> {
  const { bucket, outlet, onProgress = () => Effect.void } = options
  const counters: Counters = { generated: 0, labelled: 0, full: false }
  const startRate = yield* bucket.rate
  const pace = options.startMs === undefined ? livePace(bucket) : simulatedPace(options.startMs, startRate)
  const stop = yield* Deferred.make<void>()

  const progress = Effect.map(Effect.all([bucket.rate, pace.withheld]), ([rate, withheld]): GeneratorProgress => ({
    ...counters,
    rate,
    withheld,
    ...outlet.status()
  }))
  const report = Effect.flatMap(progress, onProgress)
  const delivering = yield* Effect.forkScoped(outlet.run)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(progressEveryMs), report)))
  const work = Effect.gen(function* () {
    yield* Effect.raceFirst(Effect.andThen(generate(options, pace, counters), outlet.drain), Deferred.await(stop))
    yield* Effect.timeoutOption(outlet.drain, drainMsMax)
  })
  // in a fiber of its own, so that it goes on delivering when the caller is interrupted
  const working = yield* Effect.forkScoped(Effect.raceFirst(Fiber.join(delivering), work))
  yield* Fiber.join(working).pipe(
    Effect.onInterrupt(() => Effect.andThen(Deferred.succeed(stop, undefined), Fiber.await(working))),
    Effect.ensuring(report)
  )
  return yield* progress
}, Effect.scoped)
