/** Simulates seed after seed, on every core, and adds up what happened. */
import { Clock, Effect } from "effect"
import { simulatedJobs } from "../jobs/Jobs.ts"
import type { FaultKind } from "../world/Fault.ts"
import { inShares, isIn, type Share, tell } from "./Processes.ts"
import { say, tellFailure, tellFaults } from "./Tell.ts"

const failuresMax = 5
const progressEveryMs = 10_000

/** What came of one seed, as a process tells it. */
interface Simulated {
  readonly seed: number
  readonly steps: number
  readonly kinds: ReadonlyArray<FaultKind>
  readonly failed: boolean
}

/** Simulates the seeds of a share and tells of each. Stops after a few failures: one bug fails many seeds. */
export const simulateShare = (job: string, from: number, seeds: number, share: Share): void => {
  let failures = 0
  for (let seed = from; seed < from + seeds && failures < failuresMax; seed++) {
    if (!isIn(share, seed)) continue
    const report = simulatedJobs[job]!({ seed })
    const failed = report.violations.length > 0
    if (failed) failures++
    tell({ seed, steps: report.steps, kinds: report.injected.map(({ kind }) => kind), failed } satisfies Simulated)
  }
}

const runJob = Effect.fnUntraced(function* (job: string, from: number, seeds: number, processes: number) {
  const clock = yield* Clock.Clock
  const counts = new Map<string, number>()
  const failed: Array<number> = []
  let shownAt = clock.currentTimeMillisUnsafe()
  let done = 0
  let steps = 0
  say(`${job}: seeds ${from} to ${from + seeds - 1}, in ${processes} processes`)
  const wrong = yield* inShares<Simulated>(
    processes,
    ["--job", job, "--from", `${from}`, "--seeds", `${seeds}`],
    (told) => {
      done++
      steps += told.steps
      for (const kind of told.kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (told.failed) failed.push(told.seed)
      const now = clock.currentTimeMillisUnsafe()
      if (now - shownAt < progressEveryMs) return
      shownAt = now
      say(`${job}: ${done} of ${seeds} seeds, ${failed.length} failed`)
    }
  )
  for (const seed of failed.toSorted((a, b) => a - b).slice(0, failuresMax)) {
    tellFailure(job, simulatedJobs[job]!({ seed }))
  }
  if (wrong !== undefined) say(`${job}: ${wrong}`)
  tellFaults(counts)
  say(`${job}: ${done} runs, ${steps} events, ${failed.length} failed`)
  return wrong === undefined && failed.length === 0
})

/** Whether all promises were kept. */
export const runSeeds = Effect.fnUntraced(function* (
  jobs: ReadonlyArray<string>,
  from: number,
  seeds: number,
  processes: number
) {
  let passed = true
  for (const job of jobs) if (!(yield* runJob(job, from, seeds, processes))) passed = false
  return passed
})
