/**
 * Single values as text: what DuckDB's casts take, and what people read in summaries of partitions.
 *
 * Pure. Dates and times are proleptic Gregorian, to the microsecond; a year before the first is written `0044 (BC)` as DuckDB
 * has it.
 */
import { unscaledText } from "@frazil/core"
import type { SingleValue } from "../../spec/SingleValue.ts"
import type { Transform } from "../../spec/Transform.ts"
import type { PrimitiveType } from "../../spec/Type.ts"

const dayMicros = 86_400_000_000n
const dayMs = 86_400_000

const padded = (value: number | bigint, digits: number): string => String(value).padStart(digits, "0")

/** Undefined beyond the range of JavaScript's dates: years of six digits. */
const dateParts = (days: number): { readonly date: string; readonly era: string } | undefined => {
  const date = new Date(days * dayMs)
  if (Number.isNaN(date.getTime())) return undefined
  const year = date.getUTCFullYear()
  const rest = `${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`
  return { date: `${padded(year > 0 ? year : 1 - year, 4)}-${rest}`, era: year > 0 ? "" : " (BC)" }
}

/** `nanos`: below a microsecond. */
const timeText = (micros: bigint, nanos = 0n): string => {
  const seconds = micros / 1_000_000n
  const fraction = micros % 1_000_000n
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => padded(part, 2)).join(":")
  if (nanos !== 0n) return `${clock}.${padded(fraction, 6)}${padded(nanos, 3)}`
  return fraction === 0n ? clock : `${clock}.${padded(fraction, 6)}`
}

const dateText = (days: number): string | undefined => {
  const parts = dateParts(days)
  return parts === undefined ? undefined : `${parts.date}${parts.era}`
}

const timestampText = (micros: bigint, between: string, nanos = 0n): string | undefined => {
  const inDay = ((micros % dayMicros) + dayMicros) % dayMicros
  const parts = dateParts(Number((micros - inDay) / dayMicros))
  return parts === undefined ? undefined : `${parts.date}${parts.era}${between}${timeText(inDay, nanos)}`
}

const nanosText = (value: SingleValue, between: string): string | undefined => {
  if (typeof value !== "bigint") return undefined
  const nanos = ((value % 1000n) + 1000n) % 1000n
  return timestampText((value - nanos) / 1000n, between, nanos)
}

/** Bytes as DuckDB casts them from text: `\x0a\xff`. */
export const blobText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")

/** A value of the type as text that DuckDB casts to the type; null where there is no such text. */
export const castText = (type: PrimitiveType, value: SingleValue): string | null => {
  switch (type._tag) {
    case "date":
      return dateText(Number(value)) ?? null
    case "time":
      return typeof value === "bigint" ? timeText(value) : null
    case "timestamp":
    case "timestamptz": {
      const text = typeof value === "bigint" ? timestampText(value, " ") : undefined
      return text === undefined ? null : `${text}${type._tag === "timestamp" ? "" : "+00"}`
    }
    case "timestamp_ns":
      return nanosText(value, " ") ?? null
    case "decimal":
      return typeof value === "bigint" ? unscaledText(value, type.scale) : null
    default:
      if (Object.is(value, -0)) return "-0.0"
      return value instanceof Uint8Array ? blobText(value) : String(value)
  }
}

/** A value of a partition field as people read it: `2026-06`, as Java and PyIceberg have it. */
export const partitionText = (transform: Transform, type: PrimitiveType, value: SingleValue): string => {
  switch (transform._tag) {
    case "year":
      return padded(1970 + Number(value), 4)
    case "month": {
      const months = Number(value)
      return `${padded(1970 + Math.floor(months / 12), 4)}-${padded((((months % 12) + 12) % 12) + 1, 2)}`
    }
    case "hour": {
      const hours = Number(value)
      const day = Math.floor(hours / 24)
      return `${dateText(day) ?? String(day)}-${padded(hours - day * 24, 2)}`
    }
    default:
      if (value instanceof Uint8Array) return Buffer.from(value).toString("base64")
      if (type._tag === "timestamp_ns") return nanosText(value, "T") ?? String(value)
      if (type._tag === "timestamp" || type._tag === "timestamptz") {
        const text = timestampText(BigInt(String(value)), "T")
        return text === undefined ? String(value) : `${text}${type._tag === "timestamp" ? "" : "+00:00"}`
      }
      return castText(type, value) ?? String(value)
  }
}
