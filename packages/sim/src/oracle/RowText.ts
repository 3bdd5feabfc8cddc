/**
 * Rows as lines of text, so that what a table holds and what the oracle expects can be compared without rounding.
 *
 * Storms, soaks and golden runs use it.
 */
import type { OracleRow } from "./RawTransactions.ts"

export type TextRow = Readonly<Record<string, unknown>>

/** One line of text for a row or record, the same for equal ones. */
export const rowText = (values: TextRow): string =>
  JSON.stringify(
    Object.keys(values)
      .sort()
      .map((name) => [name, values[name] === null ? null : String(values[name])])
  )

const instant = (column: string) => `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ') AS ${column}`

/** SQL over `t` that gives rows of `transactions.raw` as `rawRow` has them, and of `system.dead_letter` likewise. */
export const rawRowsQuery = `SELECT * REPLACE (CAST(amount AS VARCHAR) AS amount, ${instant("event_timestamp")}) FROM t`
export const letterRowsQuery = `SELECT * REPLACE (${instant("failed_at")}) FROM t`

/** The row of `transactions.raw` that the oracle expects. */
export const rawRow = ({ extraFields, offset, partition, values }: OracleRow): TextRow => ({
  ...values,
  source_topic: "raw-transactions",
  source_partition: partition,
  source_offset: offset,
  extra_fields: extraFields
})
