/** How landings run: when they commit, when their input is complete, and who watches. */
import { Effect } from "effect"
import { type LandingMonitor, makeLandingMonitor } from "./LandingStatus.ts"

export interface LandingRun {
  /** From the first record that waits to the swap that shows it. */
  readonly commitEveryMs: number
  /** Rows of one swap: bounds what an attempt holds and what a failure repeats. */
  readonly attemptRowsMax: number
  /** A file ends near this size. Default: the table's `write.target-file-size-bytes`, or 128 MiB. */
  readonly fileBytesTarget?: number
  /** Starts over this often without a swap in between, then gives up. */
  readonly failuresInRowMax: number
  /** Whether nothing will be appended to a topic any more. Asked when a landing has read all there is. */
  readonly inputComplete: (topic: string) => Effect.Effect<boolean>
  readonly monitor: LandingMonitor
}

export const landingDefaults = (): LandingRun => ({
  commitEveryMs: 300_000,
  attemptRowsMax: 4_000_000,
  failuresInRowMax: Number.POSITIVE_INFINITY,
  inputComplete: () => Effect.succeed(false),
  monitor: makeLandingMonitor()
})
