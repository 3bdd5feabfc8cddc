/**
 * Rows held in tables of DuckDB's, which sorts and writes them: for tables with a sort order, and the slow twin of pages.
 *
 * Cells are written directly where the self-check allows it, otherwise appended one by one.
 */
import type { ColumnBatch } from "@frazil/core"
import { Effect } from "effect"
import type { DuckDbShape } from "../../io/DuckDb.ts"
import { toDuckDbError } from "../../io/DuckDbError.ts"
import { ChunkFill } from "./ChunkFill.ts"
import type { ColumnPlan } from "./ColumnPlan.ts"
import { fromDuckDbError } from "./ParquetError.ts"
import { type CopyOptions, RowBuffer } from "./RowBuffer.ts"
import { fillRows } from "./RowFill.ts"
import type { Part, RowHold, RowHolds } from "./RowHold.ts"

export interface DuckDbRowsOptions {
  readonly duckDb: DuckDbShape
  readonly plan: ColumnPlan
  readonly copy: CopyOptions
  /** Begins the names of its tables. */
  readonly tablePrefix: string
  /** Whether cells may be written directly (`CellCheck`). */
  readonly direct: boolean
}

/** Holds of one writer. */
export const duckDbRows = ({ copy, direct, duckDb, plan, tablePrefix }: DuckDbRowsOptions): RowHolds => {
  let made = 0
  let fill: ChunkFill | undefined
  let begun: ColumnBatch | undefined
  const holdOf = (buffer: RowBuffer): RowHold => ({
    rows: 0,
    bytes: 0,
    open: Effect.map(buffer.open, (appender) => {
      if (!direct || fill !== undefined) return
      fill = new ChunkFill(plan, appender)
      if (begun !== undefined) fill.begin(begun)
    }),
    append: (batch, rows, from, to, sourcePartition) => {
      if (fill === undefined) fillRows(plan, buffer.target, batch, rows, from, to, sourcePartition)
      else fill.append(buffer.target, batch, rows, from, to, sourcePartition)
    },
    close: buffer.close,
    take(path) {
      return Effect.map(buffer.copyTo(path, copy), (): Part => {
        this.rows = 0
        this.bytes = 0
        return { _tag: "File", path }
      })
    }
  })
  return {
    begin: (batch) => {
      begun = batch
      fill?.begin(batch)
    },
    make: Effect.suspend(() => Effect.map(RowBuffer.make(duckDb, plan, `${tablePrefix}_${made++}`), holdOf))
  }
}

/** What a throw of `append` means. */
export const collectingFailed = (cause: unknown) =>
  fromDuckDbError(toDuckDbError("collecting rows for a Parquet file")(cause))
