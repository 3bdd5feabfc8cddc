/**
 * Every durable operation failed once, in each way that it can fail: the N-th, for every N until there is none.
 *
 * Operations are counted in the run itself, so that each N hits another place of log, snapshot, landing and catalog.
 */
import { Effect } from "effect"
import { simulatedJobs } from "../jobs/Jobs.ts"
import type { FaultKind } from "../world/Fault.ts"
import { say, tellFailure } from "./Tell.ts"

const seed = 7
const records = 24
const ways: ReadonlyArray<FaultKind> = [
  "fail",
  "lost",
  "kept",
  "late",
  "crash-before",
  "crash-after",
  "crash-late",
  "torn"
]

/** Whether outputs were equal after each. */
export const everyWrite = Effect.fnUntraced(function* (jobs: ReadonlyArray<string>) {
  let passed = true
  for (const job of jobs) {
    for (const kind of ways) {
      let hit = 0
      const quiet = simulatedJobs[job]!({ seed, faults: "none", recordsMax: records }).operations
      for (let at = 0; at < quiet; at++) {
        const report = simulatedJobs[job]!({ seed, faults: [{ at, kind, amountMs: 300 }], recordsMax: records })
        hit += report.injected.length
        if (report.violations.length === 0) continue
        passed = false
        tellFailure(job, report)
      }
      say(`${job}: ${kind}: ${hit} operations, one after the other`)
      yield* Effect.yieldNow
    }
  }
  return passed
})
