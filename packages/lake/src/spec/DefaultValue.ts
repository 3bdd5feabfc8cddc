/**
 * Default values of fields, format version 3 (specification, "Default values"; appendix D, "JSON single-value serialization").
 *
 * They are kept as the JSON that metadata has, checked against their type once: `initial-default` is what rows written before
 * the field have, `write-default` what a writer puts in when it is given nothing.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonValue } from "./Json.ts"
import { readBoolean, readInt, readList, readLong, readObject, readString } from "./JsonRead.ts"
import type { Type } from "./Type.ts"

const date = String.raw`\d{4}-\d{2}-\d{2}`
const time = String.raw`\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?`

const forms: Readonly<Record<"date" | "time" | "timestamp" | "timestamptz" | "uuid" | "hex", RegExp>> = {
  date: new RegExp(`^${date}$`),
  time: new RegExp(`^${time}$`),
  timestamp: new RegExp(`^${date}T${time}$`),
  timestamptz: new RegExp(`^${date}T${time}\\+00:00$`),
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  hex: /^([0-9a-f]{2})*$/i
}

const readForm = (form: keyof typeof forms, value: JsonValue, where: string): JsonValue => {
  const text = readString(value, where)
  return forms[form].test(text) ? text : corrupt(where, `is no ${form}`)
}

const readDecimal = (value: JsonValue, where: string, precision: number, scale: number): JsonValue => {
  const text = readString(value, where)
  const [, whole = "", fraction = ""] = /^-?(\d+)(?:\.(\d+))?$/.exec(text) ?? corrupt(where, "is no decimal")
  const digits = `${whole}${fraction}`.replace(/^0+/, "")
  return fraction.length === scale && digits.length <= precision ? text : corrupt(where, `is no decimal of its type`)
}

/** The value itself, when it is one of the type; FormatError otherwise. A struct's is `{}`: its fields have their own. */
export const readDefault = (type: Type, value: JsonValue, where: string): JsonValue => {
  switch (type._tag) {
    case "boolean":
      return readBoolean(value, where)
    case "int":
      return readInt(value, where)
    case "long":
      return readLong(value, where)
    case "float":
    case "double":
      return typeof value === "number" || typeof value === "bigint" ? value : corrupt(where, "expected a number")
    case "string":
      return readString(value, where)
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "uuid":
      return readForm(type._tag, value, where)
    case "binary":
      return readForm("hex", value, where)
    case "fixed": {
      const text = readForm("hex", value, where)
      return String(text).length === 2 * type.length ? text : corrupt(where, `is not ${type.length} bytes long`)
    }
    case "decimal":
      return readDecimal(value, where, type.precision, type.scale)
    case "struct":
      if (Object.keys(readObject(value, where)).length > 0)
        corrupt(where, "a struct's default has no fields of its own")
      return value
    case "list":
      return readList(value, where, (element) => readDefault(type.element, element ?? null, where))
    case "map": {
      const { keys, values } = readObject(value, where)
      const [k, v] = [
        readList(keys, `${where}.keys`, (key) => readDefault(type.key, key ?? null, where)),
        readList(values, `${where}.values`, (each) => readDefault(type.value, each ?? null, where))
      ]
      return k.length === v.length ? { keys: k, values: v } : corrupt(where, "has another number of keys than values")
    }
  }
}
