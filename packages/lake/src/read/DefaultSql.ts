/** A field's `initial-default` as SQL: what rows of files that have no such column hold. Pure. */
import { sqlName, sqlText } from "../io/DuckDb.ts"
import type { JsonObject, JsonValue } from "../spec/Json.ts"
import type { TableSchema } from "../spec/Schema.ts"
import type { NestedField, Type } from "../spec/Type.ts"
import { duckDbType } from "./RelationFiles.ts"

const valueSql = (type: Type, value: JsonValue): string => {
  switch (type._tag) {
    case "timestamptz":
      return `(${sqlText(String(value).replace("+00:00", ""))}::TIMESTAMP AT TIME ZONE 'UTC')`
    case "binary":
    case "fixed":
      return `unhex(${sqlText(String(value))})`
    case "struct": {
      const fields = type.fields.map((field) => `${sqlName(field.name)} := ${initialDefaultSql(field)}`)
      return `struct_pack(${fields.join(", ")})`
    }
    case "list": {
      // checked when the schema was read
      const elements = (value as ReadonlyArray<JsonValue>).map((element) => valueSql(type.element, element))
      return `[${elements.join(", ")}]::${duckDbType(type)}`
    }
    case "map": {
      const { keys, values } = value as JsonObject // checked when the schema was read
      const list = (each: JsonValue | undefined, of: Type) =>
        (each as ReadonlyArray<JsonValue>).map((one) => valueSql(of, one)).join(", ")
      return `map([${list(keys, type.key)}], [${list(values, type.value)}])::${duckDbType(type)}`
    }
    default:
      return `${sqlText(String(value))}::${duckDbType(type)}`
  }
}

export const initialDefaultSql = ({ initialDefault, type }: Pick<NestedField, "initialDefault" | "type">): string =>
  initialDefault === undefined ? `NULL::${duckDbType(type)}` : valueSql(type, initialDefault)

const hasDefault = ({ initialDefault, type }: Pick<NestedField, "initialDefault" | "type">): boolean => {
  if (initialDefault !== undefined) return true
  if (type._tag === "struct") return type.fields.some(hasDefault)
  if (type._tag === "list") return hasDefault({ type: type.element })
  return type._tag === "map" && (hasDefault({ type: type.key }) || hasDefault({ type: type.value }))
}

/** Whether rows of some files have values that stand in no file. */
export const hasInitialDefaults = ({ fields }: TableSchema): boolean => fields.some(hasDefault)
