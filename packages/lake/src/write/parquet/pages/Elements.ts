/**
 * How columns stand in a Parquet file's schema: physical type, what it means, field id (parquet.thrift's SchemaElement; Iceberg
 * specification, "Parquet"). Pure.
 */
import { ConvertedType, LogicalType, PhysicalType, Repetition } from "../ParquetEnums.ts"
import { ThriftType, type ThriftField, type ThriftStruct } from "../Thrift.ts"
import { binary, flag, i32, listOf, nested, struct } from "../ThriftFields.ts"
import type { PrimitiveType } from "../../../spec/Type.ts"
import type { WrittenColumn } from "../ColumnPlan.ts"
import type { NumberForm } from "./NumberPages.ts"

const bitsPerDigit = Math.log2(10)

/** The least number of bytes that hold every value of the precision, with its sign. */
const fixedBytes = (precision: number): number => Math.ceil((precision * bitsPerDigit + 1) / 8)

/** How numbers of a column lie in its pages; undefined where it is none. */
export const numberForm = (type: PrimitiveType): NumberForm | undefined => {
  switch (type._tag) {
    case "int":
    case "date":
      return { _tag: "Int32" }
    case "long":
      return { _tag: "Int64" }
    case "double":
      return { _tag: "Double" }
    case "timestamp":
    case "timestamptz":
      return { _tag: "Micros" }
    case "decimal":
      if (type.precision <= 9) return { _tag: "Int32" }
      return type.precision <= 18 ? { _tag: "Int64" } : { _tag: "Fixed", bytes: fixedBytes(type.precision) }
    default:
      return undefined
  }
}

const physicalOf: Record<NumberForm["_tag"], number> = {
  Int32: PhysicalType.int32,
  Int64: PhysicalType.int64,
  Micros: PhysicalType.int64,
  Double: PhysicalType.double,
  Fixed: PhysicalType.fixed
}

export const physicalType = (type: PrimitiveType): number => {
  const form = numberForm(type)
  if (form !== undefined) return physicalOf[form._tag]
  if (type._tag === "boolean") return PhysicalType.boolean
  return type._tag === "uuid" ? PhysicalType.fixed : PhysicalType.byteArray
}

const lengthOf = (type: PrimitiveType): number | undefined => {
  if (type._tag === "uuid") return 16
  const form = numberForm(type)
  return form?._tag === "Fixed" ? form.bytes : undefined
}

interface Meaning {
  readonly converted?: number
  readonly logical?: ThriftField
}

const meaningOf = (type: PrimitiveType): Meaning => {
  switch (type._tag) {
    case "string":
      return { converted: ConvertedType.utf8, logical: nested({ [LogicalType.string]: nested({}) }) }
    case "date":
      return { converted: ConvertedType.date, logical: nested({ [LogicalType.date]: nested({}) }) }
    case "uuid":
      return { logical: nested({ [LogicalType.uuid]: nested({}) }) }
    case "decimal":
      return {
        converted: ConvertedType.decimal,
        logical: nested({ [LogicalType.decimal]: nested({ 1: i32(type.scale), 2: i32(type.precision) }) })
      }
    case "timestamptz":
    case "timestamp": {
      const zoned = type._tag === "timestamptz"
      const micros = nested({ 2: nested({}) })
      return {
        // the converted type says an instant, which a local time is not
        ...(zoned ? { converted: ConvertedType.timestampMicros } : {}),
        logical: nested({ [LogicalType.timestamp]: nested({ 1: flag(zoned), 2: micros }) })
      }
    }
    default:
      return {}
  }
}

const elementOf = ({ field }: WrittenColumn): ThriftStruct => {
  const { id, name, required, type } = field
  const { converted, logical } = meaningOf(type)
  const length = lengthOf(type)
  return struct({
    1: i32(physicalType(type)),
    2: length === undefined ? undefined : i32(length),
    3: i32(required ? Repetition.required : Repetition.optional),
    4: binary(name),
    6: converted === undefined ? undefined : i32(converted),
    7: type._tag === "decimal" ? i32(type.scale) : undefined,
    8: type._tag === "decimal" ? i32(type.precision) : undefined,
    9: i32(id),
    10: logical
  })
}

/** The file's schema: its root, then its columns. */
export const schemaElements = (columns: ReadonlyArray<WrittenColumn>): ThriftField =>
  listOf(ThriftType.Struct, [struct({ 4: binary("schema"), 5: i32(columns.length) }), ...columns.map(elementOf)])
