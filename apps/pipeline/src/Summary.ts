/**
 * What a run came to: per job what went in and where it went, per table what is in it, and what it cost.
 *
 * Printed for people at the end, written as JSON for programs by `--summary`. The numbers of a job count from its first
 * start, so that they add up over restarts.
 */
import type { LandingStatus } from "@frazil/lake"
import { Units } from "@frazil/platform"
import type { JobMoment } from "./Progress.ts"

export interface Summary {
  readonly jobs: ReadonlyArray<{
    readonly job: string
    readonly in: number
    /** Went through: `in` without the dead-lettered. */
    readonly out: number
    /** What they came to, by topic; alerts and the like, none for records that only had to be checked. */
    readonly written: Readonly<Record<string, number>>
    readonly late: number
    readonly dead_lettered: number
    /** Of these, those that failed in an operator. */
    readonly failed: number
  }>
  readonly tables: ReadonlyArray<{
    readonly table: string
    readonly rows: number
    readonly files: number
    /** As text: it has 63 bits. */
    readonly snapshot_id: string | null
  }>
  readonly wall_seconds: number
  readonly cpu_seconds: number
  readonly peak_rss_mb: number
}

export interface Cost {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

/** The process so far. */
export const processCost = (): Cost => {
  const usage = process.resourceUsage()
  return {
    wallSeconds: process.uptime(),
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    peakRssMb: usage.maxRSS / 1024
  }
}

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

/** Records per output topic, over all stages; topics without any are left out. */
const writtenBy = (status: JobMoment["status"]): Readonly<Record<string, number>> => {
  const written: Record<string, number> = {}
  for (const stage of status) {
    for (const [topic, count] of Object.entries(stage.out))
      if (count > 0) written[topic] = (written[topic] ?? 0) + count
  }
  return written
}

export const summarise = (
  jobs: ReadonlyArray<JobMoment>,
  landings: ReadonlyArray<LandingStatus>,
  cost: Cost
): Summary => ({
  jobs: jobs.map(({ job, status }) => ({
    job,
    in: sum(status.map((stage) => stage.in)),
    out: sum(status.map((stage) => stage.in - stage.deadLettered)),
    written: writtenBy(status),
    late: sum(status.map((stage) => stage.late)),
    dead_lettered: sum(status.map((stage) => stage.deadLettered)),
    failed: sum(status.map((stage) => stage.failed))
  })),
  tables: landings.map(({ files, rows, snapshotId, table }) => ({
    table,
    rows,
    files,
    snapshot_id: snapshotId ?? null
  })),
  wall_seconds: Number(cost.wallSeconds.toFixed(3)),
  cpu_seconds: Number(cost.cpuSeconds.toFixed(3)),
  peak_rss_mb: Math.round(cost.peakRssMb)
})

/** For people: one line a job, one a table, one of cost. */
export const summaryLines = (summary: Summary): ReadonlyArray<string> => {
  const jobs = summary.jobs.map(({ dead_lettered, in: taken, job, late, out, written }) => {
    const more = Object.entries(written).map(([topic, records]) => `${Units.count(records)} to ${topic}`)
    if (late > 0) more.push(`${Units.count(late)} late`)
    const rest = more.length === 0 ? "" : `; ${more.join(", ")}`
    return `${job}: ${Units.count(taken)} records in = ${Units.count(out)} passed + ${Units.count(dead_lettered)} to dead-letter${rest}`
  })
  const tables = summary.tables.map(
    ({ files, rows, snapshot_id, table }) =>
      `${table}: ${Units.count(rows)} ${rows === 1 ? "row" : "rows"} in ${Units.count(files)} ${files === 1 ? "file" : "files"}${snapshot_id === null ? "" : `, snapshot ${snapshot_id}`}`
  )
  const cost = `${summary.wall_seconds.toFixed(1)} s, ${summary.cpu_seconds.toFixed(1)} s of CPU, ${summary.peak_rss_mb} MB at most`
  return [...jobs, ...tables, cost]
}
