/** Files and types as DuckDB's SQL has them. Pure. */
import { localPath } from "@frazil/core"
import { sqlName, sqlText } from "../io/DuckDb.ts"
import type { Type } from "../spec/Type.ts"

/** The DuckDB type that holds an Iceberg type. */
export const duckDbType = (type: Type): string => {
  switch (type._tag) {
    case "boolean":
      return "BOOLEAN"
    case "int":
      return "INTEGER"
    case "long":
      return "BIGINT"
    case "float":
      return "FLOAT"
    case "double":
      return "DOUBLE"
    case "date":
      return "DATE"
    case "time":
      return "TIME"
    case "timestamp":
      return "TIMESTAMP"
    case "timestamptz":
      return "TIMESTAMP WITH TIME ZONE"
    case "timestamp_ns":
      return "TIMESTAMP_NS"
    case "string":
      return "VARCHAR"
    case "uuid":
      return "UUID"
    case "fixed":
    case "binary":
      return "BLOB"
    case "decimal":
      return `DECIMAL(${type.precision}, ${type.scale})`
    case "struct":
      return `STRUCT(${type.fields.map((field) => `${sqlName(field.name)} ${duckDbType(field.type)}`).join(", ")})`
    case "list":
      return `${duckDbType(type.element)}[]`
    case "map":
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`
  }
}

// DuckDB takes paths as patterns; a bracketed character stands for itself.
const escapePattern = (path: string): string => path.replace(/[*?[]/g, "[$&]")

/** Local copies of files, by URI. */
export type Copies = ReadonlyMap<string, string> | undefined

/** A file as DuckDB's functions take it. */
export const fileText = (uri: string, copies: Copies): string =>
  sqlText(escapePattern(copies?.get(uri) ?? localPath(uri) ?? uri))
