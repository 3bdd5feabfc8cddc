/**
 * The figures of a running system that may become alerts, by what its jobs committed, and what its lookups say.
 *
 * `WatchSystem` takes a look every second or so.
 */
import { Job, type Log, type LogError } from "@frazil/engine"
import { Clock, Effect } from "effect"
import { makeCheckpointAges } from "./CheckpointAges.ts"
import type { Reading } from "./Judge.ts"

export interface Thresholds {
  /** Records of a topic that a job has not read. */
  readonly lagRecordsMax: number
  /** How far a job's watermark may be behind the clock; undefined where event time is not of today. */
  readonly watermarkDelayMsMax: number | undefined
  /** Records that a job sent to the dead letter within a minute. */
  readonly deadLettersAMinuteMax: number
  /** For how long a job's state may change without a snapshot. */
  readonly checkpointAgeMsMax: number
}

export const thresholdsDefault: Thresholds = {
  lagRecordsMax: 10_000,
  watermarkDelayMsMax: 300_000,
  deadLettersAMinuteMax: 100,
  checkpointAgeMsMax: 300_000
}

const minuteMs = 60_000

interface Count {
  readonly atMs: number
  readonly deadLettered: number
}

/** How many came within the last minute; remembers the counts that it needs for that. */
const lastMinute = (counts: Array<Count>, now: Count): number => {
  counts.push(now)
  while (counts.length > 1 && now.atMs - counts[1]!.atMs >= minuteMs) counts.shift()
  return now.deadLettered - counts[0]!.deadLettered
}

type Stage = Effect.Success<ReturnType<typeof Job.progress>>[number]

/** The slowest reader of each topic. */
const lags = (stages: ReadonlyArray<Stage>, threshold: number): ReadonlyArray<Reading> => {
  const topics = new Map<string, number>()
  for (const { lag, tableLags, topic } of stages) {
    for (const [name, behind] of [[topic, lag] as const, ...Object.entries(tableLags)])
      topics.set(name, Math.max(behind, topics.get(name) ?? 0))
  }
  return [...topics].map(([subject, value]) => ({ subject, kind: "lag", value, threshold }))
}

/** How far each job's slowest stage is behind the clock. */
const delays = (stages: ReadonlyArray<Stage>, threshold: number, nowMs: number): ReadonlyArray<Reading> => {
  const jobs = new Map<string, number>()
  for (const { job, watermarkMs } of stages) {
    if (watermarkMs !== undefined) jobs.set(job, Math.max(nowMs - watermarkMs, jobs.get(job) ?? 0))
  }
  return [...jobs].map(([subject, value]) => ({ subject, kind: "watermark_delay", value, threshold }))
}

const deadLetters = (stages: ReadonlyArray<Stage>): ReadonlyMap<string, number> => {
  const jobs = new Map<string, number>()
  for (const { counts, job } of stages) jobs.set(job, (jobs.get(job) ?? 0) + counts.deadLettered)
  return jobs
}

/** By job with lookups that run: how many of them find their breaker open, or probe whether it may close. */
const breakersOpen = (live: ReadonlyArray<Pick<Job.StageStatus, "job" | "lookups">>): ReadonlyMap<string, number> => {
  const jobs = new Map<string, number>()
  for (const { job, lookups } of live) {
    if (lookups.length === 0) continue
    const open = lookups.filter(({ breaker }) => breaker !== "closed").length
    jobs.set(job, open + (jobs.get(job) ?? 0))
  }
  return jobs
}

const readingsOf = (kind: Reading["kind"], values: ReadonlyMap<string, number>, threshold: number) =>
  [...values].map(([subject, value]): Reading => ({ subject, kind, value, threshold }))

/**
 * A look at the jobs; `live` is what runs in this process. What counts by the minute, and the age of changes, begins with
 * the first look.
 */
export const makeSystemReadings = (
  jobs: ReadonlyArray<Job.Job<string, unknown>>,
  thresholds: Thresholds,
  live: () => ReadonlyArray<Pick<Job.StageStatus, "job" | "lookups">>
): Effect.Effect<ReadonlyArray<Reading>, LogError, Log> => {
  const counts = new Map<string, Array<Count>>()
  const ages = makeCheckpointAges()
  const { checkpointAgeMsMax, deadLettersAMinuteMax, lagRecordsMax, watermarkDelayMsMax } = thresholds
  return Effect.gen(function* () {
    const nowMs = yield* Clock.currentTimeMillis
    const stages = yield* Job.progress(jobs)
    const letters = [...deadLetters(stages)].map(([subject, deadLettered]): Reading => {
      const known = counts.get(subject) ?? []
      counts.set(subject, known)
      const value = lastMinute(known, { atMs: nowMs, deadLettered })
      return { subject, kind: "dead_letters", value, threshold: deadLettersAMinuteMax }
    })
    const late = watermarkDelayMsMax === undefined ? [] : delays(stages, watermarkDelayMsMax, nowMs)
    const open = breakersOpen(live())
    const waiting = new Set([...open].flatMap(([job, count]) => (count > 0 ? [job] : [])))
    return [
      ...lags(stages, lagRecordsMax),
      ...late,
      ...letters,
      // one is enough
      ...readingsOf("breaker_open", open, 0),
      ...readingsOf("checkpoint_age", ages.look(stages, waiting, nowMs), checkpointAgeMsMax)
    ]
  })
}
