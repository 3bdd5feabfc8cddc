/**
 * The oracle of alerts: from the rows that a file of transactions comes to, what the shipped rules must find.
 *
 * Golden runs are held against it. It shares no code with rules, engine or expressions: the documents in `lakehouse/rules`
 * read once more by a person and written as plain loops. Of windows it tells the last word, whatever revision that is.
 */
import { createHash } from "node:crypto"
import type { OracleRow } from "./RawTransactions.ts"

export interface OracleAlert {
  readonly alert_id: string
  readonly rule_id: string
  readonly key: string
  /** ISO-8601 with milliseconds. */
  readonly event_timestamp: string
  readonly window_start: string | null
  readonly values: Readonly<Record<string, string | number>>
  /** `partition/offset`, ascending; at most 100. */
  readonly sources: ReadonlyArray<string>
  readonly sources_count: number
}

const topic = "raw-transactions"
const sourcesMax = 100
const minuteMs = 60_000
const windowMs = 5 * minuteMs

/** Hours ahead of UTC where the generator's people live, in January: no daylight saving but in the south. */
const januaryOffsets: Readonly<Record<string, number>> = {
  GB: 0,
  DE: 1,
  FR: 1,
  CA: -5,
  JP: 9,
  MX: -6,
  BR: -3,
  IN: 5.5,
  NG: 1,
  AU: 11
}

const idOf = (...what: ReadonlyArray<string | number>) =>
  createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 32)

const isoOf = (ms: number) => new Date(ms).toISOString()
const textOf = (row: OracleRow, name: string) => String(row.values[name])
const timeOf = (row: OracleRow) => Date.parse(textOf(row, "event_timestamp"))
const centsText = (cents: bigint) => `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`

const atNight = (row: OracleRow): boolean => {
  const country = textOf(row, "country")
  const lon = Number(row.values["lon"])
  const american = lon < -114 ? -8 : lon < -85 ? -6 : -5
  const offset = country === "US" ? american : (januaryOffsets[country] ?? 0)
  const hour = new Date(timeOf(row) + offset * 3_600_000).getUTCHours()
  return hour >= 1 && hour <= 4
}

const rowAlert = (rule: string, row: OracleRow, values: OracleAlert["values"]): OracleAlert => {
  const key = textOf(row, "account_id")
  return {
    alert_id: idOf(rule, key, topic, row.partition, row.offset),
    rule_id: rule,
    key,
    event_timestamp: isoOf(timeOf(row)),
    window_start: null,
    values,
    sources: [`${row.partition}/${row.offset}`],
    sources_count: 1
  }
}

const ofRow = (row: OracleRow): ReadonlyArray<OracleAlert> => {
  const found: Array<OracleAlert> = []
  const amount = textOf(row, "amount")
  if (row.cents >= 1_000_000n) found.push(rowAlert("large-amount", row, { amount }))
  if (textOf(row, "type") === "withdrawal" && row.cents >= 80_000n && atNight(row)) {
    const { country, lon } = row.values
    const event_timestamp = isoOf(timeOf(row))
    const values = { amount, country: String(country), event_timestamp, lon: Number(lon), type: "withdrawal" }
    found.push(rowAlert("night-withdrawal", row, values))
  }
  return found
}

const ofWindow = (key: string, end: number, rows: ReadonlyArray<OracleRow>): ReadonlyArray<OracleAlert> => {
  const alert = (rule: string, values: OracleAlert["values"]): OracleAlert => ({
    alert_id: idOf(rule, key, end - windowMs, end),
    rule_id: rule,
    key,
    // no alert is of 2090 or later
    event_timestamp: isoOf(Math.min(end, Date.UTC(2090, 0, 1) - 1)),
    window_start: isoOf(end - windowMs),
    values,
    sources: rows
      .map(({ offset, partition }) => ({ offset, partition }))
      .sort((a, b) => a.offset - b.offset)
      .slice(0, sourcesMax)
      .map(({ offset, partition }) => `${partition}/${offset}`),
    sources_count: rows.length
  })
  let total = 0n
  let largest = 0n
  const countries = new Set<string>()
  for (const row of rows) {
    total += row.cents
    if (row.cents > largest) largest = row.cents
    countries.add(textOf(row, "country"))
  }
  const count = rows.length
  const found: Array<OracleAlert> = []
  if (count >= 8) found.push(alert("velocity-count", { count }))
  if (count > 1 && total >= 1_500_000n) found.push(alert("velocity-sum", { count, total: centsText(total) }))
  if (countries.size > 1 && largest >= 1_000_000n) {
    found.push(alert("foreign-after-large", { countries: countries.size, largest: centsText(largest) }))
  }
  return found
}

/**
 * Every alert of the shipped rules over rows of January. `takes`: whether the window that ends then takes the row; all do
 * where no row comes too late (`Lateness.ts` tells).
 */
export const expectAlerts = (
  rows: ReadonlyArray<OracleRow>,
  takes: (row: OracleRow, end: number) => boolean = () => true
): ReadonlyArray<OracleAlert> => {
  const alerts = rows.flatMap(ofRow)
  const windows = new Map<string, { readonly key: string; readonly end: number; readonly rows: Array<OracleRow> }>()
  for (const row of rows) {
    const key = textOf(row, "account_id")
    const time = timeOf(row)
    for (let end = (Math.floor(time / minuteMs) + 1) * minuteMs; end - windowMs <= time; end += minuteMs) {
      if (!takes(row, end)) continue
      const name = `${end} ${key}`
      const window = windows.get(name) ?? { key, end, rows: [] }
      windows.set(name, window)
      window.rows.push(row)
    }
  }
  for (const { end, key, rows: inside } of windows.values()) alerts.push(...ofWindow(key, end, inside))
  return alerts
}
