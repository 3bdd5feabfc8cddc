/**
 * What a person sees while the pipeline runs: one live line per job, and a summary at the end that adds up.
 *
 * Pure: statuses in, text out. `Screen.ts` draws it.
 */
import type { Job } from "@frazil/engine"
import type { LandingStatus } from "@frazil/lake"

/** One moment of a job, made by `Run.ts` from the job's monitor, the log's ends and the landings. */
export interface JobMoment {
  readonly job: string
  readonly status: ReadonlyArray<Job.StageStatus>
  /** Records of its topics not yet read. */
  readonly lag: number
  /** Tables landed from the topics it reads or writes. */
  readonly landings: ReadonlyArray<LandingStatus>
}

const number = new Intl.NumberFormat("en-US")

/** `12,345`. */
export const count = (value: number): string => number.format(Math.round(value))

/** `0.4 s`, `12 s`, `3 min`, `2.5 h`. */
const age = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

const total = (moment: JobMoment) => moment.status.reduce((sum, stage) => sum + stage.in, 0)

const watermarkText = (moment: JobMoment, nowMs: number): string => {
  const marks = moment.status.flatMap((stage) => (stage.watermarkMs === undefined ? [] : [stage.watermarkMs]))
  return marks.length === 0 ? "no watermark yet" : `watermark ${age(nowMs - Math.min(...marks))} behind`
}

const landingText = (landing: LandingStatus, nowMs: number): string => {
  const when =
    landing.lastCommitAtMs === undefined ? "no commit yet" : `commit ${age(nowMs - landing.lastCommitAtMs)} ago`
  const problem = landing.problem === undefined ? "" : `; trying again: ${landing.problem}`
  return `${landing.table} ${count(landing.rows)} rows, ${when}${problem}`
}

/** The job's live line; `before` is the moment some `elapsedMs` earlier. */
export const jobLine = (now: JobMoment, before: JobMoment | undefined, elapsedMs: number, nowMs: number): string => {
  const rate = before === undefined || elapsedMs <= 0 ? 0 : ((total(now) - total(before)) * 1000) / elapsedMs
  const dead = now.status.reduce((sum, stage) => sum + stage.deadLettered, 0)
  return [
    now.job.padEnd(14),
    `${count(rate).padStart(8)}/s`,
    `${count(total(now))} in`,
    ...(dead > 0 ? [`${count(dead)} dead letters`] : []),
    `lag ${count(now.lag)}`,
    watermarkText(now, nowMs),
    ...now.landings.map((landing) => landingText(landing, nowMs))
  ].join("  ")
}
