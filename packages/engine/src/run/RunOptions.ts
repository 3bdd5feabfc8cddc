/** How a job runs: the bounds of epochs and checkpoints, when its input is complete, and who watches. */
import { Effect } from "effect"
import type { StagePlan } from "../plan/StagePlan.ts"
import type { Shard } from "./Shard.ts"

/** Told what tasks do; must be quick, must not fail. */
export interface TaskObserver {
  /** A task has restored its shards and begins; called again when it starts over. The shards are live. */
  readonly started: (plan: StagePlan, shards: ReadonlyArray<Shard>) => void
}

export interface RunOptions {
  readonly epochMs: number
  readonly epochRecords: number
  readonly checkpointEveryMs: number
  /** The input ends: nothing is idle, and the end of input is the end of time. */
  readonly bounded: boolean
  /** Whether nothing will be appended to a topic any more. Asked when a task has read all there is. */
  readonly inputComplete: (topic: string) => Effect.Effect<boolean>
  readonly observer: TaskObserver
}

export const runDefaults: RunOptions = {
  epochMs: 200,
  epochRecords: 50_000,
  checkpointEveryMs: 30_000,
  bounded: false,
  inputComplete: () => Effect.succeed(false),
  observer: { started: () => {} }
}
