/**
 * Time zones: how far a zone's clocks are from UTC at a moment.
 *
 * Compiled expressions ask it for each row, so offsets are remembered by quarter of an hour: since 1980 no zone changed
 * its offset at any other moment. What is known about zones comes from the runtime (ICU).
 */
const quarterMs = 900_000
const remembersFromMs = 315_532_800_000
/** Quarters of an hour remembered for one zone: ten months; beyond, all are forgotten. */
const quartersMax = 30_000

const fixedPattern = /^([+-])([01][0-9]|2[0-3]):([0-5][0-9])$/

/** By zone, for all expressions: what is remembered of one zone, and no more zones than there are. */
const offsets = new Map<string, (ms: number) => number>()

/** Whether a text names a zone: an IANA name, or an offset like `+02:00`. */
export const zoneKnown = (zone: string): boolean => {
  if (fixedPattern.test(zone) || offsets.has(zone)) return true
  // offsets in other forms are not CEL's, and not every runtime takes them
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** The zone's offset from UTC in milliseconds, by epoch milliseconds. `zone` must be known. */
export const zoneOffset = (zone: string): ((ms: number) => number) => {
  const known = offsets.get(zone)
  if (known !== undefined) return known
  const offset = makeOffset(zone)
  offsets.set(zone, offset)
  return offset
}

const makeOffset = (zone: string): ((ms: number) => number) => {
  if (zone === "UTC") return () => 0
  const fixed = fixedPattern.exec(zone)
  if (fixed !== null) {
    const offset = (fixed[1] === "-" ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000
    return () => offset
  }
  const ask = askZone(zone)
  const remembered = new Map<number, number>()
  return (ms) => {
    if (!(ms >= remembersFromMs)) return ask(ms)
    const quarter = Math.floor(ms / quarterMs)
    const known = remembered.get(quarter)
    if (known !== undefined) return known
    const offset = ask(quarter * quarterMs)
    if (remembered.size >= quartersMax) remembered.clear()
    remembered.set(quarter, offset)
    return offset
  }
}

const askZone = (zone: string) => {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric"
  })
  return (ms: number): number => {
    if (Number.isNaN(ms)) return ms
    const whole = Math.floor(ms / 1000) * 1000
    const part = new Map(format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]))
    const number = (name: Intl.DateTimeFormatPartTypes) => part.get(name)!
    const wall = Date.UTC(
      number("year"),
      number("month") - 1,
      number("day"),
      number("hour"),
      number("minute"),
      number("second")
    )
    return wall - whole
  }
}
