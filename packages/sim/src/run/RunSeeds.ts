/** Simulates seed after seed and adds up what happened. */
import { Clock, Effect } from "effect"
import { simulatedJobs } from "../jobs/Jobs.ts"
import { say, tellFailure, tellFaults } from "./Tell.ts"

const failuresMax = 5
const progressEveryMs = 10_000

/** Whether all promises were kept. Stops after a few failures: one bug fails many seeds. */
export const runSeeds = Effect.fnUntraced(function* (jobs: ReadonlyArray<string>, from: number, seeds: number) {
  const counts = new Map<string, number>()
  let failures = 0
  let steps = 0
  for (const job of jobs) {
    let shownAt = yield* Clock.currentTimeMillis
    say(`${job}: seeds ${from} to ${from + seeds - 1}`)
    for (let seed = from; seed < from + seeds && failures < failuresMax; seed++) {
      const report = simulatedJobs[job]!({ seed })
      steps += report.steps
      for (const { kind } of report.injected) counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (report.violations.length > 0) {
        failures++
        tellFailure(job, report)
      }
      const now = yield* Clock.currentTimeMillis
      if (now - shownAt < progressEveryMs) continue
      shownAt = now
      say(`${job}: ${seed - from + 1} of ${seeds} seeds, ${failures} failed`)
    }
  }
  tellFaults(counts)
  say(`${jobs.length * seeds} runs, ${steps} events, ${failures} failed`)
  return failures === 0
})
