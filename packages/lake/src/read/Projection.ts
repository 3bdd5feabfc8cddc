/**
 * A table's column as an SQL expression over a file's columns, matched by field id at every level (specification, "Column
 * Projection").
 *
 * Pure. What the file has not is what its partition says, its default, or null; what has another name is renamed, what was narrower is widened.
 */
import { sqlName } from "../io/DuckDb.ts"
import { unsupported } from "../spec/FormatError.ts"
import type { NestedField, Type } from "../spec/Type.ts"
import type { PhysicalField, PhysicalType } from "./PhysicalSchema.ts"
import { initialDefaultSql } from "./DefaultSql.ts"
import type { Constants } from "./PartitionConstants.ts"
import { duckDbType } from "./RelationFiles.ts"

/** Where values of columns are found. */
interface Source {
  /** An expression of the physical value. Lambdas of different depths have variables of their own. */
  readonly of: string
  readonly depth: number
  /** Of columns that the file lacks. */
  readonly constants: Constants
}

const childSql = (field: NestedField, fields: ReadonlyArray<PhysicalField>, source: Source): string => {
  const found = fields.find(({ id }) => id === field.id)
  return found === undefined
    ? missingSql(field, source.constants)
    : valueSql(field.type, found.type, { ...source, of: `${source.of}.${sqlName(found.name)}` })
}

/** What the partition says comes before the default. */
const missingSql = (field: NestedField, constants: Constants): string =>
  constants.get(field.id) ?? initialDefaultSql(field)

const differ = (): never => unsupported("a data file whose column is of another kind than the table's")

const valueSql = (type: Type, physical: PhysicalType, source: Source): string => {
  const { depth, of } = source
  const variable = `x${depth}`
  const inner = (each: string): Source => ({ ...source, of: each, depth: depth + 1 })
  switch (type._tag) {
    case "struct": {
      if (physical._tag !== "struct") return differ()
      const packed = type.fields.map((field) => `${sqlName(field.name)} := ${childSql(field, physical.fields, source)}`)
      return `CASE WHEN ${of} IS NULL THEN NULL ELSE struct_pack(${packed.join(", ")}) END`
    }
    case "list": {
      if (physical._tag !== "list") return differ()
      const element = valueSql(type.element, physical.element.type, inner(variable))
      return `list_transform(${of}, lambda ${variable}: ${element})`
    }
    case "map": {
      if (physical._tag !== "map") return differ()
      const key = valueSql(type.key, physical.key.type, inner(`${variable}.key`))
      const value = valueSql(type.value, physical.value.type, inner(`${variable}.value`))
      const entries = `list_transform(map_entries(${of}), lambda ${variable}: struct_pack(key := ${key}, value := ${value}))`
      return `CASE WHEN ${of} IS NULL THEN NULL ELSE map_from_entries(${entries}) END`
    }
    default:
      return physical._tag === "primitive" ? `${of}::${duckDbType(type)}` : differ()
  }
}

/** The column's expression over a scan `s` of files that all have these columns. Throws FormatError where it cannot be. */
export const projectedColumn = (
  field: NestedField,
  columns: ReadonlyArray<PhysicalField>,
  constants: Constants
): string => childSql(field, columns, { of: "s", depth: 0, constants })
