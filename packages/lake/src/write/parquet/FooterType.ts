/**
 * What a leaf of a Parquet file's schema holds, as a primitive type of the specification; only where it is one beyond doubt, so
 * that an engine reads the very values without being told. Pure.
 */
import { primitiveToText } from "../../spec/Type.ts"
import { ConvertedType, LogicalType, PhysicalType } from "./ParquetEnums.ts"

/** What an element of the schema says of its values (parquet.thrift's names). */
export interface LeafFacts {
  readonly type: number | undefined
  readonly convertedType: number | undefined
  readonly scale: number | undefined
  readonly precision: number | undefined
  /** Which member of the union LogicalType, and what it says. */
  readonly logical: { readonly member: number; readonly says: (field: number) => unknown } | undefined
}

const micros = 2

const decimalText = (precision: unknown, scale: unknown): string | undefined =>
  typeof precision === "number" && typeof scale === "number"
    ? primitiveToText({ _tag: "decimal", precision, scale })
    : undefined

const byLogical = (type: number, { member, says }: NonNullable<LeafFacts["logical"]>): string | undefined => {
  const inMicros = says(2) === micros
  switch (member) {
    case LogicalType.string:
      return type === PhysicalType.byteArray ? "string" : undefined
    case LogicalType.decimal:
      return decimalText(says(2), says(1))
    case LogicalType.date:
      return "date"
    case LogicalType.time:
      return inMicros && says(1) === false ? "time" : undefined
    case LogicalType.timestamp:
      return inMicros ? (says(1) === true ? "timestamptz" : "timestamp") : undefined
    case LogicalType.integer:
      if (says(2) !== true) return undefined
      return says(1) === 32 ? "int" : says(1) === 64 ? "long" : undefined
    case LogicalType.uuid:
      return "uuid"
    default:
      return undefined
  }
}

const byConverted = ({ convertedType, precision, scale, type }: LeafFacts): string | undefined => {
  switch (convertedType) {
    case ConvertedType.utf8:
      return type === PhysicalType.byteArray ? "string" : undefined
    case ConvertedType.decimal:
      return decimalText(precision, scale ?? 0)
    case ConvertedType.date:
      return "date"
    case ConvertedType.int32:
      return "int"
    case ConvertedType.int64:
      return "long"
    default:
      return undefined
  }
}

const plain: Readonly<Record<number, string>> = {
  [PhysicalType.boolean]: "boolean",
  [PhysicalType.int32]: "int",
  [PhysicalType.int64]: "long",
  [PhysicalType.float]: "float",
  [PhysicalType.double]: "double",
  [PhysicalType.byteArray]: "binary"
}

/** As `primitiveToText`; undefined for groups, and where it is something else or not said for sure. */
export const leafType = (facts: LeafFacts): string | undefined => {
  const { convertedType, logical: said, type } = facts
  if (type === undefined) return undefined
  if (said !== undefined) return byLogical(type, said)
  return convertedType === undefined ? plain[type] : byConverted(facts)
}
