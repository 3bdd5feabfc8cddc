/**
 * What a workload answers, and the line that tells it: the fields of the peers' `limit` in their order, then what it cost.
 *
 * `Program.ts` prints it; a workload whose answer has other fields beside (`by_day`) gives them as `more`.
 */
import { jsonLine } from "../support/JsonLine.ts"
import { measureProcess } from "../support/Measure.ts"
import { textOf } from "./Rows.ts"
import type { LogCost } from "./RunJob.ts"

export interface Counts {
  readonly n: number
  readonly high?: number
  readonly review?: number
  readonly clean?: number
  readonly invalid: number
  /** How many records each of the five rules found. */
  readonly rules?: ReadonlyArray<number>
  readonly amount_cents?: bigint
  readonly late?: number
}

export interface Answered {
  readonly counts: Counts
  /** In any order. */
  readonly rows: ReadonlyArray<string>
  readonly rows_count_sum?: number
  readonly rows_cents_sum?: bigint
  /** In the place of `rows`' length: rows of a table, not of the answer's text. */
  readonly tableRows?: number
  readonly more?: Readonly<Record<string, unknown>>
  readonly logCost?: LogCost | undefined
  /** CPU seconds of the process when the work was done, where the answer was read back after it. */
  readonly measured?: ReturnType<typeof measureProcess>
}

/** The line, and the rows' text to be written. */
export const tellAnswer = (workload: number, answered: Answered) => {
  const { counts, logCost, more, rows, rows_cents_sum = 0n, rows_count_sum = 0, tableRows } = answered
  const text = textOf(rows)
  const { n, ...others } = counts
  const cost = answered.measured ?? measureProcess(n)
  const per = (micros: number) => Number((micros / Math.max(n, 1)).toFixed(3))
  const line = jsonLine({
    w: workload,
    n,
    sec: cost.wallSeconds,
    eps: cost.eventsPerSecond,
    ...others,
    rows: tableRows ?? rows.length,
    rows_count_sum,
    rows_cents_sum,
    rows_sha256: text.sha256,
    ...more,
    ...cost,
    ...(logCost === undefined
      ? {}
      : { feedMicrosPerEvent: per(logCost.feedMicros), jobMicrosPerEvent: per(logCost.jobMicros) })
  })
  return { line, text }
}
