/**
 * The arrays that a decoder writes rows into and lends out as a `ColumnBatch`.
 *
 * They grow to the largest batch seen and are used again for each batch, so decoding allocates nothing per row.
 */
import type { Column } from "../record/ColumnBatch.ts"
import type { FieldType } from "../schema/FieldType.ts"
import type { RecordShape } from "../schema/RecordShape.ts"

export interface Columns {
  /** Rows that fit. */
  readonly capacity: number
  /** By field index. */
  readonly columns: ReadonlyArray<Column>
  readonly valid: Uint8Array
  readonly wide: Uint8Array
  /** Rows that the scanner gave up on, ascending. */
  readonly slowRows: Int32Array
  /** Values that the scanner found and did not read: `OddValues.ts`. */
  readonly odd: Array<number>
  /** Fields that the shape does not have, where it is open: `UnknownFields.ts`. */
  readonly unknown: Array<number>
}

const columnOf = (type: FieldType, capacity: number): Column => {
  if (type._tag === "Text" || type._tag === "Json") {
    return { _tag: "Bytes", starts: new Int32Array(capacity), ends: new Int32Array(capacity) }
  }
  return type._tag === "Boolean"
    ? { _tag: "Booleans", values: new Uint8Array(capacity) }
    : { _tag: "Numbers", values: new Float64Array(capacity) }
}

export const makeColumns = (shape: RecordShape, capacity: number): Columns => ({
  capacity,
  columns: shape.fields.map((field) => columnOf(field.type, capacity)),
  valid: new Uint8Array(capacity),
  wide: new Uint8Array(capacity),
  slowRows: new Int32Array(capacity),
  odd: [],
  unknown: []
})
