/** Wall and CPU time of a run, and the process's peak memory. */
import { readFileSync } from "node:fs"

export interface Measured {
  readonly events: number
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly cpuMicrosPerEvent: number
  readonly eventsPerSecond: number
  readonly eventsPerCpuSecond: number
  readonly rssPeakMb: number
}

/** Of this program alone: what the system counts for the process holds its parent's memory, as it was when this one was started. */
export const peakRssMb = (): number => {
  const found =
    process.platform === "linux" ? /^VmHWM:\s*([0-9]+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) : null
  return Math.round(Number(found?.[1] ?? process.resourceUsage().maxRSS) / 1024)
}

/** Measures the whole process from its start, as `peers/` does: start-up is part of what a user pays. */
export const measureProcess = (events: number): Measured => {
  const usage = process.resourceUsage()
  const cpuSeconds = (usage.userCPUTime + usage.systemCPUTime) / 1e6
  const wallSeconds = process.uptime()
  return {
    events,
    wallSeconds: rounded(wallSeconds, 3),
    cpuSeconds: rounded(cpuSeconds, 3),
    cpuMicrosPerEvent: rounded((cpuSeconds * 1e6) / events, 3),
    eventsPerSecond: Math.round(events / wallSeconds),
    eventsPerCpuSecond: Math.round(events / cpuSeconds),
    rssPeakMb: peakRssMb()
  }
}

export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits))

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN

/** Of all threads of the process, so far. */
export const cpuMicros = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system
}

export const cpuSeconds = (): number => cpuMicros() / 1e6
