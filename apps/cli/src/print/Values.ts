/** Single values as people and programs read them. Pure. */
import { Units } from "@frazil/platform"

/** `2026-01-14T23:45:00.000Z`; null when there is none. */
export const isoTime = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

/** `3 min ago`, `in 5.0 s`, or a dash. */
export const ago = (ms: number | undefined, nowMs: number): string => {
  if (ms === undefined) return "-"
  return ms > nowMs ? `in ${Units.age(ms - nowMs)}` : `${Units.age(nowMs - ms)} ago`
}

/** `1 record`, `2 records`. */
export const plural = (count: number, noun: string): string => `${Units.count(count)} ${noun}${count === 1 ? "" : "s"}`
