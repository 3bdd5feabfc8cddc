/**
 * The rows of a query as a table has them: columns by name, in the schema's order, of its types, with `write-default` in the
 * place of fields that the query leaves out (specification, "Default values").
 *
 * Pure. A row that does not fit (`FitsSql.ts`), or would be altered (`LossSql.ts`), fails when it is read. Names are DuckDB's:
 * case does not count.
 */
import { DuckDBListType, DuckDBMapType, DuckDBStructType, type DuckDBType } from "@duckdb/node-api"
import { sqlName } from "../../io/DuckDb.ts"
import { writeDefaultSql } from "../../read/DefaultSql.ts"
import { duckDbType } from "../../read/RelationFiles.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { NestedField, Type } from "../../spec/Type.ts"
import { fittingSql } from "./FitsSql.ts"
import { entriesOf, type GivenColumns } from "./GivenColumns.ts"
import { lossOf } from "./LossSql.ts"

/** A field that the query leaves out and that has something to be written. */
const isFilled = ({ writeDefault }: NestedField): boolean => writeDefault !== undefined

/** Whether a struct of the query's type lacks, at any depth, what has to be filled in. */
const lacks = (type: Type, given: DuckDBType): boolean => {
  switch (type._tag) {
    case "struct": {
      const entries = entriesOf(given)
      return (
        entries !== undefined &&
        type.fields.some((field) => {
          const inner = entries.get(field.name.toLowerCase())
          return inner === undefined ? isFilled(field) : lacks(field.type, inner)
        })
      )
    }
    case "list":
      return given instanceof DuckDBListType && lacks(type.element, given.valueType)
    case "map":
      return given instanceof DuckDBMapType && (lacks(type.key, given.keyType) || lacks(type.value, given.valueType))
    default:
      return false
  }
}

/** The value with what it leaves out; as it is where it leaves out nothing. */
const filled = (type: Type, given: DuckDBType, of: string, depth: number): string => {
  if (!lacks(type, given)) return of
  const variable = `x${depth}`
  if (type._tag === "struct" && given instanceof DuckDBStructType) {
    const entries = entriesOf(given)!
    const packed = type.fields.map((field) => {
      const inner = entries.get(field.name.toLowerCase())
      const value =
        inner === undefined ? writeDefaultSql(field) : filled(field.type, inner, `${of}.${sqlName(field.name)}`, depth)
      return `${sqlName(field.name)} := ${value}`
    })
    return `CASE WHEN ${of} IS NULL THEN NULL ELSE struct_pack(${packed.join(", ")}) END`
  }
  if (type._tag === "list" && given instanceof DuckDBListType) {
    return `list_transform(${of}, lambda ${variable}: ${filled(type.element, given.valueType, variable, depth + 1)})`
  }
  if (type._tag === "map" && given instanceof DuckDBMapType) {
    const key = filled(type.key, given.keyType, `${variable}.key`, depth + 1)
    const value = filled(type.value, given.valueType, `${variable}.value`, depth + 1)
    const entries = `list_transform(map_entries(${of}), lambda ${variable}: struct_pack(key := ${key}, value := ${value}))`
    return `CASE WHEN ${of} IS NULL THEN NULL ELSE map_from_entries(${entries}) END`
  }
  return of
}

const columnOf = (field: NestedField, given: GivenColumns): string => {
  const type = given.get(field.name.toLowerCase())
  const name = sqlName(field.name)
  // one that is left out and has no default is DuckDB's to refuse, by its name
  const value = type === undefined && isFilled(field) ? writeDefaultSql(field) : name
  const whole = type === undefined ? value : filled(field.type, type, name, 0)
  const loss = type === undefined ? [] : lossOf(field.type, type, name, field.name, 0)
  return `${fittingSql(field, `(${whole}::${duckDbType(field.type)})`, loss)} AS ${name}`
}

/** SELECT of the typed rows. `select` is trusted SQL text with the given columns. */
export const typedRows = (schema: TableSchema, select: string, given: GivenColumns): string =>
  `SELECT ${schema.fields.map((field) => columnOf(field, given)).join(", ")} FROM (${select})`
