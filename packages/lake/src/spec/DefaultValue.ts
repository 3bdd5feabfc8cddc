/**
 * Default values of fields, format version 3 (specification, "Default values").
 *
 * They are kept as the JSON that metadata has, checked against their type once: `initial-default` is what rows written before
 * the field have, `write-default` what a writer puts in when it is given nothing.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonValue } from "./Json.ts"
import { readList, readObject } from "./JsonRead.ts"
import { singleValueFromJson } from "./SingleValueJson.ts"
import type { Type } from "./Type.ts"

/** The value itself, when it is one of the type; FormatError otherwise. A struct's is `{}`: its fields have their own. */
export const readDefault = (type: Type, value: JsonValue, where: string): JsonValue => {
  switch (type._tag) {
    case "struct":
      if (Object.keys(readObject(value, where)).length > 0)
        corrupt(where, "a struct's default has no fields of its own")
      return value
    case "list":
      return readList(value, where, (element, at) => readDefault(type.element, element ?? null, at))
    case "map": {
      const { keys, values } = readObject(value, where)
      const [k, v] = [
        readList(keys, `${where}.keys`, (key, at) => readDefault(type.key, key ?? null, at)),
        readList(values, `${where}.values`, (each, at) => readDefault(type.value, each ?? null, at))
      ]
      return k.length === v.length ? { keys: k, values: v } : corrupt(where, "has another number of keys than values")
    }
    default:
      if (value === null) return corrupt(where, "is null within a default")
      singleValueFromJson(type, value, where)
      return value
  }
}
