/**
 * Rows as an Arrow IPC stream: a batch for each chunk of DuckDB's, and the format's own mark of the end.
 *
 * Decimals are decimal128, integers of 128 bits decimal128(38, 0), times with zone microseconds in UTC. Texts, UUIDs, enums
 * and intervals are UTF-8; lists, structs and maps are JSON in UTF-8.
 */
import { type DuckDBDataChunk, type DuckDBType, DuckDBTypeId, type DuckDBValue } from "@duckdb/node-api"
import * as Arrow from "apache-arrow"
import type { Encoder } from "./Encoder.ts"
import { converter } from "./Rows.ts"
import type { Columns } from "./TextEncoders.ts"

/** The mark of the end: a continuation and a length of nought. */
const endBytes = 8

type Value = NonNullable<DuckDBValue>

interface Column {
  readonly type: Arrow.DataType
  readonly data: (chunk: DuckDBDataChunk, index: number, rows: number) => Arrow.Data
}

const nullsOf = (values: ReadonlyArray<DuckDBValue>) => {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (const [row, value] of values.entries()) {
    if (value === null) nullCount++
    else nullBitmap[row >> 3]! |= 1 << (row & 7)
  }
  return { length: values.length, nullCount, nullBitmap }
}

const valuesOf = (chunk: DuckDBDataChunk, index: number, rows: number): ReadonlyArray<DuckDBValue> => {
  const vector = chunk.getColumnVector(index)
  return Array.from({ length: rows }, (_, row) => vector.getItem(row))
}

/** Fills `array`, `perRow` elements a row. */
const fixed = <T extends Arrow.DataType, A extends { fill: unknown }>(
  type: T,
  make: (rows: number) => A,
  put: (array: A, row: number, value: Value) => void
): Column => ({
  type,
  data: (chunk, index, rows) => {
    const values = valuesOf(chunk, index, rows)
    const data = make(rows)
    for (const [row, value] of values.entries()) if (value !== null) put(data, row, value)
    // a data type and its own array: `make` and `type` are given together
    return Arrow.makeData({ type, data, ...nullsOf(values) } as never)
  }
})

const text = (convert: (value: Value) => string): Column => ({
  type: new Arrow.Utf8(),
  data: (chunk, index, rows) => {
    const values = valuesOf(chunk, index, rows)
    const encoded = values.map((value) => (value === null ? new Uint8Array(0) : Buffer.from(convert(value))))
    const valueOffsets = new Int32Array(rows + 1)
    for (const [row, bytes] of encoded.entries()) valueOffsets[row + 1] = valueOffsets[row]! + bytes.length
    return Arrow.makeData({
      type: new Arrow.Utf8(),
      data: new Uint8Array(Buffer.concat(encoded)),
      valueOffsets,
      ...nullsOf(values)
    })
  }
})

const bytes: Column = {
  type: new Arrow.Binary(),
  data: (chunk, index, rows) => {
    const values = valuesOf(chunk, index, rows)
    // BLOB by the column's type
    const encoded = values.map((value) =>
      value === null ? new Uint8Array(0) : (value as unknown as { readonly bytes: Uint8Array }).bytes
    )
    const valueOffsets = new Int32Array(rows + 1)
    for (const [row, each] of encoded.entries()) valueOffsets[row + 1] = valueOffsets[row]! + each.length
    return Arrow.makeData({
      type: new Arrow.Binary(),
      data: new Uint8Array(Buffer.concat(encoded)),
      valueOffsets,
      ...nullsOf(values)
    })
  }
}

const boolean: Column = {
  type: new Arrow.Bool(),
  data: (chunk, index, rows) => {
    const values = valuesOf(chunk, index, rows)
    const data = new Uint8Array(Math.ceil(rows / 8))
    for (const [row, value] of values.entries()) if (value === true) data[row >> 3]! |= 1 << (row & 7)
    return Arrow.makeData({ type: new Arrow.Bool(), data, ...nullsOf(values) })
  }
}

const number = (type: Arrow.DataType, make: (rows: number) => { fill: unknown; [index: number]: number }): Column =>
  fixed(type, make, (array, row, value) => {
    array[row] = value as number // an integer of at most 32 bits or a float, by the column's type
  })

const long = (type: Arrow.DataType, of: (value: Value) => bigint): Column =>
  fixed(
    type,
    (rows) => new BigInt64Array(rows),
    (array, row, value) => {
      array[row] = of(value)
    }
  )

const micros = (value: Value): bigint => (value as unknown as { readonly micros: bigint }).micros // a time, by the column's type

const wide = (precision: number, scale: number, of: (value: Value) => bigint): Column =>
  fixed(
    new Arrow.Decimal(scale, precision, 128),
    (rows) => new BigInt64Array(rows * 2),
    (array, row, value) => {
      const unscaled = of(value)
      array[row * 2] = BigInt.asIntN(64, unscaled)
      array[row * 2 + 1] = BigInt.asIntN(64, unscaled >> 64n)
    }
  )

const decimal = (type: DuckDBType): Column => {
  const { scale, width } = type as unknown as { readonly width: number; readonly scale: number } // a DECIMAL, by its id
  return wide(width, scale, (value) => (value as unknown as { readonly value: bigint }).value) // its unscaled integer
}

const big = (value: Value): bigint => value as bigint // an integer over 32 bits, by the column's type

const columnOf = (type: DuckDBType): Column => {
  const convert = converter(type)
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return boolean
    case DuckDBTypeId.TINYINT:
      return number(new Arrow.Int8(), (rows) => new Int8Array(rows))
    case DuckDBTypeId.SMALLINT:
      return number(new Arrow.Int16(), (rows) => new Int16Array(rows))
    case DuckDBTypeId.INTEGER:
      return number(new Arrow.Int32(), (rows) => new Int32Array(rows))
    case DuckDBTypeId.UTINYINT:
      return number(new Arrow.Uint8(), (rows) => new Uint8Array(rows))
    case DuckDBTypeId.USMALLINT:
      return number(new Arrow.Uint16(), (rows) => new Uint16Array(rows))
    case DuckDBTypeId.UINTEGER:
      return number(new Arrow.Uint32(), (rows) => new Uint32Array(rows))
    case DuckDBTypeId.FLOAT:
      return number(new Arrow.Float32(), (rows) => new Float32Array(rows))
    case DuckDBTypeId.DOUBLE:
      return number(new Arrow.Float64(), (rows) => new Float64Array(rows))
    case DuckDBTypeId.BIGINT:
      return long(new Arrow.Int64(), big)
    case DuckDBTypeId.UBIGINT:
      return fixed(
        new Arrow.Uint64(),
        (rows) => new BigUint64Array(rows),
        (array, row, value) => {
          array[row] = big(value)
        }
      )
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return wide(38, 0, big)
    case DuckDBTypeId.DECIMAL:
      return decimal(type)
    case DuckDBTypeId.DATE:
      return fixed(
        new Arrow.DateDay(),
        (rows) => new Int32Array(rows),
        (array, row, value) => {
          array[row] = (value as unknown as { readonly days: number }).days // a DATE, by the column's type
        }
      )
    case DuckDBTypeId.TIME:
      return long(new Arrow.TimeMicrosecond(), micros)
    case DuckDBTypeId.TIMESTAMP:
      return long(new Arrow.TimestampMicrosecond(), micros)
    case DuckDBTypeId.TIMESTAMP_TZ:
      return long(new Arrow.TimestampMicrosecond("UTC"), micros)
    case DuckDBTypeId.BLOB:
      return bytes
    default:
      return text((value) => {
        const plain = convert(value)
        return typeof plain === "string" ? plain : JSON.stringify(plain)
      })
  }
}

export const arrowEncoder = ({ names, types }: Columns): Encoder => {
  const columns = types.map(columnOf)
  const schema = new Arrow.Schema(names.map((name, index) => new Arrow.Field(name, columns[index]!.type, true)))
  const empty = Arrow.tableToIPC(new Arrow.Table(schema), "stream")
  const headBytes = empty.length - endBytes
  return {
    head: () => empty.subarray(0, headBytes),
    rows: (chunk, rows) => {
      const children = columns.map((column, index) => column.data(chunk, index, rows))
      const data = Arrow.makeData({ type: new Arrow.Struct(schema.fields), length: rows, nullCount: 0, children })
      const whole = Arrow.tableToIPC(new Arrow.Table(schema, [new Arrow.RecordBatch(schema, data)]), "stream")
      // the schema and the end stand once, around all batches
      return whole.subarray(headBytes, whole.length - endBytes)
    },
    tail: () => empty.subarray(headBytes)
  }
}
