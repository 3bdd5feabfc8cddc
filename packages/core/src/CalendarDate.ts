/**
 * Dates without a time: a branded number of days since 1970-01-01, as tables and columns hold them.
 *
 * `<` works, and the difference is days. Written and read as `YYYY-MM-DD`.
 */
import type { Brand } from "effect"
import { dateTextFromDays, daysFromCivil } from "./Timestamp.ts"

export type CalendarDate = number & Brand.Brand<"CalendarDate">

/** Days of 0001-01-01 and 9999-12-31, the first and last date. */
const daysMin = daysFromCivil(1, 1, 1)
const daysMax = daysFromCivil(9999, 12, 31)

const pattern = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/

const isCalendarDate = (value: unknown): value is CalendarDate =>
  Number.isInteger(value) && Number(value) >= daysMin && Number(value) <= daysMax

/** Reads `YYYY-MM-DD`; undefined when the text is something else or names no date. */
const parse = (text: string): CalendarDate | undefined => {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const days = daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]))
  return isCalendarDate(days) ? days : undefined
}

/** From days since 1970-01-01; a number that is no date is a defect. */
const make = (days: number): CalendarDate => {
  if (!isCalendarDate(days)) throw new RangeError("a date must be a whole number of days, in the years 1 to 9999")
  return days
}

const format = (date: CalendarDate): string => dateTextFromDays(date)

export const CalendarDate = { make, parse, format, isCalendarDate } as const
