/**
 * Recounts what a soak left behind. The log no longer has all records, so tables are held against the generator, made again:
 * every valid record is a row with all its fields, every other one a dead letter, and alerts are what the oracle finds.
 *
 * **Bounds**: `linesMax` records and five minutes of rows at a time, and every alert in one line.
 */
import { Catalog, identifierFromText, readTable } from "@frazil/lake"
import { Effect } from "effect"
import { expectAlerts, type OracleAlert } from "../oracle/Alerts.ts"
import { type Expected, expectRawTransactions, type OracleRow } from "../oracle/RawTransactions.ts"
import { letterRowsQuery, rawRow, rawRowsQuery, rowText, type TextRow } from "../oracle/RowText.ts"
import { arrivalsFromMs, type SoakInput, soakLines } from "./SoakInput.ts"

const linesMax = 25_000
const minuteMs = 60_000
/** Rows of so long may be in one window. */
const windowMs = 5 * minuteMs
/** Alerts are asked of the oracle for so long a stretch at a time. */
const stretchMs = 5 * minuteMs
/** Later windows may still be open when a soak ends: records come up to 5 s early, and are waited for as long. */
const openMs = 15_000
const differencesShown = 3

export interface SoakRecount {
  readonly rows: number
  readonly letters: number
  readonly alerts: number
  /** The sum of all amounts, in hundredths. */
  readonly cents: bigint
  /** What differs from what the generator says. */
  readonly wrong: ReadonlyArray<string>
}

const rowsOf = Effect.fnUntraced(function* (table: string, query: string) {
  const catalog = yield* Catalog
  const identifier = identifierFromText(table)
  if (identifier === undefined) return yield* Effect.die(new Error(`${table} is no table's name`))
  const { rows } = yield* readTable(yield* catalog.loadTable(identifier), { query })
  return rows.map((row): TextRow => row)
})

/** What is in one and not in the other, by a few examples; nothing when they are equal with every element once. */
const differences = (what: string, found: ReadonlyArray<string>, expected: ReadonlyArray<string>) => {
  const [there, wanted] = [new Set(found), new Set(expected)]
  const few = (kind: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : [`${what}: ${lines.length} ${kind}: ${lines.slice(0, differencesShown).join(" ")}`]
  const missing = few(
    "missing",
    expected.filter((line) => !there.has(line))
  )
  const unexpected = few(
    "unexpected",
    found.filter((line) => !wanted.has(line))
  )
  const doubled = found.length === there.size ? [] : [`${what}: ${found.length - there.size} there twice`]
  return [...missing, ...unexpected, ...doubled]
}

const timeOf = ({ values }: OracleRow): number => Date.parse(String(values["event_timestamp"]))

/** What alerts look at: the rest of a row is not kept for minutes. */
const slim = (row: OracleRow): OracleRow => {
  const kept = ["account_id", "amount", "country", "event_timestamp", "lon", "type"]
  return { ...row, values: Object.fromEntries(kept.map((name) => [name, row.values[name] ?? null])), extraFields: null }
}

/** Adds up expected alerts from rows as they come, in stretches of event time. */
const expectingAlerts = (endMs: number) => {
  const lines: Array<string> = []
  let rows: Array<OracleRow> = []
  let fromMs = arrivalsFromMs - windowMs
  const takeUntil = (toMs: number) => {
    const inside = rows.filter((row) => timeOf(row) < toMs)
    for (const alert of expectAlerts(inside)) {
      const time = Date.parse(alert.event_timestamp)
      // a row's alert has its time, a window's the window's end
      const own = alert.window_start === null ? time >= fromMs && time < toMs : time > fromMs && time <= toMs
      if (own && isOver(alert, endMs)) lines.push(alertText(alert))
    }
    rows = rows.filter((row) => timeOf(row) >= toMs - windowMs)
    fromMs = toMs
  }
  return {
    add: (more: ReadonlyArray<OracleRow>) => {
      for (const row of more) rows.push(slim(row))
      const newest = more.reduce((max, row) => Math.max(max, timeOf(row)), 0)
      while (newest - openMs > fromMs + stretchMs) takeUntil(fromMs + stretchMs)
    },
    take: () => {
      takeUntil(Math.ceil((endMs + windowMs) / minuteMs) * minuteMs)
      return lines
    }
  }
}

/** Whether nothing can change it any more: of a row at once, of a window when it has closed in every partition. */
const isOver = ({ event_timestamp, window_start }: OracleAlert, endMs: number): boolean =>
  window_start === null || Date.parse(event_timestamp) <= endMs

const alertText = (alert: OracleAlert): string =>
  JSON.stringify({ ...alert, values: Object.entries(alert.values).sort(([a], [b]) => (a < b ? -1 : 1)) })

const alertsQuery = `SELECT alert_id, rule_id, key, strftime(event_timestamp, '%Y-%m-%dT%H:%M:%S.%gZ') AS event_timestamp,
  strftime(window_start, '%Y-%m-%dT%H:%M:%S.%gZ') AS window_start, "values", sources, sources_count
  FROM t QUALIFY revision = max(revision) OVER (PARTITION BY alert_id)`

interface Source {
  readonly partition: number
  readonly offset: number
}

/** A row of `transactions.alerts`, as the oracle tells alerts. */
const foundAlert = (row: TextRow): OracleAlert => ({
  alert_id: String(row["alert_id"]),
  rule_id: String(row["rule_id"]),
  key: String(row["key"]),
  event_timestamp: String(row["event_timestamp"]),
  window_start: row["window_start"] === null ? null : String(row["window_start"]),
  // columns of JSON that the contract describes
  values: JSON.parse(String(row["values"])) as OracleAlert["values"],
  sources: (JSON.parse(String(row["sources"])) as ReadonlyArray<Source>).map((s) => `${s.partition}/${s.offset}`),
  sources_count: Number(row["sources_count"])
})

/** Rows of the offsets that a stretch of the input took. */
const chunkQuery = (from: ReadonlyArray<number>, to: ReadonlyArray<number>): string => {
  const ranges = from.map(
    (offset, partition) =>
      `(source_partition = ${partition} AND source_offset >= ${offset} AND source_offset < ${to[partition]})`
  )
  return `${rawRowsQuery} WHERE ${ranges.join(" OR ")}`
}

/** The oracle counts offsets from 0 in each stretch: `base` is where the stretch begins. */
const shifted = (row: OracleRow, base: ReadonlyArray<number>): OracleRow => ({
  ...row,
  offset: row.offset + base[row.partition]!
})

const letterText = ({ field, offset, original, partition, reason }: TextRow): string =>
  rowText({ partition, offset, reason, field: field ?? null, original })

const expectedLetters = ({ deadLetters }: Expected, base: ReadonlyArray<number>): ReadonlyArray<string> =>
  deadLetters.map(({ field, offset, original, partition, reason }) =>
    letterText({ partition, offset: offset + base[partition]!, reason, field, original })
  )

const countOf = Effect.fnUntraced(function* (table: string) {
  const [row] = yield* rowsOf(table, "SELECT count(*) AS rows FROM t")
  return Number(row?.["rows"] ?? 0)
})

/** Holds tables against the input. Everything must have landed. */
export const recountSoak = Effect.fnUntraced(function* (input: SoakInput) {
  const wrong: Array<string> = []
  const letters: Array<string> = []
  const lastMs = arrivalsFromMs + (input.records / input.rate) * 1_000
  const alerts = expectingAlerts(Math.floor((lastMs - openMs) / minuteMs) * minuteMs)
  let base: ReadonlyArray<number> = [0, 0, 0, 0]
  let rows = 0
  let cents = 0n
  for (const bytes of soakLines(input, linesMax)) {
    const expected = expectRawTransactions(bytes)
    const next = base.map((offset, partition) => offset + expected.partitions[partition]!.length)
    const wanted = expected.rows.map((row) => shifted(row, base))
    const found = yield* rowsOf("transactions.raw", chunkQuery(base, next))
    wrong.push(
      ...differences(
        "transactions.raw",
        found.map(rowText),
        wanted.map((row) => rowText(rawRow(row)))
      )
    )
    letters.push(...expectedLetters(expected, base))
    alerts.add(wanted)
    base = next
    rows += wanted.length
    cents += expected.cents
    yield* Effect.yieldNow
  }
  const raw = yield* countOf("transactions.raw")
  if (raw !== rows) wrong.push(`transactions.raw: ${raw} rows instead of ${rows}`)
  const foundLetters = yield* rowsOf("system.dead_letter", letterRowsQuery)
  wrong.push(...differences("system.dead_letter", foundLetters.map(letterText), letters))
  const endMs = Math.floor((lastMs - openMs) / minuteMs) * minuteMs
  const foundAlerts = (yield* rowsOf("transactions.alerts", alertsQuery))
    .map(foundAlert)
    .filter((alert) => isOver(alert, endMs))
  const expectedAlerts = alerts.take()
  wrong.push(...differences("transactions.alerts", foundAlerts.map(alertText), expectedAlerts))
  return { rows, letters: letters.length, alerts: expectedAlerts.length, cents, wrong } satisfies SoakRecount
})
