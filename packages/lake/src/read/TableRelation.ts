/**
 * A planned scan as a DuckDB relation: SQL text over exactly the planned files, columns matched by field id.
 *
 * Renamed, reordered, promoted and added columns come out right. What DuckDB would silently read as NULL (a nested field
 * that was renamed, files without field ids) is refused by name.
 */
import { localPath } from "@frazil/core"
import { Result } from "effect"
import { sqlName, sqlText } from "../io/DuckDb.ts"
import { LakeError } from "../LakeError.ts"
import type { TableSchema } from "../spec/Schema.ts"
import { isPrimitive, typeEquals, type NestedField, type Type } from "../spec/Type.ts"
import type { ScanPlan } from "./PlanScan.ts"

/** The DuckDB type that holds an Iceberg type. */
const duckDbType = (type: Type): string => {
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

/** A data file as DuckDB's functions take it. */
export const fileText = (uri: string): string => sqlText(escapePattern(localPath(uri) ?? uri))

const mapEntry = (field: NestedField): string =>
  `${field.id}: {'name': ${sqlText(field.name)}, 'type': ${sqlText(duckDbType(field.type))}, 'default_value': NULL}`

const emptyRelation = (schema: TableSchema): string => {
  const columns = schema.fields.map((field) => `NULL::${duckDbType(field.type)} AS ${sqlName(field.name)}`)
  return `SELECT ${columns.join(", ")} WHERE false`
}

const unsupported = (plan: ScanPlan, what: string): Result.Result<never, LakeError> =>
  Result.fail(
    new LakeError({
      reason: "Unsupported",
      message: `table ${plan.metadata.location}: ${what}; read it with another engine`
    })
  )

/** A column whose nested type is not the same in every schema of the table: DuckDB matches nested fields by name only. */
const evolvedNested = (plan: ScanPlan): NestedField | undefined =>
  plan.schema.fields.find(
    (field) =>
      !isPrimitive(field.type) &&
      plan.metadata.schemas.some((schema) => {
        const other = schema.fields.find((each) => each.id === field.id)
        return other !== undefined && !typeEquals(other.type, field.type)
      })
  )

/**
 * A SELECT of all columns in the schema's order, to be used as `(…) AS name`. No files give a typed, empty relation.
 *
 * **Gotchas**: timestamps with zone print in the session's time zone.
 */
export const tableRelation = (plan: ScanPlan): Result.Result<string, LakeError> => {
  const nested = evolvedNested(plan)
  if (nested !== undefined)
    return unsupported(plan, `column ${nested.name} is nested and was changed, which is not read here`)
  if (plan.metadata.properties.has("schema.name-mapping.default")) {
    return unsupported(plan, "it may have files without field ids (name mapping), which are not read here")
  }
  if (plan.schema.fields.length === 0) return unsupported(plan, "it has no columns")
  if (plan.entries.length === 0) return Result.succeed(emptyRelation(plan.schema))
  const files = plan.entries.map((entry) => fileText(entry.dataFile.filePath)).join(", ")
  const columns = plan.schema.fields.map((field) => sqlName(field.name)).join(", ")
  const schema = plan.schema.fields.map(mapEntry).join(", ")
  return Result.succeed(
    `SELECT ${columns} FROM read_parquet([${files}], hive_partitioning = false, schema = MAP {${schema}})`
  )
}
