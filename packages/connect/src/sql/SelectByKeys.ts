/**
 * The statement that reads rows of several keys at once, and the records of its rows. Pure.
 *
 * Columns are named as the record's fields are, and come as texts; `recordOf` gives what the record's schema decodes.
 */
import type { FieldSpec, RecordShape } from "@frazil/core"
import { quoted } from "./Quoted.ts"
import type { SqlClient } from "./SqlClient.ts"

const textOf = (dialect: SqlClient["dialect"], { name, type }: FieldSpec): string => {
  const column = quoted(name)
  if (type._tag !== "Timestamp") return `CAST(${column} AS VARCHAR)`
  return dialect === "postgres"
    ? `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ')`
}

export interface SelectOptions {
  readonly dialect: SqlClient["dialect"]
  readonly table: string
  readonly key: string
  readonly shape: RecordShape
}

/** `$1` is the list of keys; the first column is the key. */
export const selectByKeys = ({ dialect, key, shape, table }: SelectOptions): string => {
  const columns = [`CAST(${quoted(key)} AS VARCHAR)`, ...shape.fields.map((field) => textOf(dialect, field))]
  const wanted = dialect === "postgres" ? "= ANY($1)" : "IN (SELECT unnest($1))"
  return `SELECT ${columns.join(", ")} FROM ${quoted(table)} WHERE ${quoted(key)} ${wanted}`
}

const valueOf = ({ type }: FieldSpec, text: string | null | undefined): unknown => {
  if (text === null || text === undefined) return null
  if (type._tag === "Int" || type._tag === "Double") return Number(text)
  return type._tag === "Boolean" ? text === "true" || text === "t" : text
}

/** What stands in a row behind its key, by field. */
export const recordOf = (shape: RecordShape, row: ReadonlyArray<string | null>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(shape.fields.map((field, index) => [field.name, valueOf(field, row[index + 1])]))
