/**
 * Points in time: a number of milliseconds since 1970 in UTC, whose fraction holds microseconds.
 *
 * A branded number, so that `b.t - a.t` is milliseconds and `<` works. The decoder, the encoder, expressions and user
 * functions use these functions; none of them reads a clock. Doubles hold microseconds exactly below 2^42 ms (year 2109).
 */
import type { Brand } from "effect"
import { durationMs, type DurationText } from "./Duration.ts"

export type Timestamp = number & Brand.Brand<"Timestamp">

/** First millisecond that no timestamp may reach: microseconds would be lost from here on. */
export const timestampEndMs = 2 ** 42

const dayMs = 86_400_000

/** Days since 1970-01-01 of a date of the Gregorian calendar; NaN when there is no such date. Years 0 to 9999. */
export const daysFromCivil = (year: number, month: number, day: number): number => {
  if (month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return Number.NaN
  // years begin in March here, so that the leap day is the last (Howard Hinnant's days_from_civil)
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

const monthDays = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31

/** `YYYY-MM-DD` of days since 1970. */
export const dateTextFromDays = (days: number): string => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
}

const padded = (value: number, width: number): string => String(value).padStart(width, "0")

/** `"00"` to `"99"`. */
const twoDigitTexts = Array.from({ length: 100 }, (_, value) => padded(value, 2))

// times that are written one after another mostly fall on one date
let lastDays = Number.NaN
let lastDateText = ""

const cachedDateText = (days: number): string => {
  if (days !== lastDays) {
    lastDateText = dateTextFromDays(days)
    lastDays = days
  }
  return lastDateText
}

const pattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/

/**
 * Reads ISO-8601 with `Z` or an offset (`+01:00`). Fraction digits are kept to microseconds, further ones cut off.
 * Undefined when the text is something else or names no time; `"out_of_range"` from 2109 on and before 1831.
 */
const parse = (text: string): Timestamp | "out_of_range" | undefined => {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const days = daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]))
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = Number(match[6])
  const offsetHour = Number(match[9] ?? 0)
  const offsetMinute = Number(match[10] ?? 0)
  if (Number.isNaN(days) || hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) {
    return undefined
  }
  const fraction = (match[7] ?? "").slice(0, 6).padEnd(6, "0")
  const offsetMs = (match[8] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60_000
  const secondMs = days * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000 - offsetMs
  const ms = secondMs + Number(fraction.slice(0, 3))
  if (ms >= timestampEndMs || ms <= -timestampEndMs) return "out_of_range"
  // checked above: finite, and in the range that keeps microseconds
  return (ms + Number(fraction.slice(3)) / 1000) as Timestamp
}

/** Whether a number can be a timestamp: finite and within the range that keeps microseconds. */
const isTimestamp = (value: unknown): value is Timestamp =>
  typeof value === "number" && value < timestampEndMs && value > -timestampEndMs

/** From epoch milliseconds. A number outside the range is a defect: nothing here lives in the year 2109. */
const make = (ms: number): Timestamp => {
  if (!isTimestamp(ms)) throw new RangeError("a timestamp must lie between the years 1831 and 2109")
  return ms
}

/** Whole microseconds since 1970. */
const toMicros = (timestamp: Timestamp): number => Math.round(timestamp * 1000)

const fromMicros = (micros: number): Timestamp => {
  const ms = Math.floor(micros / 1000)
  return make(ms + (micros - ms * 1000) / 1000)
}

/** `2026-01-14T23:45:00.000Z`; with six digits when there are microseconds. */
const format = (timestamp: Timestamp): string => {
  const micros = toMicros(timestamp)
  const ms = Math.floor(micros / 1000)
  const days = Math.floor(ms / dayMs)
  const second = Math.floor((ms - days * dayMs) / 1000)
  const rest = ms - (days * 86_400 + second) * 1000
  const tail = micros - ms * 1000
  const hours = twoDigitTexts[Math.floor(second / 3600)]
  const minutes = twoDigitTexts[Math.floor(second / 60) % 60]
  const seconds = twoDigitTexts[second % 60]
  const fraction = `${Math.floor(rest / 100)}${twoDigitTexts[rest % 100]}${tail === 0 ? "" : padded(tail, 3)}`
  return `${cachedDateText(days)}T${hours}:${minutes}:${seconds}.${fraction}Z`
}

/** Later by a duration (`"5 minutes"`) or a number of milliseconds. */
const plus = (timestamp: Timestamp, duration: DurationText | number): Timestamp =>
  make(timestamp + (typeof duration === "number" ? duration : durationMs(duration)))

export const Timestamp = { make, parse, format, toMicros, fromMicros, plus, isTimestamp } as const
