/**
 * Iceberg types as Avro schemas (specification, appendix A, "Avro"): ids on every field, element, key and value, maps as
 * arrays with `logicalType: "map"`. PyIceberg rejects and DuckDB aborts on files that lack them.
 */
import type { JsonObject, JsonValue } from "../spec/Json.ts"
import type { NestedField, PrimitiveType, Type } from "../spec/Type.ts"

/** Names of fixed types already written: Avro writes a named type once and then refers to it. */
type Defined = Set<string>

/** The least number of bytes that hold every decimal of a precision. */
export const decimalBytes = (precision: number): number => {
  let bytes = 1
  while (2n ** BigInt(8 * bytes - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}

const fixed = (name: string, size: number, rest: JsonObject, defined: Defined): JsonValue => {
  if (defined.has(name)) return name
  defined.add(name)
  return { type: "fixed", name, size, ...rest }
}

const primitiveSchema = (type: PrimitiveType, defined: Defined): JsonValue => {
  switch (type._tag) {
    case "boolean":
    case "int":
    case "long":
    case "float":
    case "double":
    case "string":
      return type._tag
    case "binary":
      return "bytes"
    case "date":
      return { type: "int", logicalType: "date" }
    case "time":
      return { type: "long", logicalType: "time-micros" }
    case "timestamp":
    case "timestamptz":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": type._tag === "timestamptz" }
    case "timestamp_ns":
      return { type: "long", logicalType: "timestamp-nanos", "adjust-to-utc": false }
    case "uuid":
      return fixed("uuid_fixed", 16, { logicalType: "uuid" }, defined)
    case "fixed":
      return fixed(`fixed_${type.length}`, type.length, {}, defined)
    case "decimal": {
      const { precision, scale } = type
      const rest = { logicalType: "decimal", precision, scale }
      return fixed(`decimal_${precision}_${scale}`, decimalBytes(precision), rest, defined)
    }
  }
}

const optional = (required: boolean, schema: JsonValue): JsonValue => (required ? schema : ["null", schema])

/** Avro names are letters, digits and underscores; other characters are written as `_x<hex>`, as Java does. */
const avroName = (name: string): string =>
  name.replace(/^[0-9]/, "_$&").replace(/[^A-Za-z0-9_]/gu, (c) => `_x${c.codePointAt(0)?.toString(16).toUpperCase()}`)

const fieldSchema = (field: NestedField, defined: Defined): JsonObject => {
  const name = avroName(field.name)
  return {
    name,
    type: optional(field.required, typeSchema(field.type, `r${field.id}`, defined)),
    ...(field.required ? {} : { default: null }),
    ...(name === field.name ? {} : { "iceberg-field-name": field.name }),
    "field-id": field.id
  }
}

const typeSchema = (type: Type, recordName: string, defined: Defined): JsonValue => {
  switch (type._tag) {
    case "struct":
      return { type: "record", name: recordName, fields: type.fields.map((field) => fieldSchema(field, defined)) }
    case "list":
      return {
        type: "array",
        items: optional(type.elementRequired, typeSchema(type.element, `r${type.elementId}`, defined)),
        "element-id": type.elementId
      }
    case "map": {
      const key: NestedField = { id: type.keyId, name: "key", required: true, type: type.key }
      const value: NestedField = { id: type.valueId, name: "value", required: type.valueRequired, type: type.value }
      return {
        type: "array",
        items: {
          type: "record",
          name: `k${type.keyId}_v${type.valueId}`,
          fields: [fieldSchema(key, defined), fieldSchema(value, defined)]
        },
        logicalType: "map"
      }
    }
    default:
      return primitiveSchema(type, defined)
  }
}

/** The Avro schema of a record with these fields, named `recordName`. */
export const avroSchemaOf = (recordName: string, fields: ReadonlyArray<NestedField>): JsonValue =>
  typeSchema({ _tag: "struct", fields }, recordName, new Set())
