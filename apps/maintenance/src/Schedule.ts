/**
 * Runs jobs at the times of their cron lines, each in a loop of its own, until interrupted.
 *
 * **Guarantee**: a job is never started while it still runs: times that pass meanwhile are left out.
 */
import { Clock, Cron, Effect } from "effect"
import type { ScheduledJob } from "./ScheduleFile.ts"

/** The clock may be set, and timers take no waits of many days: the time is asked again this often. */
const waitMsMax = 3_600_000

const sleepUntil = Effect.fnUntraced(function* (timeMs: number) {
  while (true) {
    const left = timeMs - (yield* Clock.currentTimeMillis)
    if (left <= 0) return
    yield* Effect.sleep(Math.min(left, waitMsMax))
  }
})

/** Ends only by a failure of `run` or `announce`, or when it is interrupted. `announce` is told each next time. */
export const runSchedule = <E, R>(
  jobs: ReadonlyArray<ScheduledJob>,
  run: (job: ScheduledJob) => Effect.Effect<void, E, R>,
  announce: (job: ScheduledJob, atMs: number) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> => {
  const repeat = Effect.fnUntraced(function* (job: ScheduledJob) {
    while (true) {
      const next = Cron.next(job.cron, yield* Clock.currentTimeMillis).getTime()
      yield* announce(job, next)
      yield* sleepUntil(next)
      yield* run(job)
    }
  })
  return Effect.forEach(jobs, repeat, { concurrency: "unbounded", discard: true })
}
