/**
 * What a leaf of a Parquet file's schema holds, as a primitive type of the specification; only where it is one beyond doubt, so
 * that an engine reads the very values without being told. Pure.
 */
import { primitiveToText } from "../../spec/Type.ts"

/** What an element of the schema says of its values (parquet.thrift's names). */
export interface LeafFacts {
  readonly type: number | undefined
  readonly convertedType: number | undefined
  readonly scale: number | undefined
  readonly precision: number | undefined
  /** Which member of the union LogicalType, and what it says. */
  readonly logical: { readonly member: number; readonly says: (field: number) => unknown } | undefined
}

const physical = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6, fixed: 7 } as const
const logical = { string: 1, decimal: 5, date: 6, time: 7, timestamp: 8, integer: 10, uuid: 14 } as const
const converted = { utf8: 0, decimal: 5, date: 6, int32: 17, int64: 18 } as const
const micros = 2

const decimalText = (precision: unknown, scale: unknown): string | undefined =>
  typeof precision === "number" && typeof scale === "number"
    ? primitiveToText({ _tag: "decimal", precision, scale })
    : undefined

const byLogical = (type: number, { member, says }: NonNullable<LeafFacts["logical"]>): string | undefined => {
  const inMicros = says(2) === micros
  switch (member) {
    case logical.string:
      return type === physical.byteArray ? "string" : undefined
    case logical.decimal:
      return decimalText(says(2), says(1))
    case logical.date:
      return "date"
    case logical.time:
      return inMicros && says(1) === false ? "time" : undefined
    case logical.timestamp:
      return inMicros ? (says(1) === true ? "timestamptz" : "timestamp") : undefined
    case logical.integer:
      if (says(2) !== true) return undefined
      return says(1) === 32 ? "int" : says(1) === 64 ? "long" : undefined
    case logical.uuid:
      return "uuid"
    default:
      return undefined
  }
}

const byConverted = ({ convertedType, precision, scale, type }: LeafFacts): string | undefined => {
  switch (convertedType) {
    case converted.utf8:
      return type === physical.byteArray ? "string" : undefined
    case converted.decimal:
      return decimalText(precision, scale ?? 0)
    case converted.date:
      return "date"
    case converted.int32:
      return "int"
    case converted.int64:
      return "long"
    default:
      return undefined
  }
}

const plain: Readonly<Record<number, string>> = {
  [physical.boolean]: "boolean",
  [physical.int32]: "int",
  [physical.int64]: "long",
  [physical.float]: "float",
  [physical.double]: "double",
  [physical.byteArray]: "binary"
}

/** As `primitiveToText`; undefined for groups, and where it is something else or not said for sure. */
export const leafType = (facts: LeafFacts): string | undefined => {
  const { convertedType, logical: said, type } = facts
  if (type === undefined) return undefined
  if (said !== undefined) return byLogical(type, said)
  return convertedType === undefined ? plain[type] : byConverted(facts)
}
