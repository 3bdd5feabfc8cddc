/**
 * What a person sees while the pipeline runs: one live line per job.
 *
 * Pure: moments in, text out. On a terminal the lines stand below a header and are drawn in place; elsewhere each line
 * names its figures. `Screen.ts` draws them.
 */
import type { Job } from "@frazil/engine"
import type { LandingStatus } from "@frazil/lake"
import { Units } from "@frazil/platform"

/** One moment of a job, made by `Moments.ts` from the job's monitor, the log's ends and the landings. */
export interface JobMoment {
  readonly job: string
  readonly status: ReadonlyArray<Job.StageStatus>
  /** Records of its topics not yet read; undefined while the log cannot be asked. */
  readonly lag: number | undefined
  /** Tables landed from the topics that it reads or writes, and not every job. */
  readonly landings: ReadonlyArray<LandingStatus>
}

/** One moment of the pipeline. */
export interface Moment {
  readonly jobs: ReadonlyArray<JobMoment>
  /** Tables that are no single job's. */
  readonly shared: ReadonlyArray<LandingStatus>
}

/** The figures of a line, as text. */
interface Figures {
  readonly job: string
  readonly rate: string
  readonly in: string
  readonly dead: string
  readonly lag: string
  readonly watermark: string
  readonly commit: string
  readonly tables: string
}

const total = (moment: JobMoment) => moment.status.reduce((sum, stage) => sum + stage.in, 0)

const figuresOf = (now: JobMoment, before: JobMoment | undefined, elapsedMs: number, nowMs: number): Figures => {
  const watermarks = now.status.flatMap(({ watermarkMs }) => (watermarkMs === undefined ? [] : [watermarkMs]))
  const commits = now.landings.flatMap(({ lastCommitAtMs }) => (lastCommitAtMs === undefined ? [] : [lastCommitAtMs]))
  const rate = before === undefined || elapsedMs <= 0 ? 0 : ((total(now) - total(before)) * 1000) / elapsedMs
  return {
    job: now.job,
    rate: `${Units.count(Math.round(rate))}/s`,
    in: Units.count(total(now)),
    dead: Units.count(now.status.reduce((sum, stage) => sum + stage.deadLettered, 0)),
    lag: now.lag === undefined ? "–" : Units.count(now.lag),
    watermark: watermarks.length === 0 ? "–" : Units.age(nowMs - Math.min(...watermarks)),
    commit: commits.length === 0 ? "–" : `${Units.age(nowMs - Math.max(...commits))} ago`,
    tables: rowsOf(now.landings)
  }
}

const rowsOf = (landings: ReadonlyArray<LandingStatus>): string =>
  landings.map(({ rows, table }) => `${table} ${Units.count(rows)}`).join(", ")

const problemsOf = ({ jobs, shared }: Moment): ReadonlyArray<string> => {
  const landings = new Map([...jobs.flatMap((each) => each.landings), ...shared].map((each) => [each.table, each]))
  const parts = [
    ...jobs.flatMap(({ job, status }) => status.map(({ problem }) => ({ name: job, problem }))),
    ...[...landings.values()].map(({ problem, table }) => ({ name: table, problem }))
  ]
  return parts.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: trying again: ${problem}`]))
}

/** Calls for the figures of every job, in order; `before` is the moment `elapsedMs` earlier. */
type Render = (now: Moment, before: Moment, elapsedMs: number, nowMs: number) => ReadonlyArray<string>

const columns = [
  ["job", "job", 20],
  ["rate", "rate", 10],
  ["in", "records in", 12],
  ["dead", "dead letters", 13],
  ["lag", "lag", 9],
  ["watermark", "watermark behind", 17],
  ["commit", "lake commit", 12]
] as const

const cells = (texts: ReadonlyArray<string>): string =>
  texts.map((text, at) => (at === 0 ? text.padEnd(columns[0][2]) : text.padStart(columns[at]?.[2] ?? 0))).join("")

const allFigures: (...moments: Parameters<Render>) => ReadonlyArray<Figures> = (now, before, elapsedMs, nowMs) =>
  now.jobs.map((moment, at) => figuresOf(moment, before.jobs[at], elapsedMs, nowMs))

/** For a terminal: a header, a line a job, the tables of all, and what goes wrong. */
export const tableLines: Render = (now, ...rest) => [
  `${cells(columns.map(([, title]) => title))}   rows landed`,
  ...allFigures(now, ...rest).map((each) => `${cells(columns.map(([field]) => each[field]))}   ${each.tables}`),
  `${" ".repeat(columns.reduce((sum, [, , width]) => sum + width, 0))}   ${rowsOf(now.shared)}`,
  ...problemsOf(now)
]

/** For a log file: each line by itself. */
export const plainLines: Render = (now, ...rest) => [
  ...allFigures(now, ...rest).map(
    (each) =>
      `${each.job}: ${each.rate}, ${each.in} in, ${each.dead} dead letters, lag ${each.lag}, watermark ${each.watermark} behind, lake commit ${each.commit}, rows landed: ${each.tables === "" ? "none" : each.tables}`
  ),
  ...problemsOf(now)
]
