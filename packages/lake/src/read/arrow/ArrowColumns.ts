/**
 * Chunks of DuckDB as Arrow record batches, value for value.
 *
 * Decimals are decimal128, integers of 128 bits decimal128(38, 0), times with zone microseconds in UTC; lists, structs and
 * maps are Arrow's own. Texts, UUIDs, enums and intervals are UTF-8. Imports nothing of ours: the query's process uses it.
 */
import { type DuckDBDataChunk, type DuckDBType, DuckDBTypeId, type DuckDBValue } from "@duckdb/node-api"
import * as Arrow from "apache-arrow"

type Value = NonNullable<DuckDBValue>
type Values = ReadonlyArray<DuckDBValue>

/** How values of one type become Arrow's. */
interface Column {
  readonly type: Arrow.DataType
  readonly data: (values: Values) => Arrow.Data
}

const nullsOf = (values: Values) => {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (const [row, value] of values.entries()) {
    if (value === null) nullCount++
    else nullBitmap[row >> 3]! |= 1 << (row & 7)
  }
  return { length: values.length, nullCount, nullBitmap }
}

/** Fills `array`, `perRow` elements a row. */
const fixed = <T extends Arrow.DataType, A extends { fill: unknown }>(
  type: T,
  make: (rows: number) => A,
  put: (array: A, row: number, value: Value) => void
): Column => ({
  type,
  data: (values) => {
    const data = make(values.length)
    for (const [row, value] of values.entries()) if (value !== null) put(data, row, value)
    // a data type and its own array: `make` and `type` are given together
    return Arrow.makeData({ type, data, ...nullsOf(values) } as never)
  }
})

/** Values of any length, one behind another. */
const variable = (type: Arrow.Utf8 | Arrow.Binary, encode: (value: Value) => Uint8Array): Column => ({
  type,
  data: (values) => {
    const encoded = values.map((value) => (value === null ? new Uint8Array(0) : encode(value)))
    const valueOffsets = new Int32Array(values.length + 1)
    for (const [row, bytes] of encoded.entries()) valueOffsets[row + 1] = valueOffsets[row]! + bytes.length
    const data = new Uint8Array(Buffer.concat(encoded))
    // a type of bytes, whichever of the two
    return Arrow.makeData({ type, data, valueOffsets, ...nullsOf(values) } as never)
  }
})

const boolean: Column = {
  type: new Arrow.Bool(),
  data: (values) => {
    const data = new Uint8Array(Math.ceil(values.length / 8))
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

const nanos = (value: Value): bigint => (value as unknown as { readonly nanos: bigint }).nanos // a time, by the column's type

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

/** Items of all rows, one behind another, with where each row's end. */
const flattened = <A>(values: Values, itemsOf: (value: Value) => ReadonlyArray<A>) => {
  const valueOffsets = new Int32Array(values.length + 1)
  const items: Array<A> = []
  for (const [row, value] of values.entries()) {
    if (value !== null) for (const item of itemsOf(value)) items.push(item)
    valueOffsets[row + 1] = items.length
  }
  return { items, valueOffsets }
}

const list = (type: DuckDBType): Column => {
  const { valueType } = type as unknown as { readonly valueType: DuckDBType } // a LIST or ARRAY, by its id
  const element = columnOf(valueType)
  const own = new Arrow.List(new Arrow.Field("element", element.type, true))
  return {
    type: own,
    data: (values) => {
      const { items, valueOffsets } = flattened(values, (value) => (value as unknown as { items: Values }).items) // a list
      return Arrow.makeData({ type: own, valueOffsets, child: element.data(items), ...nullsOf(values) })
    }
  }
}

const struct = (type: DuckDBType): Column => {
  // a STRUCT, by its id
  const { entryNames, entryTypes } = type as unknown as {
    readonly entryNames: ReadonlyArray<string>
    readonly entryTypes: ReadonlyArray<DuckDBType>
  }
  const fields = entryTypes.map(columnOf)
  const own = new Arrow.Struct(entryNames.map((name, i) => new Arrow.Field(name, fields[i]!.type, true)))
  return {
    type: own,
    data: (values) => {
      const children = fields.map((field, i) =>
        field.data(
          values.map((value) => {
            if (value === null) return null
            const { entries } = value as unknown as { readonly entries: Readonly<Record<string, DuckDBValue>> } // a struct
            return entries[entryNames[i]!] ?? null
          })
        )
      )
      return Arrow.makeData({ type: own, children, ...nullsOf(values) })
    }
  }
}

const map = (type: DuckDBType): Column => {
  // a MAP, by its id
  const { keyType, valueType } = type as unknown as { readonly keyType: DuckDBType; readonly valueType: DuckDBType }
  const [key, value] = [columnOf(keyType), columnOf(valueType)]
  const entry = new Arrow.Struct<{ key: Arrow.DataType; value: Arrow.DataType }>([
    new Arrow.Field("key", key.type, false),
    new Arrow.Field("value", value.type, true)
  ])
  const own = new Arrow.Map_(new Arrow.Field("entries", entry, false))
  return {
    type: own,
    data: (values) => {
      type Entries = ReadonlyArray<{ readonly key: DuckDBValue; readonly value: DuckDBValue }>
      const { items, valueOffsets } = flattened(values, (each) => (each as unknown as { entries: Entries }).entries) // a map
      const children = [key.data(items.map((item) => item.key)), value.data(items.map((item) => item.value))]
      const child = Arrow.makeData({ type: entry, length: items.length, nullCount: 0, children })
      return Arrow.makeData({ type: own, valueOffsets, child, ...nullsOf(values) })
    }
  }
}

const columnOf = (type: DuckDBType): Column => {
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
    case DuckDBTypeId.TIMESTAMP_NS:
      return long(new Arrow.TimestampNanosecond(), nanos)
    case DuckDBTypeId.TIMESTAMP_TZ:
      return long(new Arrow.TimestampMicrosecond("UTC"), micros)
    case DuckDBTypeId.BLOB:
      return variable(new Arrow.Binary(), (value) => (value as unknown as { readonly bytes: Uint8Array }).bytes) // a BLOB
    default:
      return nestedOrText(type)
  }
}

const nestedOrText = (type: DuckDBType): Column => {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return list(type)
    case DuckDBTypeId.STRUCT:
      return struct(type)
    case DuckDBTypeId.MAP:
      return map(type)
    default:
      return variable(new Arrow.Utf8(), (value) => Buffer.from(String(value)))
  }
}

/** Makes batches of one result's chunks. */
export interface ArrowResult {
  readonly schema: Arrow.Schema
  /** Of the chunk's first `rows`. */
  readonly batch: (chunk: DuckDBDataChunk, rows: number) => Arrow.RecordBatch
}

export const arrowResult = (names: ReadonlyArray<string>, types: ReadonlyArray<DuckDBType>): ArrowResult => {
  const columns = types.map(columnOf)
  const schema = new Arrow.Schema(names.map((name, index) => new Arrow.Field(name, columns[index]!.type, true)))
  return {
    schema,
    batch: (chunk, rows) => {
      const children = columns.map((column, index) => {
        const vector = chunk.getColumnVector(index)
        return column.data(Array.from({ length: rows }, (_, row) => vector.getItem(row)))
      })
      const data = Arrow.makeData({ type: new Arrow.Struct(schema.fields), length: rows, nullCount: 0, children })
      return new Arrow.RecordBatch(schema, data)
    }
  }
}
