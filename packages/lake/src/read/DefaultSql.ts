/**
 * Defaults of fields as SQL: `initial-default`, which rows of files hold that have no such column, and `write-default`, which is
 * put in where a row leaves the field out (specification, "Default values"). Pure.
 */
import { sqlName, sqlText } from "../io/DuckDb.ts"
import type { JsonObject, JsonValue } from "../spec/Json.ts"
import type { TableSchema } from "../spec/Schema.ts"
import type { NestedField, Type } from "../spec/Type.ts"
import { duckDbType } from "./RelationFiles.ts"

type Kind = "initialDefault" | "writeDefault"
type Defaulted = Pick<NestedField, Kind | "type">

const valueSql = (type: Type, value: JsonValue, kind: Kind): string => {
  switch (type._tag) {
    case "timestamptz":
      return `(${sqlText(String(value).replace("+00:00", ""))}::TIMESTAMP AT TIME ZONE 'UTC')`
    case "binary":
    case "fixed":
      return `unhex(${sqlText(String(value))})`
    case "struct": {
      const fields = type.fields.map((field) => `${sqlName(field.name)} := ${defaultSql(field, kind)}`)
      return `struct_pack(${fields.join(", ")})`
    }
    case "list": {
      // checked when the schema was read
      const elements = (value as ReadonlyArray<JsonValue>).map((element) => valueSql(type.element, element, kind))
      return `[${elements.join(", ")}]::${duckDbType(type)}`
    }
    case "map": {
      const { keys, values } = value as JsonObject // checked when the schema was read
      const list = (each: JsonValue | undefined, of: Type) =>
        (each as ReadonlyArray<JsonValue>).map((one) => valueSql(of, one, kind)).join(", ")
      return `map([${list(keys, type.key)}], [${list(values, type.value)}])::${duckDbType(type)}`
    }
    default:
      return `${sqlText(String(value))}::${duckDbType(type)}`
  }
}

const defaultSql = (field: Defaulted, kind: Kind): string => {
  const { [kind]: value, type } = field
  return value === undefined || value === null ? `NULL::${duckDbType(type)}` : valueSql(type, value, kind)
}

export const initialDefaultSql = (field: Defaulted): string => defaultSql(field, "initialDefault")

export const writeDefaultSql = (field: Defaulted): string => defaultSql(field, "writeDefault")

const hasDefault = ({ initialDefault, type }: Defaulted): boolean => {
  if (initialDefault !== undefined) return true
  if (type._tag === "struct") return type.fields.some(hasDefault)
  if (type._tag === "list") return hasDefault({ type: type.element })
  return type._tag === "map" && (hasDefault({ type: type.key }) || hasDefault({ type: type.value }))
}

/** Whether rows of some files have values that stand in no file. */
export const hasInitialDefaults = ({ fields }: TableSchema): boolean => fields.some(hasDefault)
