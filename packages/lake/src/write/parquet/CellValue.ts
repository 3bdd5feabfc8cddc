/**
 * A cell of a batch as a value: what partition transforms and the safe way of filling buffers read, one at a time.
 *
 * The fast way (`ChunkFill`) reads the same columns without making values; a test shows that both agree.
 */
import type { ColumnBatch } from "@frazil/core"
import type { SingleValue } from "../../spec/SingleValue.ts"
import type { StoredColumn } from "./ColumnPlan.ts"

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Column and kind disagree: the batch is of another record than the plan. */
const mismatch = (column: StoredColumn): never => {
  throw new TypeError(`column ${column.field.name} of the batch is not what the plan says`)
}

const numberValue = (column: StoredColumn, value: number): SingleValue => {
  switch (column.kind) {
    case "Micros":
      return BigInt(Math.round(value * 1000))
    case "Double":
      return value
    case "Boolean":
      return value !== 0
    default:
      // dates and ints are numbers as single values, longs and decimals are bigints
      return column.field.type._tag === "int" || column.field.type._tag === "date" ? value : BigInt(value)
  }
}

const fieldValue = (column: StoredColumn, index: number, batch: ColumnBatch, row: number): SingleValue | null => {
  const cells = batch.columns[index] ?? mismatch(column)
  switch (cells._tag) {
    case "Bytes": {
      const start = cells.starts[row]!
      return start < 0 ? null : decoder.decode(batch.bytes.subarray(start, cells.ends[row]!))
    }
    case "Booleans":
      return cells.values[row]! === 2 ? null : cells.values[row]! === 1
    case "Numbers": {
      const value = cells.values[row]!
      if (!Number.isNaN(value)) return numberValue(column, value)
      return batch.wideDecimals.get(row * batch.shape.fields.length + index) ?? null
    }
  }
}

/** The value of `column` in `row`, as single values are (`SingleValue`); null where there is none. */
export const cellValue = (
  column: StoredColumn,
  batch: ColumnBatch,
  row: number,
  sourcePartition: number
): SingleValue | null => {
  switch (column.source._tag) {
    case "Field":
      return fieldValue(column, column.source.index, batch, row)
    case "SourcePartition":
      return sourcePartition
    case "SourceOffset":
      return BigInt(batch.source.offsets[row]!)
    case "Extras":
      return batch.extras.get(row) ?? null
  }
}
