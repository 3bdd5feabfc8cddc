/**
 * A table in memory as people see it: columns, rows of each snapshot, branches and tags. Nothing of files, manifests or deletes.
 *
 * For the test of random sequences of every action: it says what the lake must read.
 */
import type { JsonRow } from "../../../src/read/ReadTable.ts"

export interface Column {
  /** Never used twice. */
  readonly key: number
  readonly name: string
  readonly type: "long" | "int" | "decimal" | "string"
  /** What rows have that were written before it. */
  readonly initial: string | null
  /** What rows have that leave it out; null: they may not. */
  readonly write: string | null
}

/** Values as text by a column's key; a column that came later is not in it. */
export type Row = ReadonlyMap<number, string | null>

export interface Kept {
  readonly rows: ReadonlyArray<Row>
  readonly columns: ReadonlyArray<Column>
  /** What the snapshot appended; undefined when it did anything else. */
  readonly appended: ReadonlyArray<Row> | undefined
}

export const valueOf = (row: Row, { initial, key }: Column): string | null => (row.has(key) ? row.get(key)! : initial)

const line = (values: ReadonlyArray<readonly [string, unknown]>): string =>
  values
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort()
    .join(" ")

/** One line a row, sorted: equal lists are equal tables. */
export const linesOf = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<Column>): ReadonlyArray<string> =>
  rows.map((row) => line(columns.map((column) => [column.name, valueOf(row, column)] as const))).sort()

export const linesRead = (rows: ReadonlyArray<JsonRow>): ReadonlyArray<string> =>
  rows.map((row) => line(Object.entries(row))).sort()

const literal = ({ type }: Column, value: string | null): string => {
  if (value === null) return "NULL"
  return type === "string" ? `'${value}'` : type === "decimal" ? `${value}::DECIMAL(12, 2)` : `${value}::BIGINT`
}

/** Rows of these columns as an SQL query. */
export const selectOf = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<Column>): string => {
  const of = (row: Row) =>
    columns.map((column) => `${literal(column, valueOf(row, column))} AS "${column.name}"`).join(", ")
  return rows.map((row) => `SELECT ${of(row)}`).join(" UNION ALL ")
}
