/**
 * Readers of single JSON values that know where they are: the building blocks of every metadata decoder in `spec/`.
 *
 * Each takes a value (undefined when the key is absent) and its path in the document, and throws FormatError naming both.
 * Messages name kinds, never contents.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonObject, JsonValue } from "./Json.ts"

export type Read<A> = (value: JsonValue | undefined, where: string) => A

const kind = (value: JsonValue | undefined): string =>
  value === undefined
    ? "missing"
    : value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "an object"
          : `a ${typeof value}`

const wrong = (where: string, expected: string, value: JsonValue | undefined): never =>
  corrupt(where, `expected ${expected}, found ${kind(value)}`)

export const readString: Read<string> = (value, where) =>
  typeof value === "string" ? value : wrong(where, "a string", value)

export const readBoolean: Read<boolean> = (value, where) =>
  typeof value === "boolean" ? value : wrong(where, "a boolean", value)

/** A 32-bit integer. */
export const readInt: Read<number> = (value, where) =>
  typeof value === "number" && (value | 0) === value ? value : wrong(where, "a 32-bit integer", value)

/** A 64-bit integer. */
export const readLong: Read<bigint> = (value, where) => {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value
  return wrong(where, "a 64-bit integer", value)
}

/** A 64-bit integer that a number holds exactly: milliseconds and counts. */
export const readSafeInteger: Read<number> = (value, where) =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : wrong(where, "an integer", value)

export const readObject: Read<JsonObject> = (value, where) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? // Array.isArray does not narrow a readonly array away; what is left here is an object.
      (value as JsonObject)
    : wrong(where, "an object", value)

export const readList = <A>(value: JsonValue | undefined, where: string, read: Read<A>): ReadonlyArray<A> => {
  if (!Array.isArray(value)) return wrong(where, "a list", value)
  // Array.isArray gives any[]; the elements of a JsonValue list are JsonValues.
  return (value as ReadonlyArray<JsonValue>).map((item, i) => read(item, `${where}[${i}]`))
}

/** Undefined when the key is absent or null. */
export const readOptional = <A>(value: JsonValue | undefined, where: string, read: Read<A>): A | undefined =>
  value === undefined || value === null ? undefined : read(value, where)

/** Text by name: table properties, snapshot summaries. */
export type StringMap = ReadonlyMap<string, string>

/** An object read as a map. */
export const readMap = <A>(value: JsonValue | undefined, where: string, read: Read<A>): ReadonlyMap<string, A> => {
  const object = readObject(value, where)
  return new Map(Object.keys(object).map((key) => [key, read(object[key], `${where}.${key}`)]))
}

/** An object whose values are all strings. */
export const readStringMap: Read<StringMap> = (value, where) => readMap(value, where, readString)

export const stringMapToJson = (map: StringMap): JsonObject => Object.fromEntries(map)
