/** How a job runs: the bounds of epochs and checkpoints, when its input is complete, and who watches. */
import { Effect } from "effect"
import type { ThreadPart } from "../lookup/PolicyPart.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { type SnapshotBounds, snapshotBounds } from "../checkpoint/SnapshotBounds.ts"
import type { Shard } from "./Shard.ts"

/** Told what tasks do; must be quick, must not fail. */
export interface TaskObserver {
  /** A task has restored its shards and begins; called again when it starts over. The shards are live. */
  readonly started: (plan: StagePlan, shards: ReadonlyArray<Shard>) => void
  /** A task failed and will start over, or a snapshot of its state could not be written and will be tried again: why, for people. */
  readonly troubled?: (plan: StagePlan, message: string) => void
  /** A snapshot of each shard that changed was written and named. */
  readonly checkpointed?: (plan: StagePlan) => void
  /** A task has committed an epoch. */
  readonly committed?: (plan: StagePlan) => void
}

export interface RunOptions {
  /** An epoch is committed at the latest so long after its first record. */
  readonly epochMs: number
  /** An epoch is committed once it has so many records; each partition may add a batch before that is looked at. */
  readonly epochRecords: number
  /** Keyed state is written out at most so often, after an epoch. */
  readonly checkpointEveryMs: number
  readonly snapshot: SnapshotBounds
  /** The input ends: nothing is idle, and the end of input is the end of time. */
  readonly bounded: boolean
  /** Whether nothing will be appended to a topic any more. Asked when a task has read all there is. */
  readonly inputComplete: (topic: string) => Effect.Effect<boolean>
  readonly observer: TaskObserver
  /** The thread that runs it, of those that run the job: lookups may do their part of what is declared. */
  readonly part?: ThreadPart
}

const runDefaults: RunOptions = {
  epochMs: 200,
  epochRecords: 50_000,
  checkpointEveryMs: 30_000,
  snapshot: snapshotBounds,
  bounded: false,
  inputComplete: () => Effect.succeed(false),
  observer: { started: () => {} }
}

const bound = (name: string, value: number, least: number) => {
  if (value >= least) return
  throw new RangeError(`${name} must be a number of at least ${least}, found ${value}`)
}

/** The options with defaults for what is left out. Bounds that make no sense are a bug of the caller: a `RangeError`. */
export const runOptions = (options: Partial<RunOptions>): RunOptions => {
  const run = { ...runDefaults, ...options }
  bound("epochMs", run.epochMs, 0)
  bound("epochRecords", run.epochRecords, 1)
  bound("checkpointEveryMs", run.checkpointEveryMs, 0)
  return run
}
