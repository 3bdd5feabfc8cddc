/**
 * Where jobs and tables stand now, looked at twice a second for who watches, and once at the end.
 */
import { boundsOnce, Job } from "@frazil/engine"
import type { LandingMonitor, LandingStatus } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, Ledger } from "@frazil/model"
import { Clock, Effect } from "effect"
import { type JobMoment, type Moment, plainLines, tableLines } from "./Progress.ts"
import type { Screen } from "./Screen.ts"

const showEveryMs = 500

type AnyJob = Job.Job<string, unknown>

/** Topics that every job writes. */
const shared: ReadonlyArray<string> = [DeadLetters.name, Ledger.name]

/** Topics that a job reads or writes, and no other one has to. */
const ownTopics = (job: AnyJob): ReadonlyArray<string> =>
  [...Job.sources(job), ...Job.outputs(job)].map((topic) => topic.name)

/** Every topic that a job reads or writes. */
export const topicsOf = (job: AnyJob): ReadonlyArray<string> => [...ownTopics(job), ...shared]

const places = new Map(tables.map(({ table }, place) => [table, place]))

/** What landings say, in the order in which tables are declared. */
export const inOrder = (monitor: LandingMonitor): ReadonlyArray<LandingStatus> =>
  monitor.status().toSorted((one, other) => (places.get(one.table) ?? 0) - (places.get(other.table) ?? 0))

export const takeMoment = Effect.fnUntraced(function* (
  jobs: ReadonlyArray<AnyJob>,
  running: Job.JobMonitor["status"],
  landings: LandingMonitor
) {
  const boundsOf = yield* boundsOnce
  const landed = inOrder(landings)
  const statuses = running()
  const moments: Array<JobMoment> = []
  for (const job of jobs) {
    const status = statuses.filter((stage) => stage.job === job.name)
    let lag: number | undefined = 0
    for (const stage of status) {
      // a log that is out of reach stops nobody from seeing what waits for it
      const bounds = yield* Effect.orElseSucceed(boundsOf(stage.topic), () => undefined)
      // of the partitions that are this instance's
      for (const { end, partition } of bounds ?? [])
        if (lag !== undefined) lag += end - (stage.positions.get(partition) ?? end)
      if (bounds === undefined) lag = undefined
    }
    const topics = ownTopics(job)
    moments.push({ job: job.name, status, lag, landings: landed.filter(({ topic }) => topics.includes(topic)) })
  }
  const own = new Set(jobs.flatMap(ownTopics))
  return { jobs: moments, shared: landed.filter(({ topic }) => !own.has(topic)) } satisfies Moment
})

export const showForever = <E, R>(moment: Effect.Effect<Moment, E, R>, screen: Screen) =>
  Effect.gen(function* () {
    let before: Moment = { jobs: [], shared: [] }
    let beforeMs = yield* Clock.currentTimeMillis
    while (true) {
      yield* Effect.sleep(showEveryMs)
      const now = yield* Clock.currentTimeMillis
      if (!screen.due(now)) continue
      const next = yield* moment
      const render = screen.live ? tableLines : plainLines
      screen.show(render(next, before, now - beforeMs, now), now)
      before = next
      beforeMs = now
    }
  })
