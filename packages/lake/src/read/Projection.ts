/**
 * A table's column as an SQL expression over a file's columns, matched by field id at every level (specification, "Column
 * Projection").
 *
 * Pure. What the file has not is null or its default, what has another name is renamed, what was narrower is widened.
 */
import { sqlName } from "../io/DuckDb.ts"
import { unsupported } from "../spec/FormatError.ts"
import type { NestedField, Type } from "../spec/Type.ts"
import type { PhysicalField, PhysicalType } from "./PhysicalSchema.ts"
import { initialDefaultSql } from "./DefaultSql.ts"
import { duckDbType } from "./RelationFiles.ts"

const childSql = (field: NestedField, fields: ReadonlyArray<PhysicalField>, of: string, depth: number) => {
  const found = fields.find(({ id }) => id === field.id)
  return found === undefined
    ? initialDefaultSql(field)
    : valueSql(field.type, found.type, `${of}.${sqlName(found.name)}`, depth)
}

const differ = (): never => unsupported("a data file whose column is of another kind than the table's")

/** `of` is an expression of the physical value. Lambdas of different depths have variables of their own. */
const valueSql = (type: Type, physical: PhysicalType, of: string, depth: number): string => {
  const variable = `x${depth}`
  switch (type._tag) {
    case "struct": {
      if (physical._tag !== "struct") return differ()
      const packed = type.fields.map(
        (field) => `${sqlName(field.name)} := ${childSql(field, physical.fields, of, depth)}`
      )
      return `CASE WHEN ${of} IS NULL THEN NULL ELSE struct_pack(${packed.join(", ")}) END`
    }
    case "list": {
      if (physical._tag !== "list") return differ()
      const element = valueSql(type.element, physical.element.type, variable, depth + 1)
      return `list_transform(${of}, lambda ${variable}: ${element})`
    }
    case "map": {
      if (physical._tag !== "map") return differ()
      const key = valueSql(type.key, physical.key.type, `${variable}.key`, depth + 1)
      const value = valueSql(type.value, physical.value.type, `${variable}.value`, depth + 1)
      const entries = `list_transform(map_entries(${of}), lambda ${variable}: struct_pack(key := ${key}, value := ${value}))`
      return `CASE WHEN ${of} IS NULL THEN NULL ELSE map_from_entries(${entries}) END`
    }
    default:
      return physical._tag === "primitive" ? `${of}::${duckDbType(type)}` : differ()
  }
}

/** The column's expression over a scan `s` of files that all have these columns. Throws FormatError where it cannot be. */
export const projectedColumn = (field: NestedField, columns: ReadonlyArray<PhysicalField>): string =>
  childSql(field, columns, "s", 0)
