/**
 * What a person sees while events are generated: a live line, a line at each change of state, a summary.
 *
 * Pure: progress in, text out. `ProgressScreen` draws it.
 */
import type { GeneratorProgress } from "@frazil/sim"

const format = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 })
const count = (value: number): string => format.format(value)

/** The live line; `before` is the progress `elapsedMs` earlier. */
export const progressLine = (
  now: GeneratorProgress,
  before: GeneratorProgress | undefined,
  elapsedMs: number,
  labelText: string | undefined
): string => {
  const perSecond = ((now.generated - (before?.generated ?? 0)) * 1_000) / Math.max(1, elapsedMs)
  return [
    `${count(perSecond)}/s of ${count(now.rate)}`,
    `${count(now.generated)} generated`,
    `${count(now.delivered)} delivered`,
    ...(labelText === undefined ? [] : [`${count(now.labelled)} ${labelText}`]),
    ...(now.buffered > 0 ? [`${count(now.buffered)} waiting`] : [])
  ].join("  ")
}

const stateOf = (progress: GeneratorProgress | undefined): string =>
  progress === undefined ? "delivering" : progress.full && progress.buffered > 0 ? "full" : progress.state

/** What changed since `before` that a person should know; undefined when nothing did. */
export const stateLine = (
  now: GeneratorProgress,
  before: GeneratorProgress | undefined,
  nowMs: number
): string | undefined => {
  const state = stateOf(now)
  if (state === stateOf(before)) return undefined
  const waiting = `${count(now.buffered)} events wait`
  switch (state) {
    case "retrying":
      return `delivery fails and is tried again, ${waiting}: ${now.problem ?? ""}`
    case "paused": {
      const seconds = Math.max(0, Math.ceil(((now.nextAttemptMs ?? nowMs) - nowMs) / 1_000))
      return `delivery pauses after ${count(now.failures)} failures, next attempt in ${seconds} s, ${waiting}: ${now.problem ?? ""}`
    }
    case "full":
      return `the buffer is full, ${waiting}: nothing is generated until the log takes some`
    default:
      return "delivery works again"
  }
}

/** The last line. */
export const summaryLine = (last: GeneratorProgress, labelText: string | undefined): string =>
  [
    `${count(last.generated)} generated, ${count(last.delivered)} delivered${labelText === undefined ? "" : `, ${count(last.labelled)} ${labelText}`}`,
    ...(last.buffered > 0 ? [`${count(last.buffered)} NOT delivered: the log took no more in time`] : []),
    ...(last.withheld > 0 ? [`${count(last.withheld)} not generated for lack of room or time`] : []),
    ...(last.failures > 0 ? [`${count(last.failures)} deliveries failed and were repeated`] : [])
  ].join("; ")
