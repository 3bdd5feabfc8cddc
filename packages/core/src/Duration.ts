/**
 * Lengths of time as people write them (`"500ms"`, `"30s"`, `"5 minutes"`), read into milliseconds.
 *
 * Windows, timeouts and settings use them. The type refuses a misspelt unit where it is written; `parseDuration` is for
 * texts from files.
 */
type ShortUnit = "ms" | "s" | "m" | "h" | "d"
type LongUnit = "millisecond" | "second" | "minute" | "hour" | "day"

/** A duration written in code: `"500ms"`, `"30s"`, `"5 minutes"`, `"1 hour"`. */
export type DurationText = `${number}${ShortUnit}` | `${number} ${LongUnit | `${LongUnit}s`}`

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["millisecond", 1],
  ["second", 1000],
  ["minute", 60_000],
  ["hour", 3_600_000],
  ["day", 86_400_000]
])

/** A hundred years: a longer duration is a mistake. */
const durationMsMax = 36_525 * 86_400_000

const pattern = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)(?:(ms|s|m|h|d)| (millisecond|second|minute|hour|day)s?)$/

/** Milliseconds of a duration's text, or undefined when it is none, is not whole milliseconds, or is over a hundred years. */
export const parseDuration = (text: string): number | undefined => {
  const match = pattern.exec(text)
  const unit = unitMs.get(match?.[2] ?? match?.[3] ?? "")
  if (match === null || unit === undefined) return undefined
  const ms = Number(match[1]) * unit
  // 0.1 s in binary times 1000 is 100 within rounding; what is further off is no whole number of milliseconds
  const whole = Math.round(ms)
  return Math.abs(ms - whole) < 1e-6 && whole <= durationMsMax ? whole : undefined
}

/** Milliseconds of a duration written in code; one that makes no sense is a defect. */
export const durationMs = (text: DurationText): number => {
  const ms = parseDuration(text)
  if (ms === undefined) {
    throw new RangeError(
      `"${text}" is no duration: write 500ms, 30s, 5m, 2h, 3d or "5 minutes", at most a hundred years`
    )
  }
  return ms
}
