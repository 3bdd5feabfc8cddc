/**
 * The oracle of time: which rows come too late for which windows, and which are far ahead of their partition.
 *
 * From rows in the order of their offsets, with the engine's promises read once more (packages/engine/OPERATORS.md) and no code
 * of it: the watermark is the highest time before a row, less 5 s; a row an hour or more ahead moves it only as the third in
 * a row, or the hundredth when all are one account's. It tells what the ledger must hold, and what `expectAlerts` may count.
 */
import type { OracleRow } from "./RawTransactions.ts"

/** An entry of the ledger. */
export interface OracleEntry {
  readonly reason: "late" | "dropped" | "lead"
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly latenessMs: number
}

export interface OracleTimes {
  readonly entries: ReadonlyArray<OracleEntry>
  /** Whether the window that ends then takes the row. */
  readonly takes: (row: OracleRow, end: number) => boolean
}

const minuteMs = 60_000
const sizeMs = 5 * minuteMs
const everyMs = minuteMs
const allowedLatenessMs = 5 * minuteMs
const outOfOrdernessMs = 5_000
const leadMs = 60 * minuteMs
const leadsInRow = 3
const leadsOfOneKey = 100

const timeOf = (row: OracleRow): number => Date.parse(String(row.values["event_timestamp"]))

/** Ends of the windows that a time lies in. */
const endsOf = (time: number): ReadonlyArray<number> => {
  const first = (Math.floor(time / everyMs) + 1) * everyMs
  return Array.from({ length: sizeMs / everyMs }, (_, index) => first + index * everyMs)
}

/** Rows of one partition, in the order of their offsets. */
const judgePartition = (rows: ReadonlyArray<OracleRow>, watermarks: Map<OracleRow, number>): Array<OracleEntry> => {
  const entries: Array<OracleEntry> = []
  let highest: number | undefined
  let leads: Array<{ readonly time: number; readonly account: string }> = []
  for (const row of rows) {
    const { offset, partition } = row
    const time = timeOf(row)
    const watermark = highest === undefined ? Number.NEGATIVE_INFINITY : highest - outOfOrdernessMs
    watermarks.set(row, watermark)
    const closed = endsOf(time).filter((end) => end + allowedLatenessMs <= watermark)
    if (closed.length > 0) {
      const reason = closed.length === sizeMs / everyMs ? "late" : "dropped"
      const key = String(row.values["account_id"])
      entries.push({ reason, partition, offset, key, latenessMs: watermark - time })
    }
    if (highest === undefined) highest = time
    else if (time < highest + leadMs) {
      highest = Math.max(highest, time)
      leads = []
    } else {
      entries.push({ reason: "lead", partition, offset, key: null, latenessMs: highest - time })
      leads.push({ time, account: String(row.values["account_id"]) })
      const accounts = new Set(leads.map(({ account }) => account))
      if (leads.length >= (accounts.size === 1 ? leadsOfOneKey : leadsInRow)) {
        highest = Math.min(...leads.slice(-leadsInRow).map((each) => each.time))
        leads = []
      }
    }
  }
  return entries
}

/** Judges rows of any number of partitions by the windows of the shipped rules. */
export const judgeTimes = (rows: ReadonlyArray<OracleRow>): OracleTimes => {
  const watermarks = new Map<OracleRow, number>()
  const partitions = new Map<number, Array<OracleRow>>()
  for (const row of rows) partitions.set(row.partition, [...(partitions.get(row.partition) ?? []), row])
  const entries = [...partitions.values()].flatMap((inside) =>
    judgePartition(
      inside.toSorted((a, b) => a.offset - b.offset),
      watermarks
    )
  )
  return { entries, takes: (row, end) => end + allowedLatenessMs > (watermarks.get(row) ?? Number.NEGATIVE_INFINITY) }
}
