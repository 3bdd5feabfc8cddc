/**
 * Every durable operation failed once, in each way that it can fail: the N-th, for every N until there is none.
 *
 * Operations are counted in the run itself, so that each N hits another place of log, snapshot, landing, catalog and upkeep.
 */
import { Effect } from "effect"
import { simulatedJobs } from "../jobs/Jobs.ts"
import { type FaultKind, faultKinds, possible } from "../world/Fault.ts"
import { inShares, isIn, type Share, tell } from "./Processes.ts"
import { say, tellFailure } from "./Tell.ts"

/** Its run has every kind of operation, upkeep included, and few of each. */
const seed = 9
const records = 24
const amountMs = 300
const ways: ReadonlyArray<FaultKind> = [
  "fail",
  "lost",
  "kept",
  "late",
  "outage",
  "crash-before",
  "crash-after",
  "crash-late",
  "torn"
]

/** What came of hitting one operation, as a process tells it. */
interface Hit {
  readonly kind: FaultKind
  readonly at: number
  readonly failed: boolean
}

const simulate = (job: string, kind: FaultKind, at: number) =>
  simulatedJobs[job]!({ seed, faults: [{ at, kind, amountMs }], recordsMax: records })

/** Hits the operations of a share, and tells of each. */
export const everyWriteShare = (job: string, share: Share): void => {
  const { operations } = simulatedJobs[job]!({ seed, faults: "none", recordsMax: records })
  for (const kind of ways) {
    for (const [at, operation] of operations.entries()) {
      if (!operation.writes || !isIn(share, at) || !possible(kind, operation)) continue
      const { injected, violations } = simulate(job, kind, at)
      if (injected.length > 0) tell({ kind, at, failed: violations.length > 0 } satisfies Hit)
    }
  }
}

/** Whether outputs were equal after each. */
export const everyWrite = Effect.fnUntraced(function* (jobs: ReadonlyArray<string>, processes: number) {
  let passed = true
  for (const job of jobs) {
    const hits: Array<Hit> = []
    const wrong = yield* inShares<Hit>(processes, ["--every-write", "--job", job], (hit) => void hits.push(hit))
    if (wrong !== undefined) {
      passed = false
      say(`${job}: ${wrong}`)
    }
    const order = (hit: Hit) => faultKinds.indexOf(hit.kind) * 1_000_000 + hit.at
    for (const { at, kind } of hits.filter(({ failed }) => failed).sort((a, b) => order(a) - order(b))) {
      passed = false
      tellFailure(job, simulate(job, kind, at))
    }
    for (const kind of ways) {
      say(`${job}: ${kind}: ${hits.filter((hit) => hit.kind === kind).length} operations, one after the other`)
    }
    say(`${job}: ${hits.length} hits`)
  }
  return passed
})
