/**
 * One value as JSON, of every type (specification, appendix D, "JSON single-value serialization"): defaults of fields, and values
 * in messages of catalogs.
 *
 * Pure, both ways. Times are proleptic Gregorian; years beyond four digits have a sign, as ISO 8601 and Java have them.
 */
import { unscaledText } from "@frazil/core"
import { corrupt } from "./FormatError.ts"
import type { JsonObject, JsonValue } from "./Json.ts"
import { readBoolean, readInt, readList, readLong, readObject, readString } from "./JsonRead.ts"
import { uuidFromBytes, uuidToBytes, type SingleValue } from "./SingleValue.ts"
import type { ListType, MapType, NestedField, PrimitiveType, StructType, Type } from "./Type.ts"

/**
 * A value of any type: a primitive's is a `SingleValue`; a struct's is by field id, absent where the JSON had no such field; a
 * map's are its entries in order.
 */
export type TypedValue = SingleValue | null | ListValue | StructValue | MapValue
export interface ListValue {
  readonly _tag: "list"
  readonly elements: ReadonlyArray<TypedValue>
}
export interface StructValue {
  readonly _tag: "struct"
  readonly fields: ReadonlyMap<number, TypedValue>
}
export interface MapValue {
  readonly _tag: "map"
  readonly entries: ReadonlyArray<readonly [key: TypedValue, value: TypedValue]>
}

// `Type.ts` reads defaults by this module, so none of its values are imported
const isNested = (type: Type): type is StructType | ListType | MapType =>
  type._tag === "struct" || type._tag === "list" || type._tag === "map"

const dayMs = 86_400_000
const secondNanos = 1_000_000_000n
const dayNanos = 86_400n * secondNanos

const padded = (value: number | bigint, digits: number): string => String(value).padStart(digits, "0")

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** `2017-11-16`, `-0044-03-15`, `+10000-01-01`. Beyond JavaScript's dates (years of six digits) there is no text. */
const dateText = (days: number): string => {
  const date = new Date(days * dayMs)
  if (Number.isNaN(date.getTime())) throw new RangeError("a date beyond the year 275760 has no text here")
  const year = date.getUTCFullYear()
  const sign = year < 0 ? "-" : year > 9999 ? "+" : ""
  return `${sign}${padded(Math.abs(year), 4)}-${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`
}

/** `22:31:08.123456`: as many digits as are needed, up to `digits`. */
const timeText = (nanos: bigint): string => {
  const seconds = nanos / secondNanos
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => padded(part, 2)).join(":")
  const fraction = padded(nanos % secondNanos, 9).replace(/0+$/, "")
  // whole groups of three, as Java prints them
  return fraction === "" ? clock : `${clock}.${fraction.padEnd(Math.ceil(fraction.length / 3) * 3, "0")}`
}

const timestampText = (nanos: bigint): string => {
  const inDay = ((nanos % dayNanos) + dayNanos) % dayNanos
  return `${dateText(Number((nanos - inDay) / dayNanos))}T${timeText(inDay)}`
}

const mismatch = (type: Type): never => {
  throw new TypeError(`no value of type ${type._tag}`)
}

const primitiveToJson = (type: PrimitiveType, value: SingleValue): JsonValue => {
  switch (type._tag) {
    case "boolean":
      return typeof value === "boolean" ? value : mismatch(type)
    case "int":
    case "float":
    case "double":
      return typeof value === "number" && Number.isFinite(value) ? value : mismatch(type)
    case "long":
      return typeof value === "bigint" ? value : mismatch(type)
    case "decimal":
      return typeof value === "bigint" ? unscaledText(value, type.scale) : mismatch(type)
    case "date":
      return typeof value === "number" ? dateText(value) : mismatch(type)
    case "time":
      return typeof value === "bigint" ? timeText(value * 1000n) : mismatch(type)
    case "timestamp":
      return typeof value === "bigint" ? timestampText(value * 1000n) : mismatch(type)
    case "timestamptz":
      return typeof value === "bigint" ? `${timestampText(value * 1000n)}+00:00` : mismatch(type)
    case "timestamp_ns":
      return typeof value === "bigint" ? timestampText(value) : mismatch(type)
    case "string":
    case "uuid":
      return typeof value === "string" ? value : mismatch(type)
    case "fixed":
    case "binary":
      return value instanceof Uint8Array ? hexOf(value) : mismatch(type)
  }
}

/** A value that is not of the type is a bug: it throws TypeError. NaN and infinities have no JSON. */
export const singleValueToJson = (type: Type, value: TypedValue): JsonValue => {
  if (value === null) return null
  if (!isNested(type)) {
    return typeof value === "object" && !(value instanceof Uint8Array) ? mismatch(type) : primitiveToJson(type, value)
  }
  if (typeof value !== "object" || value instanceof Uint8Array || value._tag !== type._tag) return mismatch(type)
  switch (type._tag) {
    case "list":
      return value._tag === "list"
        ? value.elements.map((each) => singleValueToJson(type.element, each))
        : mismatch(type)
    case "map": {
      const entries = value._tag === "map" ? value.entries : mismatch(type)
      return {
        keys: entries.map(([key]) => singleValueToJson(type.key, key)),
        values: entries.map(([, each]) => singleValueToJson(type.value, each))
      }
    }
    case "struct": {
      const fields = value._tag === "struct" ? value.fields : mismatch(type)
      const present = type.fields.flatMap((field) => {
        const own = fields.get(field.id)
        return own === undefined ? [] : [[String(field.id), singleValueToJson(field.type, own)] as const]
      })
      return Object.fromEntries(present)
    }
  }
}

const readDate = (text: string, where: string): number => {
  const [, sign = "", year, month, day] =
    /^([+-]?)(\d{4,6})-(\d{2})-(\d{2})$/.exec(text) ?? corrupt(where, "is no date")
  const [y, m, d] = [Number(`${sign}${year}`), Number(month), Number(day)]
  // setUTCFullYear, since the constructor takes years below 100 for those of the last century
  const date = new Date(0)
  date.setUTCFullYear(y, m - 1, d)
  const same = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d
  return same ? date.getTime() / dayMs : corrupt(where, "is no date")
}

/** Nanoseconds of a day; `digits` of a second at most. */
const readTime = (text: string, where: string, digits: number): bigint => {
  const [, hour, minute, second = "00", fraction = ""] =
    /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text) ?? corrupt(where, "is no time")
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  if (h > 23 || m > 59 || s > 59 || fraction.length > digits) return corrupt(where, "is no time")
  return BigInt(h * 3600 + m * 60 + s) * secondNanos + BigInt(fraction.padEnd(9, "0"))
}

const readTimestamp = (text: string, where: string, digits: number): bigint => {
  const [date = "", time, ...more] = text.split("T")
  if (time === undefined || more.length > 0) return corrupt(where, "is no timestamp")
  return BigInt(readDate(date, where)) * dayNanos + readTime(time, where, digits)
}

const readDecimal = (text: string, where: string, precision: number, scale: number): bigint => {
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? corrupt(where, "is no decimal")
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/, "")
  if (fraction.length !== scale || (digits !== "0" && digits.length > precision)) {
    return corrupt(where, "is no decimal of its type")
  }
  return BigInt(`${sign}${digits}`)
}

const readHex = (text: string, where: string): Uint8Array =>
  /^([0-9a-f]{2})*$/i.test(text) ? Uint8Array.from(Buffer.from(text, "hex")) : corrupt(where, "is no hexadecimal text")

const readUuid = (text: string, where: string): string => {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
  const bytes = isUuid ? uuidToBytes(text) : undefined
  return bytes === undefined ? corrupt(where, "is no uuid") : uuidFromBytes(bytes)
}

const readFloat = (value: JsonValue | undefined, where: string): number =>
  typeof value === "number" || typeof value === "bigint" ? Number(value) : corrupt(where, "expected a number")

const primitiveFromJson = (type: PrimitiveType, value: JsonValue | undefined, where: string): SingleValue => {
  switch (type._tag) {
    case "boolean":
      return readBoolean(value, where)
    case "int":
      return readInt(value, where)
    case "long":
      return readLong(value, where)
    case "float":
    case "double":
      return readFloat(value, where)
    case "decimal":
      return readDecimal(readString(value, where), where, type.precision, type.scale)
    case "date":
      return readDate(readString(value, where), where)
    case "time":
      return readTime(readString(value, where), where, 6) / 1000n
    case "timestamp":
      return readTimestamp(readString(value, where), where, 6) / 1000n
    case "timestamptz": {
      const text = readString(value, where)
      if (!text.endsWith("+00:00")) return corrupt(where, "is no timestamp in UTC (+00:00)")
      return readTimestamp(text.slice(0, -"+00:00".length), where, 6) / 1000n
    }
    case "timestamp_ns":
      return readTimestamp(readString(value, where), where, 9)
    case "string":
      return readString(value, where)
    case "uuid":
      return readUuid(readString(value, where), where)
    case "binary":
      return readHex(readString(value, where), where)
    case "fixed": {
      const bytes = readHex(readString(value, where), where)
      return bytes.length === type.length ? bytes : corrupt(where, `is not ${type.length} bytes long`)
    }
  }
}

const readField = (
  field: NestedField,
  object: JsonObject,
  where: string
): ReadonlyArray<readonly [number, TypedValue]> => {
  const value = object[String(field.id)]
  return value === undefined ? [] : [[field.id, singleValueFromJson(field.type, value, `${where}.${field.id}`)]]
}

/** Throws FormatError when it is no value of the type. Null is one of every type. */
export const singleValueFromJson = (type: Type, value: JsonValue | undefined, where: string): TypedValue => {
  if (value === null) return null
  if (!isNested(type)) return primitiveFromJson(type, value, where)
  switch (type._tag) {
    case "list": {
      const read = (each: JsonValue | undefined, at: string) => singleValueFromJson(type.element, each, at)
      return { _tag: "list", elements: readList(value, where, read) }
    }
    case "map": {
      const { keys, values } = readObject(value, where)
      const [k, v] = [
        readList(keys, `${where}.keys`, (each, at) => singleValueFromJson(type.key, each, at)),
        readList(values, `${where}.values`, (each, at) => singleValueFromJson(type.value, each, at))
      ]
      if (k.length !== v.length) corrupt(where, "has another number of keys than values")
      return { _tag: "map", entries: k.map((key, i) => [key, v[i]!]) }
    }
    case "struct": {
      const object = readObject(value, where)
      const known = new Set(type.fields.map(({ id }) => String(id)))
      const unknown = Object.keys(object).find((key) => !known.has(key))
      if (unknown !== undefined) corrupt(where, `has a field ${unknown} that its type has not`)
      return { _tag: "struct", fields: new Map(type.fields.flatMap((field) => readField(field, object, where))) }
    }
  }
}
