/**
 * The fast way into a DuckDB table: columns of a batch copied into a data chunk's vectors, a chunk of rows at a time.
 *
 * Numbers lie in vectors as the C API documents. Text lies in 16-byte cells that are DuckDB's own: a length, then the
 * text itself up to 12 bytes, else its first four bytes and a pointer. `CellCheck` proves that layout before it is used.
 * Pointers lead into an arena: the batch's bytes, copied as one value into a vector that lives as long as this object.
 */
import duckdb from "@duckdb/node-bindings"
import type { Column, ColumnBatch } from "@frazil/core"
import type { ColumnPlan, StoredColumn } from "./ColumnPlan.ts"
import { extraTexts, type TextRanges } from "./ExtraTexts.ts"

/** Rows of a data chunk (DuckDB's vector size, asked at run time, is never less). */
const chunkRowsMax = 2048
const textCellBytes = 16
export const inlineBytesMax = 12

const cellBytes: Record<StoredColumn["kind"], number> = {
  Text: textCellBytes,
  Boolean: 1,
  Int16: 2,
  Int32: 4,
  Int64: 8,
  Int128: 16,
  Double: 8,
  Micros: 8
}

const twoTo32 = 4_294_967_296

/** Memory that pointers of text cells lead into. */
class Arena {
  private readonly chunk = duckdb.create_data_chunk([duckdb.create_logical_type(duckdb.Type.BLOB)])
  private readonly vector = duckdb.data_chunk_get_vector(this.chunk, 0)
  /** Address of the first and the second piece, as two 32-bit halves each. */
  readonly low = new Float64Array(2)
  readonly high = new Float64Array(2)

  /** Frees the pieces held before. */
  reset(): void {
    duckdb.data_chunk_reset(this.chunk)
  }

  /** Copies `bytes` and notes their address. A piece that has no long text needs none. */
  hold(piece: 0 | 1, bytes: Uint8Array): void {
    if (bytes.length <= inlineBytesMax) return
    duckdb.vector_assign_string_element_len(this.vector, piece, bytes)
    const cells = duckdb.vector_get_data(this.vector, 2 * textCellBytes)
    const view = new DataView(cells.buffer, cells.byteOffset + piece * textCellBytes, textCellBytes)
    this.low[piece] = view.getUint32(8, true)
    this.high[piece] = view.getUint32(12, true)
  }
}

/** Fills chunks for one plan. Holds native memory; not shared between threads. */
export class ChunkFill {
  private readonly plan: ColumnPlan
  private readonly chunk: duckdb.DataChunk
  private readonly vectors: ReadonlyArray<duckdb.Vector>
  private readonly arena = new Arena()
  /** One column's cells, seen at every width. */
  private readonly cells = new ArrayBuffer(chunkRowsMax * textCellBytes)
  private readonly bytes = new Uint8Array(this.cells)
  private readonly int16 = new Int16Array(this.cells)
  private readonly int32 = new Int32Array(this.cells)
  private readonly uint32 = new Uint32Array(this.cells)
  private readonly float64 = new Float64Array(this.cells)
  private readonly int64 = new BigInt64Array(this.cells)
  /** A bit for each row: 1 is a value, 0 is null. */
  private readonly validity = new Uint8Array(chunkRowsMax / 8)
  private extras: TextRanges | undefined

  /** `appender` of a table that the plan describes; only its column types are read. */
  constructor(plan: ColumnPlan, appender: duckdb.Appender) {
    this.plan = plan
    this.chunk = duckdb.create_data_chunk(plan.stored.map((_, i) => duckdb.appender_column_type(appender, i)))
    this.vectors = plan.stored.map((_, i) => duckdb.data_chunk_get_vector(this.chunk, i))
  }

  /** Takes up a batch: its text is copied once, however many buffers its rows go to. */
  begin(batch: ColumnBatch): void {
    this.arena.reset()
    this.arena.hold(0, batch.bytes)
    this.extras = this.plan.stored.some((column) => column.source._tag === "Extras") ? extraTexts(batch) : undefined
    if (this.extras !== undefined) this.arena.hold(1, this.extras.bytes)
  }

  /** Appends rows `rows[from, to)` of the batch taken up last. */
  append(
    appender: duckdb.Appender,
    batch: ColumnBatch,
    rows: Int32Array,
    from: number,
    to: number,
    sourcePartition: number
  ): void {
    for (let at = from; at < to; at += chunkRowsMax) {
      const count = Math.min(chunkRowsMax, to - at)
      const chosen = rows.subarray(at, at + count)
      duckdb.data_chunk_reset(this.chunk)
      this.plan.stored.forEach((column, i) => this.fillColumn(column, this.vectors[i]!, batch, chosen, sourcePartition))
      duckdb.data_chunk_set_size(this.chunk, count)
      duckdb.append_data_chunk(appender, this.chunk)
    }
  }

  private fillColumn(
    column: StoredColumn,
    vector: duckdb.Vector,
    batch: ColumnBatch,
    rows: Int32Array,
    sourcePartition: number
  ): void {
    const nulls = this.fillCells(column, batch, rows, sourcePartition)
    duckdb.copy_data_to_vector(vector, 0, this.cells, 0, rows.length * cellBytes[column.kind])
    if (!nulls) return
    duckdb.vector_ensure_validity_writable(vector)
    duckdb.copy_data_to_vector_validity(vector, 0, this.validity.buffer, 0, this.validity.length)
  }

  /** Writes the cells of one column; true when some are null, and `validity` says which. */
  private fillCells(column: StoredColumn, batch: ColumnBatch, rows: Int32Array, sourcePartition: number): boolean {
    switch (column.source._tag) {
      case "SourcePartition":
        this.int32.fill(sourcePartition, 0, rows.length)
        return false
      case "SourceOffset":
        return this.fillInt64(batch.source.offsets, rows, 1)
      case "Extras":
        if (this.extras === undefined) {
          this.int32.fill(0, 0, rows.length * 4)
          this.validity.fill(0)
          return true
        }
        return this.fillText(this.extras, 1, rows)
      case "Field": {
        const cells = batch.columns[column.source.index]
        if (cells?._tag === "Bytes" && column.kind === "Text")
          return this.fillText({ ...cells, bytes: batch.bytes }, 0, rows)
        if (cells?._tag === "Booleans" && column.kind === "Boolean") return this.fillBooleans(cells.values, rows)
        if (cells?._tag === "Numbers") return this.fillNumbers(column, cells, batch, column.source.index, rows)
        throw new TypeError(`column ${column.field.name} of the batch is not what the plan says`)
      }
    }
  }

  private setNull(i: number, nulls: boolean): true {
    if (!nulls) this.validity.fill(255)
    this.validity[i >> 3]! &= ~(1 << (i & 7))
    return true
  }

  private fillText({ bytes, starts, ends }: TextRanges, piece: 0 | 1, rows: Int32Array): boolean {
    const { int32, uint32 } = this
    const cells = this.bytes
    const low = this.arena.low[piece]!
    const high = this.arena.high[piece]!
    let nulls = false
    for (let i = 0, word = 0; i < rows.length; i++, word += 4) {
      const row = rows[i]!
      const start = starts[row]!
      // unused bytes of an inline cell must be 0: DuckDB compares cells whole
      int32[word + 1] = 0
      int32[word + 2] = 0
      int32[word + 3] = 0
      if (start < 0) {
        int32[word] = 0
        nulls = this.setNull(i, nulls)
        continue
      }
      const length = ends[row]! - start
      int32[word] = length
      const inlined = length <= inlineBytesMax ? length : 4
      for (let k = 0, cell = word * 4 + 4; k < inlined; k++) cells[cell + k] = bytes[start + k]!
      if (length > inlineBytesMax) {
        const address = low + start
        const carry = address >= twoTo32 ? 1 : 0
        uint32[word + 2] = address - carry * twoTo32
        uint32[word + 3] = high + carry
      }
    }
    return nulls
  }

  private fillBooleans(values: Uint8Array, rows: Int32Array): boolean {
    let nulls = false
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      this.bytes[i] = value & 1
      if (value === 2) nulls = this.setNull(i, nulls)
    }
    return nulls
  }

  private fillNumbers(
    column: StoredColumn,
    { values }: Extract<Column, { _tag: "Numbers" }>,
    batch: ColumnBatch,
    field: number,
    rows: Int32Array
  ): boolean {
    const nulls = this.fillNarrow(column, values, rows)
    if (batch.wideDecimals.size === 0 || (column.kind !== "Int64" && column.kind !== "Int128")) return nulls
    const words = column.kind === "Int64" ? 1 : 2
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      if (batch.wide[row] === 0) continue
      const wide = batch.wideDecimals.get(row * batch.shape.fields.length + field)
      if (wide === undefined) continue
      // its cell is NaN, hence was written as null
      this.validity[i >> 3]! |= 1 << (i & 7)
      this.int64[i * words] = BigInt.asIntN(64, wide)
      if (words === 2) this.int64[i * words + 1] = wide >> 64n
    }
    return nulls
  }

  private fillNarrow(column: StoredColumn, values: Float64Array, rows: Int32Array): boolean {
    switch (column.kind) {
      case "Double":
        return this.fillPlain(this.float64, values, rows)
      case "Int16":
        return this.fillPlain(this.int16, values, rows)
      case "Int32":
        return this.fillPlain(this.int32, values, rows)
      case "Int64":
        return this.fillInt64(values, rows, 1)
      case "Micros":
        return this.fillInt64(values, rows, 1000)
      case "Int128":
        return this.fillInt128(values, rows)
      default:
        throw new TypeError(`column ${column.field.name} of the batch is not what the plan says`)
    }
  }

  private fillPlain(cells: Float64Array | Int32Array | Int16Array, values: Float64Array, rows: Int32Array): boolean {
    let nulls = false
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      cells[i] = value
      if (value !== value) nulls = this.setNull(i, nulls)
    }
    return nulls
  }

  /** `round(value × factor)` in two 32-bit halves; a bigint per cell would cost several times as much. */
  private fillInt64(values: Float64Array, rows: Int32Array, factor: 1 | 1000): boolean {
    const { int32, uint32 } = this
    let nulls = false
    for (let i = 0; i < rows.length; i++) {
      const value = Math.round(values[rows[i]!]! * factor)
      const high = Math.floor(value / twoTo32)
      uint32[i * 2] = value - high * twoTo32
      int32[i * 2 + 1] = high
      if (value !== value) nulls = this.setNull(i, nulls)
    }
    return nulls
  }

  private fillInt128(values: Float64Array, rows: Int32Array): boolean {
    const { int32, uint32 } = this
    let nulls = false
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      const high = Math.floor(value / twoTo32)
      const sign = value < 0 ? -1 : 0
      uint32[i * 4] = value - high * twoTo32
      int32[i * 4 + 1] = high
      int32[i * 4 + 2] = sign
      int32[i * 4 + 3] = sign
      if (value !== value) nulls = this.setNull(i, nulls)
    }
    return nulls
  }
}
