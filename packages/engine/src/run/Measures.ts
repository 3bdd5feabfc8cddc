/**
 * What a task measures of itself: latencies, durations, the size of its state, in Effect's registry of metrics.
 *
 * The gateway writes them out beside what was committed; a new process begins at nothing. **Bounds**: measured once an epoch
 * or a snapshot, never a record; one series a stage and name, one a partition for the size of state.
 */
import { Clock, Effect, Metric } from "effect"
import type { StagePlan } from "../plan/StagePlan.ts"

/** From a few milliseconds, which an epoch takes, to the minute in which somebody has long been called. */
const boundaries = Metric.boundariesFromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])

const processingLatency = Metric.histogram("frazil_processing_latency_seconds", {
  description: "From reading an epoch's first record until the epoch's results are visible",
  boundaries
})
const endToEndLatency = Metric.histogram("frazil_end_to_end_latency_seconds", {
  description: "From the append of an epoch's oldest record until the epoch's results are visible",
  boundaries
})
const checkpointDuration = Metric.histogram("frazil_checkpoint_duration_seconds", {
  description: "Writing the state of all changed shards and naming it in a commit",
  boundaries
})
const backpressured = Metric.counter("frazil_backpressured_seconds_total", {
  description:
    "Time in which a stage read nothing since it waited for a commit or a snapshot; its rate is the share of time",
  incremental: true
})
const stateBytes = Metric.gauge("frazil_state_bytes", {
  description: "Keyed state and windows of a partition, as last written in a snapshot"
})

export interface Measures {
  /** Commits an epoch that was opened then, of records the oldest of which was appended then, if it has any. */
  readonly epoch: <E, R>(
    commit: Effect.Effect<void, E, R>,
    openedAtMs: number | undefined,
    appendedAtMs: number
  ) => Effect.Effect<void, E, R>
  readonly checkpoint: <E, R>(snapshot: Effect.Effect<void, E, R>) => Effect.Effect<void, E, R>
  readonly state: (partition: number, bytes: number) => Effect.Effect<void>
}

export const makeMeasures = (plan: StagePlan): Measures => {
  const stage = { job: plan.uid, topic: plan.name }
  const processing = Metric.withAttributes(processingLatency, stage)
  const endToEnd = Metric.withAttributes(endToEndLatency, stage)
  const checkpoint = Metric.withAttributes(checkpointDuration, stage)
  const blocked = Metric.withAttributes(backpressured, stage)
  /** Runs it; when it ended, and how long it took. */
  const timed = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<void, E, R>) {
    const startedMs = yield* Clock.currentTimeMillis
    yield* work
    const endedMs = yield* Clock.currentTimeMillis
    const seconds = (endedMs - startedMs) / 1000
    yield* Metric.update(blocked, seconds)
    return { endedMs, seconds }
  })
  return {
    epoch: Effect.fnUntraced(function* (commit, openedAtMs, appendedAtMs) {
      const { endedMs } = yield* timed(commit)
      if (openedAtMs !== undefined) yield* Metric.update(processing, (endedMs - openedAtMs) / 1000)
      if (Number.isFinite(appendedAtMs)) yield* Metric.update(endToEnd, (endedMs - appendedAtMs) / 1000)
    }),
    checkpoint: Effect.fnUntraced(function* (snapshot) {
      yield* Metric.update(checkpoint, (yield* timed(snapshot)).seconds)
    }),
    state: (partition, bytes) =>
      Metric.update(Metric.withAttributes(stateBytes, { ...stage, partition: String(partition) }), bytes)
  }
}
