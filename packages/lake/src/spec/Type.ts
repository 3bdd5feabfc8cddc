/**
 * Iceberg's types (specification, "Schemas and Data Types"; of those that format version 3 added, all but `timestamp_ns` are refused by name) and their text and JSON forms.
 *
 * Schemas, partition transforms, metrics and the Avro and Parquet mappings all switch on `_tag`, which is the
 * specification's own word for the type.
 */
import type { JsonObject, JsonValue } from "./Json.ts"
import { readDefault } from "./DefaultValue.ts"
import { corrupt, unsupported } from "./FormatError.ts"
import { readBoolean, readInt, readList, readObject, readOptional, readString, type Read } from "./JsonRead.ts"

/** Types without parameters. */
export interface SimpleType {
  readonly _tag:
    | "boolean"
    | "int"
    | "long"
    | "float"
    | "double"
    | "date"
    | "time"
    | "timestamp"
    | "timestamptz"
    | "timestamp_ns"
    | "string"
    | "uuid"
    | "binary"
}

/** Exact decimal; precision 1 to 38, scale 0 to precision. */
export interface DecimalType {
  readonly _tag: "decimal"
  readonly precision: number
  readonly scale: number
}

/** Byte arrays of one length. */
export interface FixedType {
  readonly _tag: "fixed"
  readonly length: number
}

export type PrimitiveType = SimpleType | DecimalType | FixedType

/** A field of a struct; `id` is unique in the table for ever, also over nested fields. */
export interface NestedField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: Type
  readonly doc?: string
  /** What rows written before the field have; checked JSON (`DefaultValue.ts`). Format version 3. */
  readonly initialDefault?: JsonValue
  /** What is written where a row gives nothing. Format version 3. */
  readonly writeDefault?: JsonValue
}

export interface StructType {
  readonly _tag: "struct"
  readonly fields: ReadonlyArray<NestedField>
}

export interface ListType {
  readonly _tag: "list"
  readonly elementId: number
  readonly elementRequired: boolean
  readonly element: Type
}

/** Keys are always required. */
export interface MapType {
  readonly _tag: "map"
  readonly keyId: number
  readonly key: Type
  readonly valueId: number
  readonly valueRequired: boolean
  readonly value: Type
}

export type Type = PrimitiveType | StructType | ListType | MapType

const simpleTags: ReadonlySet<string> = new Set<SimpleType["_tag"]>([
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "timestamp_ns",
  "string",
  "uuid",
  "binary"
])

// Format version 3 only: said by name instead of "unknown type".
const laterTypes = /^(timestamptz_ns|variant|unknown|geometry|geography)\b/

const isSimpleTag = (text: string): text is SimpleType["_tag"] => simpleTags.has(text)

export const isPrimitive = (type: Type): type is PrimitiveType =>
  type._tag !== "struct" && type._tag !== "list" && type._tag !== "map"

/** The type as schemas write it: `int`, `decimal(18, 2)`, `fixed[16]`. */
export const primitiveToText = (type: PrimitiveType): string => {
  switch (type._tag) {
    case "decimal":
      return `decimal(${type.precision}, ${type.scale})`
    case "fixed":
      return `fixed[${type.length}]`
    default:
      return type._tag
  }
}

/** Reads `int`, `decimal(18,2)`, `fixed[16]`; `where` names the place for the error. */
export const primitiveFromText = (text: string, where: string): PrimitiveType => {
  if (isSimpleTag(text)) return { _tag: text }
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(text)
  if (decimal !== null) {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
    if (precision < 1 || precision > 38 || scale > precision) corrupt(where, `no such decimal: ${text}`)
    return { _tag: "decimal", precision, scale }
  }
  const fixed = /^fixed\[\s*(\d+)\s*\]$/.exec(text)
  if (fixed !== null) return { _tag: "fixed", length: Number(fixed[1]) }
  if (laterTypes.test(text)) return unsupported(`${where}: type ${text} of format version 3 is not read here`)
  return corrupt(where, `unknown type "${text}"`)
}

const fieldToJson = (field: NestedField): JsonObject => ({
  id: field.id,
  name: field.name,
  required: field.required,
  type: typeToJson(field.type),
  ...(field.doc === undefined ? {} : { doc: field.doc }),
  ...(field.initialDefault === undefined ? {} : { "initial-default": field.initialDefault }),
  ...(field.writeDefault === undefined ? {} : { "write-default": field.writeDefault })
})

const readField: Read<NestedField> = (value, where) => {
  const object = readObject(value, where)
  const name = readString(object["name"], `${where}.name`)
  const type = typeFromJson(object["type"], `${where}(${name}).type`)
  const doc = readOptional(object["doc"], `${where}.doc`, readString)
  const readValue = (value: JsonValue | undefined, at: string) => readDefault(type, value ?? null, at)
  const initialDefault = readOptional(object["initial-default"], `${where}.initial-default`, readValue)
  const writeDefault = readOptional(object["write-default"], `${where}.write-default`, readValue)
  return {
    id: readInt(object["id"], `${where}.id`),
    name,
    required: readBoolean(object["required"], `${where}.required`),
    type,
    ...(doc === undefined ? {} : { doc }),
    ...(initialDefault === undefined ? {} : { initialDefault }),
    ...(writeDefault === undefined ? {} : { writeDefault })
  }
}

export const structFields: Read<ReadonlyArray<NestedField>> = (value, where) => readList(value, where, readField)

export const structFieldsToJson = (fields: ReadonlyArray<NestedField>): JsonValue => fields.map(fieldToJson)

/** The type as JSON: a name, or an object for a nested one. */
export const typeToJson = (type: Type): JsonValue => {
  switch (type._tag) {
    case "struct":
      return { type: "struct", fields: structFieldsToJson(type.fields) }
    case "list":
      return {
        type: "list",
        "element-id": type.elementId,
        element: typeToJson(type.element),
        "element-required": type.elementRequired
      }
    case "map":
      return {
        type: "map",
        "key-id": type.keyId,
        key: typeToJson(type.key),
        "value-id": type.valueId,
        value: typeToJson(type.value),
        "value-required": type.valueRequired
      }
    default:
      return primitiveToText(type)
  }
}

const typeFromJson: Read<Type> = (value, where) => {
  if (typeof value === "string") return primitiveFromText(value, where)
  const object = readObject(value, where)
  switch (object["type"]) {
    case "struct":
      return { _tag: "struct", fields: structFields(object["fields"], `${where}.fields`) }
    case "list":
      return {
        _tag: "list",
        elementId: readInt(object["element-id"], `${where}.element-id`),
        elementRequired: readBoolean(object["element-required"], `${where}.element-required`),
        element: typeFromJson(object["element"], `${where}.element`)
      }
    case "map":
      return {
        _tag: "map",
        keyId: readInt(object["key-id"], `${where}.key-id`),
        key: typeFromJson(object["key"], `${where}.key`),
        valueId: readInt(object["value-id"], `${where}.value-id`),
        valueRequired: readBoolean(object["value-required"], `${where}.value-required`),
        value: typeFromJson(object["value"], `${where}.value`)
      }
    default:
      // others have attributes beside their name
      if (typeof object["type"] === "string") return primitiveFromText(object["type"], where)
      return corrupt(where, "is neither a type's name nor a struct, list or map")
  }
}

/** True when both are the same type with the same field ids, names and nullability. Docs do not count. */
export const typeEquals = (a: Type, b: Type): boolean => {
  switch (a._tag) {
    case "struct":
      return (
        b._tag === "struct" &&
        a.fields.length === b.fields.length &&
        a.fields.every((field, i) => {
          const other = b.fields[i]
          return (
            other !== undefined &&
            field.id === other.id &&
            field.name === other.name &&
            field.required === other.required &&
            typeEquals(field.type, other.type)
          )
        })
      )
    case "list":
      return (
        b._tag === "list" &&
        a.elementId === b.elementId &&
        a.elementRequired === b.elementRequired &&
        typeEquals(a.element, b.element)
      )
    case "map":
      return (
        b._tag === "map" &&
        a.keyId === b.keyId &&
        a.valueId === b.valueId &&
        a.valueRequired === b.valueRequired &&
        typeEquals(a.key, b.key) &&
        typeEquals(a.value, b.value)
      )
    case "decimal":
      return b._tag === "decimal" && a.precision === b.precision && a.scale === b.scale
    case "fixed":
      return b._tag === "fixed" && a.length === b.length
    default:
      return a._tag === b._tag
  }
}
