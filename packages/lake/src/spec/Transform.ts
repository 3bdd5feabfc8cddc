/**
 * Partition transforms: from a column's value to a partition value (specification, "Partition Transforms").
 *
 * The writer places rows with them, the scan turns filters on columns into filters on partitions, and both must agree
 * with every other engine to the last bit.
 */
import { corrupt } from "./FormatError.ts"
import { murmur3 } from "./Murmur3.ts"
import { bigintToBytes, singleValueToBytes, type SingleValue } from "./SingleValue.ts"
import type { PrimitiveType } from "./Type.ts"

export type Transform =
  | { readonly _tag: "identity" | "year" | "month" | "day" | "hour" | "void" }
  | { readonly _tag: "bucket"; readonly buckets: number }
  | { readonly _tag: "truncate"; readonly width: number }
  /** Of a later version of the format: ignored by scans, refused by writers. */
  | { readonly _tag: "unknown"; readonly text: string }

const dayMicros = 86_400_000_000n
const hourMicros = 3_600_000_000n

const simple: ReadonlySet<string> = new Set(["identity", "year", "month", "day", "hour", "void"])

const isSimple = (text: string): text is "identity" | "year" | "month" | "day" | "hour" | "void" => simple.has(text)

/** The transform as specs write it: `day`, `bucket[16]`. */
export const transformToText = (transform: Transform): string => {
  switch (transform._tag) {
    case "bucket":
      return `bucket[${transform.buckets}]`
    case "truncate":
      return `truncate[${transform.width}]`
    case "unknown":
      return transform.text
    default:
      return transform._tag
  }
}

export const transformFromText = (text: string, where: string): Transform => {
  const name = text.toLowerCase()
  if (isSimple(name)) return { _tag: name }
  const match = /^(bucket|truncate)\[\s*(\d+)\s*\]$/.exec(name)
  if (match === null) return { _tag: "unknown", text }
  const size = Number(match[2])
  if (size < 1 || size > 0x7fffffff) corrupt(where, `no such transform: ${text}`)
  return match[1] === "bucket" ? { _tag: "bucket", buckets: size } : { _tag: "truncate", width: size }
}

const isTimestamp = ({ _tag }: PrimitiveType): boolean =>
  _tag === "timestamp" || _tag === "timestamptz" || _tag === "timestamp_ns"

/** The type of partition values, or undefined when the transform does not take columns of this type. */
export const transformResult = (transform: Transform, type: PrimitiveType): PrimitiveType | undefined => {
  switch (transform._tag) {
    case "identity":
    case "void":
      return type
    case "year":
    case "month":
      return isTimestamp(type) || type._tag === "date" ? { _tag: "int" } : undefined
    case "day":
      return isTimestamp(type) || type._tag === "date" ? { _tag: "date" } : undefined
    case "hour":
      return isTimestamp(type) ? { _tag: "int" } : undefined
    case "bucket":
      return ["boolean", "float", "double"].includes(type._tag) ? undefined : { _tag: "int" }
    case "truncate":
      return ["int", "long", "decimal", "string", "binary"].includes(type._tag) ? type : undefined
    case "unknown":
      return undefined
  }
}

const floorDivide = (a: bigint, b: bigint): bigint => {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

/** Nanoseconds as microseconds (specification, appendix B: they are hashed as such): every transform but identity counts by those. */
const inMicros = (type: PrimitiveType, value: SingleValue): SingleValue =>
  type._tag === "timestamp_ns" && typeof value === "bigint" ? floorDivide(value, 1000n) : value

/** Months since January 1970 of a day since 1970, proleptic Gregorian, without Date and its range. */
const monthsOfDay = (day: number): number => {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
  return (year - 1970) * 12 + month
}

/** Days since 1970 of a date (already days) or a timestamp in microseconds. */
const dayOf = (value: SingleValue): number =>
  typeof value === "bigint" ? Number(floorDivide(value, dayMicros)) : Number(value)

const truncate = (width: number, value: SingleValue): SingleValue => {
  switch (typeof value) {
    case "number":
      return value - (((value % width) + width) % width)
    case "bigint": {
      const by = BigInt(width)
      return value - (((value % by) + by) % by)
    }
    case "string":
      return value.length <= width ? value : Array.from(value).slice(0, width).join("")
    case "object":
      return value.slice(0, width)
    default:
      return value
  }
}

/** The 32-bit hash behind `bucket`: signed, before the sign bit is dropped. */
export const bucketHash = (type: PrimitiveType, value: SingleValue): number => {
  switch (type._tag) {
    case "decimal":
      return murmur3(bigintToBytes(typeof value === "bigint" ? value : 0n))
    case "int":
    case "date":
      // Integers hash as longs, so that a promotion changes no bucket.
      return murmur3(singleValueToBytes({ _tag: "long" }, BigInt(Number(value))))
    case "timestamp_ns":
      return murmur3(singleValueToBytes({ _tag: "long" }, inMicros(type, value)))
    default:
      return murmur3(singleValueToBytes(type, value))
  }
}

/**
 * The partition value of a column's value; null gives null. The transform must take the type (`transformResult`), and an
 * unknown transform has no value: both are bugs of the caller.
 */
export const applyTransform = (
  transform: Transform,
  type: PrimitiveType,
  value: SingleValue | null
): SingleValue | null => {
  if (value === null) return null
  switch (transform._tag) {
    case "identity":
      return value
    case "void":
      return null
    case "year":
      return Math.floor(monthsOfDay(dayOf(inMicros(type, value))) / 12)
    case "month":
      return monthsOfDay(dayOf(inMicros(type, value)))
    case "day":
      return dayOf(inMicros(type, value))
    case "hour": {
      const micros = inMicros(type, value)
      return Number(floorDivide(typeof micros === "bigint" ? micros : 0n, hourMicros))
    }
    case "bucket":
      return (bucketHash(type, value) & 0x7fffffff) % transform.buckets
    case "truncate":
      return truncate(transform.width, value)
    case "unknown":
      throw new TypeError(`transform ${transform.text} is not known`)
  }
}
