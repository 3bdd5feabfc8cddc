/**
 * Avro schemas as far as Iceberg uses them, read from the schema text of a file's header.
 *
 * Iceberg reads by field id, so ids are kept and names are only for the file. Enums and unions other than "null or X" do not
 * occur in Iceberg and are refused.
 */
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import type { JsonObject, JsonValue } from "../../spec/Json.ts"
import { readInt, readList, readObject, readOptional, readString } from "../../spec/JsonRead.ts"

export interface AvroField {
  readonly name: string
  /** Iceberg's id; absent in the key and value of no field of ours. */
  readonly fieldId: number | undefined
  readonly type: AvroType
}

export type AvroType =
  | { readonly _tag: "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string" }
  | { readonly _tag: "fixed"; readonly size: number }
  | { readonly _tag: "record"; readonly fields: ReadonlyArray<AvroField> }
  | { readonly _tag: "array"; readonly items: AvroType }
  | { readonly _tag: "map"; readonly values: AvroType }
  /** A union of null and one type, null being its first or second branch. */
  | { readonly _tag: "optional"; readonly type: AvroType; readonly nullFirst: boolean }

const primitives: ReadonlySet<string> = new Set([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string"
])

const isPrimitiveName = (
  name: string
): name is "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string" => primitives.has(name)

type Names = Map<string, AvroType>

const named = (object: JsonObject, type: AvroType, names: Names): AvroType => {
  const name = object["name"]
  if (typeof name === "string") {
    const namespace = object["namespace"]
    names.set(name, type)
    if (typeof namespace === "string") names.set(`${namespace}.${name}`, type)
  }
  return type
}

const union = (branches: ReadonlyArray<JsonValue>, where: string, names: Names): AvroType => {
  const [first, second] = branches
  if (branches.length !== 2 || first === undefined || second === undefined) {
    return unsupported(`${where}: a union that is not of null and one type`)
  }
  if (first === "null") return { _tag: "optional", type: parse(second, where, names), nullFirst: true }
  if (second === "null") return { _tag: "optional", type: parse(first, where, names), nullFirst: false }
  return unsupported(`${where}: a union that is not of null and one type`)
}

const parseObject = (object: JsonObject, where: string, names: Names): AvroType => {
  const type = object["type"]
  switch (type) {
    case "record": {
      const fields = readList(object["fields"], `${where}.fields`, (value, at): AvroField => {
        const field = readObject(value, at)
        const name = readString(field["name"], `${at}.name`)
        return {
          name,
          fieldId: readOptional(field["field-id"], `${at}.field-id`, readInt),
          type: parse(field["type"] ?? null, `${at}(${name})`, names)
        }
      })
      return named(object, { _tag: "record", fields }, names)
    }
    case "array":
      return { _tag: "array", items: parse(object["items"] ?? null, `${where}.items`, names) }
    case "map":
      return { _tag: "map", values: parse(object["values"] ?? null, `${where}.values`, names) }
    case "fixed": {
      const size = readInt(object["size"], `${where}.size`)
      if (size < 0) corrupt(where, "a fixed of negative size")
      return named(object, { _tag: "fixed", size }, names)
    }
    default:
      // `{"type": "long", "logicalType": …}`, and types nested once more.
      return parse(type ?? null, where, names)
  }
}

const isList = (value: JsonValue): value is ReadonlyArray<JsonValue> => Array.isArray(value)

const parse = (value: JsonValue, where: string, names: Names): AvroType => {
  if (typeof value === "string") {
    if (isPrimitiveName(value)) return { _tag: value }
    return names.get(value) ?? unsupported(`${where}: Avro type "${value}"`)
  }
  if (isList(value)) return union(value, where, names)
  return parseObject(readObject(value, where), where, names)
}

/** Reads a schema; FormatError when it is none, or uses what Iceberg does not. */
export const avroTypeFromJson = (schema: JsonValue): AvroType => parse(schema, "avro schema", new Map())
