/**
 * What a task measures of itself: latencies, durations, the size of its state, in Effect's registry of metrics.
 *
 * The gateway writes them out beside what was committed; a new process begins at nothing. **Bounds**: measured once an epoch
 * or a snapshot, never a record; one series a stage and name, one a partition for the size of state. A thread that runs jobs
 * for another's gateway hands over what it measures (`MeasureKeeper`).
 */
import { Clock, Context, Effect, Metric } from "effect"
import type { SnapshotChain } from "../checkpoint/CaptureShard.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import type { CaptureKind } from "../state/Capture.ts"

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
  description:
    "From beginning a snapshot of all changed shards until it is named in a commit; records are taken meanwhile",
  boundaries
})
const backpressured = Metric.counter("frazil_backpressured_seconds_total", {
  description:
    "Time in which a stage read nothing since it waited for a commit, a snapshot or lookups; its rate is the share of time",
  incremental: true
})
const stateBytes = Metric.gauge("frazil_state_bytes", {
  description: "Keyed state and windows of a partition, in the files of its newest snapshot"
})
const snapshotBytes = Metric.counter("frazil_snapshot_bytes_total", {
  description: "Bytes written for snapshots of state, whole ones (base) and what changed since (increment)",
  incremental: true
})
const snapshotPause = Metric.gauge("frazil_snapshot_pause_seconds", {
  description: "The longest time that a stage took no records because of its last snapshots"
})

/** One thing that was measured: seconds, or bytes of a partition's state or of a snapshot's kind. */
export interface Measured {
  readonly measure: "processing" | "endToEnd" | "checkpoint" | "backpressured" | "pause" | "state" | CaptureKind
  readonly job: string
  readonly topic: string
  /** Of state alone. */
  readonly partition?: number
  readonly value: number
}

const metrics = { processing: processingLatency, endToEnd: endToEndLatency, checkpoint: checkpointDuration }

/** Enters it into the registry of this thread. */
export const keepMeasured = ({ job, measure, partition, topic, value }: Measured): Effect.Effect<void> => {
  const stage = { job, topic }
  if (measure === "state")
    return Metric.update(Metric.withAttributes(stateBytes, { ...stage, partition: String(partition) }), value)
  if (measure === "base" || measure === "increment")
    return Metric.update(Metric.withAttributes(snapshotBytes, { ...stage, kind: measure }), value)
  if (measure === "backpressured") return Metric.update(Metric.withAttributes(backpressured, stage), value)
  if (measure === "pause") return Metric.update(Metric.withAttributes(snapshotPause, stage), value)
  return Metric.update(Metric.withAttributes(metrics[measure], stage), value)
}

/** Where tasks leave what they measure. */
export const MeasureKeeper = Context.Reference<(measured: Measured) => Effect.Effect<void>>(
  "@frazil/engine/MeasureKeeper",
  { defaultValue: () => keepMeasured }
)

export interface Measures {
  /** Commits an epoch that was opened then, of records the oldest of which was appended then, if it has any. */
  readonly epoch: <E, R>(
    commit: Effect.Effect<void, E, R>,
    openedAtMs: number | undefined,
    appendedAtMs: number
  ) => Effect.Effect<void, E, R>
  /** So long it took from beginning snapshots until the commit that named the last of them. */
  readonly checkpoint: (tookMs: number) => Effect.Effect<void>
  /** Records waited so long for a slice of a snapshot; `longestMs`: since the snapshot was begun. */
  readonly paused: (pauseMs: number, longestMs: number) => Effect.Effect<void>
  /** A snapshot of a partition is written. */
  readonly written: (
    partition: number,
    kind: CaptureKind,
    bytes: number,
    chain: Pick<SnapshotChain, "baseBytes" | "incrementBytes">
  ) => Effect.Effect<void>
  /** Waits while lookups take no more records. */
  readonly held: <E, R>(waiting: Effect.Effect<void, E, R>) => Effect.Effect<void, E, R>
}

export const makeMeasures = (plan: StagePlan): Measures => {
  const stage = { job: plan.uid, topic: plan.name }
  const keep = (measured: Omit<Measured, "job" | "topic">) =>
    Effect.flatMap(MeasureKeeper, (keeper) => keeper({ ...stage, ...measured }))
  /** Runs it; when it ended, and how long it took. */
  const timed = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<void, E, R>) {
    const startedMs = yield* Clock.currentTimeMillis
    yield* work
    const endedMs = yield* Clock.currentTimeMillis
    const seconds = (endedMs - startedMs) / 1000
    yield* keep({ measure: "backpressured", value: seconds })
    return { endedMs, seconds }
  })
  return {
    epoch: Effect.fnUntraced(function* (commit, openedAtMs, appendedAtMs) {
      const { endedMs } = yield* timed(commit)
      if (openedAtMs !== undefined) yield* keep({ measure: "processing", value: (endedMs - openedAtMs) / 1000 })
      if (Number.isFinite(appendedAtMs)) yield* keep({ measure: "endToEnd", value: (endedMs - appendedAtMs) / 1000 })
    }),
    checkpoint: (tookMs) => keep({ measure: "checkpoint", value: tookMs / 1000 }),
    paused: Effect.fnUntraced(function* (pauseMs, longestMs) {
      yield* keep({ measure: "backpressured", value: pauseMs / 1000 })
      yield* keep({ measure: "pause", value: longestMs / 1000 })
    }),
    written: Effect.fnUntraced(function* (partition, kind, bytes, { baseBytes, incrementBytes }) {
      yield* keep({ measure: kind, value: bytes })
      yield* keep({ measure: "state", partition, value: baseBytes + incrementBytes })
    }),
    held: (waiting) => Effect.asVoid(timed(waiting))
  }
}
