/**
 * Partition values on their way out of DuckDB: as expressions that are equal only where partitions are, as text that is exact, and
 * as values. Pure.
 */
import type { PartitionValue } from "../../spec/DataFile.ts"
import type { BoundPartitionField } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { PrimitiveType } from "../../spec/Type.ts"
import { partitionValueSql } from "./PartitionSql.ts"

/**
 * The partition value as an expression that tells partitions apart: of floating numbers as text, since −0.0 and 0.0 are two
 * partitions, NaN of whatever bits is one, and DuckDB's equality has it otherwise. TypeError as of `partitionValueSql`.
 */
export const partitionKeySql = (field: BoundPartitionField, schema: TableSchema): string => {
  const value = partitionValueSql(field, schema)
  if (field.type?._tag !== "float" && field.type?._tag !== "double") return value
  // a float's own digits are fewer than those of the double that it is
  return `CASE WHEN isnan(${value}) THEN 'nan' ELSE ${value}::DOUBLE::VARCHAR END`
}

/** The text by which a value of `partitionKeySql` comes out exactly: integers, digits without a point, hexadecimal. */
export const partitionTextSql = (type: PrimitiveType, key: string): string => {
  switch (type._tag) {
    case "date":
      return `(${key} - DATE '1970-01-01')::VARCHAR`
    case "timestamp":
    case "timestamptz":
    case "time":
      return `epoch_us(${key})::VARCHAR`
    case "timestamp_ns":
      return `epoch_ns(${key})::VARCHAR`
    case "decimal":
      return `replace(${key}::VARCHAR, '.', '')`
    case "binary":
    case "fixed":
      return `lower(hex(${key}))`
    default:
      return `${key}::VARCHAR`
  }
}

const numberFromText = (text: string): number => {
  if (text === "nan") return Number.NaN
  if (text === "inf") return Number.POSITIVE_INFINITY
  return text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text)
}

/** The value of a text of `partitionTextSql`. */
export const partitionFromText = (type: PrimitiveType, text: string | null): PartitionValue => {
  if (text === null) return null
  switch (type._tag) {
    case "binary":
    case "fixed":
      return Uint8Array.from(Buffer.from(text, "hex"))
    case "boolean":
      return text === "true"
    case "string":
    case "uuid":
      return text
    case "float":
    case "double":
      return numberFromText(text)
    case "int":
    case "date":
      return Number(text)
    default:
      return BigInt(text)
  }
}
