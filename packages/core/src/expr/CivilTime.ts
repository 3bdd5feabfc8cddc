/**
 * Calendar and clock numbers of a point in time, by arithmetic: what compiled expressions call for `t.getHours()`.
 *
 * Each takes epoch milliseconds of the zone's wall clock (UTC plus the zone's offset), with or without a fraction; NaN gives
 * NaN. The interpreter asks `Date` instead, and a test compares the two.
 */
import type { TimePart } from "./Tree.ts"

const dayMs = 86_400_000

const daysOf = (ms: number): number => Math.floor(ms / dayMs)
const within = (ms: number, range: number, unit: number): number => {
  const whole = Math.floor(ms)
  return Math.floor((whole - Math.floor(whole / range) * range) / unit)
}

/** Days since 1 March of year 0; years begin in March here, so that the leap day is the last (Hinnant's civil_from_days). */
const civil = (ms: number) => {
  const days = daysOf(ms) + 719_468
  const era = Math.floor(days / 146_097)
  const dayOfEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  return {
    year: yearOfEra + era * 400 + (month >= 10 ? 1 : 0),
    month: month < 10 ? month + 2 : month - 10,
    day: dayOfYear - Math.floor((153 * month + 2) / 5)
  }
}

const dayOfYear = (ms: number): number => {
  const { year, month, day } = civil(ms)
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0
  if (month < 2) return month * 31 + day
  return 59 + leap + Math.floor((153 * (month - 2) + 2) / 5) + day
}

export const civilParts: Readonly<Record<TimePart, (ms: number) => number>> = {
  FullYear: (ms) => civil(ms).year,
  Month: (ms) => (ms === ms ? civil(ms).month : ms),
  Date: (ms) => civil(ms).day + 1,
  DayOfMonth: (ms) => civil(ms).day,
  DayOfWeek: (ms) => within((daysOf(ms) + 4) * dayMs, 7 * dayMs, dayMs),
  DayOfYear: dayOfYear,
  Hours: (ms) => within(ms, dayMs, 3_600_000),
  Minutes: (ms) => within(ms, 3_600_000, 60_000),
  Seconds: (ms) => within(ms, 60_000, 1000),
  Milliseconds: (ms) => within(ms, 1000, 1)
}
