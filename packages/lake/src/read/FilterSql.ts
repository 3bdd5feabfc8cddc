/**
 * A filter as an SQL condition over a table's columns: exactly the rows that it means. Pure.
 *
 * The same filter leaves out files (`Prune.ts`), and this decides on rows: they may never disagree about a row that a file
 * holds. NaN is above all numbers, as DuckDB has it.
 */
import { unscaledText } from "@frazil/core"
import { sqlName, sqlText } from "../io/DuckDb.ts"
import { fieldByName, type TableSchema } from "../spec/Schema.ts"
import { singleValueToBytes, type SingleValue } from "../spec/SingleValue.ts"
import { isPrimitive, type PrimitiveType } from "../spec/Type.ts"
import type { Filter } from "./Filter.ts"
import { blobText } from "./inspect/ValueText.ts"
import { duckDbType } from "./RelationFiles.ts"

/** A value of the type as an SQL literal. */
export const sqlLiteral = (type: PrimitiveType, value: SingleValue): string => {
  // a value that is not of the type is a bug, told here as everywhere
  singleValueToBytes(type, value)
  switch (type._tag) {
    case "timestamp":
      return `make_timestamp(${String(value)}::BIGINT)`
    case "timestamptz":
      return `(make_timestamp(${String(value)}::BIGINT) AT TIME ZONE 'UTC')`
    case "timestamp_ns":
      return `make_timestamp_ns(${String(value)}::BIGINT)`
    case "date":
      return `(DATE '1970-01-01' + ${String(value)}::INTEGER)`
    case "time":
      return `(TIME '00:00:00' + to_microseconds(${String(value)}::BIGINT))`
    case "decimal":
      return `${sqlText(unscaledText(BigInt(value as bigint), type.scale))}::${duckDbType(type)}` // checked above
    case "binary":
    case "fixed":
      return `${sqlText(blobText(value as Uint8Array))}::BLOB` // checked above
    default:
      return `${sqlText(Object.is(value, -0) ? "-0.0" : String(value))}::${duckDbType(type)}`
  }
}

/** The column as an expression: `"a"."b"` of a struct. */
const columnSql = (name: string): string => name.split(".").map(sqlName).join(".")

const comparedType = (column: string, schema: TableSchema): PrimitiveType => {
  const type = fieldByName(schema, column)?.type
  if (type !== undefined && isPrimitive(type)) return type
  throw new TypeError(`a filter names ${column}, which is no column that can be compared`)
}

/** Of a filter that `checkFilter` let through; throws TypeError for a column that the schema has not, or that cannot be compared. */
export const filterSql = (filter: Filter, schema: TableSchema): string => {
  switch (filter._tag) {
    case "And":
      return filter.filters.length === 0
        ? "true"
        : `(${filter.filters.map((each) => filterSql(each, schema)).join(" AND ")})`
    case "Or":
      return filter.filters.length === 0
        ? "false"
        : `(${filter.filters.map((each) => filterSql(each, schema)).join(" OR ")})`
    case "IsNull":
      return `${columnSql(filter.column)} IS NULL`
    case "NotNull":
      return `${columnSql(filter.column)} IS NOT NULL`
    case "Compare":
      return `${columnSql(filter.column)} ${filter.operator} ${sqlLiteral(comparedType(filter.column, schema), filter.value)}`
    case "In": {
      const type = comparedType(filter.column, schema)
      const values = filter.values.map((value) => sqlLiteral(type, value))
      return values.length === 0 ? "false" : `${columnSql(filter.column)} IN (${values.join(", ")})`
    }
    case "StartsWith":
      if (comparedType(filter.column, schema)._tag !== "string") {
        throw new TypeError(`a filter asks what ${filter.column} starts with, which is no column of text`)
      }
      return `starts_with(${columnSql(filter.column)}, ${sqlText(filter.prefix)})`
    case "Not":
      return `(NOT ${filterSql(filter.filter, schema)})`
  }
}
