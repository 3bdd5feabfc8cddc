/**
 * The safe way into a DuckDB table: one documented appender call per cell.
 *
 * The slow twin of `ChunkFill`: taken when the self-check finds that DuckDB's cells are not laid out as it expects, and by
 * the test that both ways write the same rows.
 */
import duckdb from "@duckdb/node-bindings"
import type { ColumnBatch } from "@frazil/core"
import type { SingleValue } from "../../spec/SingleValue.ts"
import { cellValue } from "./CellValue.ts"
import type { ColumnPlan, StoredColumn } from "./ColumnPlan.ts"

const appendNumber = (appender: duckdb.Appender, column: StoredColumn, value: number): void => {
  if (column.field.type._tag === "date") duckdb.append_date(appender, { days: value })
  else if (column.kind === "Int32") duckdb.append_int32(appender, value)
  else duckdb.append_double(appender, value)
}

const appendBigint = (appender: duckdb.Appender, column: StoredColumn, value: bigint): void => {
  const { type } = column.field
  if (type._tag === "decimal") {
    duckdb.append_value(appender, duckdb.create_decimal({ width: type.precision, scale: type.scale, value }))
  } else if (type._tag === "timestamptz") {
    duckdb.append_value(appender, duckdb.create_timestamp_tz({ micros: value }))
  } else if (type._tag === "timestamp") duckdb.append_timestamp(appender, { micros: value })
  else duckdb.append_int64(appender, value)
}

const appendCell = (appender: duckdb.Appender, column: StoredColumn, value: SingleValue | null): void => {
  if (value === null) duckdb.append_null(appender)
  else if (typeof value === "string") duckdb.append_varchar(appender, value)
  else if (typeof value === "number") appendNumber(appender, column, value)
  else if (typeof value === "bigint") appendBigint(appender, column, value)
  else if (typeof value === "boolean") duckdb.append_bool(appender, value)
  else throw new TypeError(`column ${column.field.name}: bytes are no cell of a batch`)
}

/** Appends rows `rows[from, to)` of the batch. */
export const fillRows = (
  plan: ColumnPlan,
  appender: duckdb.Appender,
  batch: ColumnBatch,
  rows: Int32Array,
  from: number,
  to: number,
  sourcePartition: number
): void => {
  for (let i = from; i < to; i++) {
    for (const column of plan.stored) {
      appendCell(appender, column, cellValue(column, batch, rows[i]!, sourcePartition))
    }
    duckdb.appender_end_row(appender)
  }
}
