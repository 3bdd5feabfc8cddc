/**
 * One value as bytes (specification, appendix D, "Binary single-value serialization"): bounds in manifests and manifest lists.
 *
 * The Parquet writer and the append action write bounds with it, the scan reads them to prune files.
 */
import { corrupt } from "./FormatError.ts"
import type { PrimitiveType } from "./Type.ts"

/**
 * A value in memory, by type: boolean → boolean · int, date (days since 1970), float, double → number ·
 * long, time, timestamp, timestamptz (microseconds), timestamp_ns (nanoseconds) → bigint · decimal → bigint, unscaled · string, uuid (lower case,
 * with hyphens) → string · fixed, binary → bytes.
 */
export type SingleValue = boolean | number | bigint | string | Uint8Array

const utf8 = new TextEncoder()
const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const mismatch = (type: PrimitiveType, value: SingleValue): never => {
  throw new TypeError(`a ${typeof value} is no value of type ${type._tag}`)
}

const fromView = (size: number, write: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(size)
  write(new DataView(bytes.buffer))
  return bytes
}

/** Two's complement, big-endian, in as few bytes as hold the value. */
export const bigintToBytes = (value: bigint): Uint8Array => {
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size++
  const bytes = new Uint8Array(size)
  let rest = value
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/** Reads two's complement, big-endian, of any length from 1. */
export const bigintFromBytes = (bytes: Uint8Array): bigint => {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

/** 16 bytes of a UUID's text, or undefined when it is none. */
export const uuidToBytes = (text: string): Uint8Array | undefined => {
  const digits = text.replaceAll("-", "")
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) return undefined
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16))
}

/** Text of 16 bytes: lower case, with hyphens. */
export const uuidFromBytes = (bytes: Uint8Array): string => {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

/** Serialises `value` of `type`. A value that is not of the type is a bug: it throws TypeError. */
export const singleValueToBytes = (type: PrimitiveType, value: SingleValue): Uint8Array => {
  switch (type._tag) {
    case "boolean":
      if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0)
      break
    case "int":
    case "date":
      if (typeof value === "number") return fromView(4, (view) => view.setInt32(0, value, true))
      break
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
      if (typeof value === "bigint") return fromView(8, (view) => view.setBigInt64(0, value, true))
      break
    case "float":
      if (typeof value === "number") return fromView(4, (view) => view.setFloat32(0, value, true))
      break
    case "double":
      if (typeof value === "number") return fromView(8, (view) => view.setFloat64(0, value, true))
      break
    case "decimal":
      if (typeof value === "bigint") return bigintToBytes(value)
      break
    case "string":
      if (typeof value === "string") return utf8.encode(value)
      break
    case "uuid": {
      const bytes = typeof value === "string" ? uuidToBytes(value) : undefined
      if (bytes !== undefined) return bytes
      break
    }
    case "fixed":
    case "binary":
      if (value instanceof Uint8Array) return value
      break
  }
  return mismatch(type, value)
}

/** Types that one of four bytes was promoted to, and what one of it is worth: int → long, date → timestamp, timestamp_ns. */
const promotedScale: ReadonlyMap<PrimitiveType["_tag"], bigint> = new Map<PrimitiveType["_tag"], bigint>([
  ["long", 1n],
  ["timestamp", 86_400_000_000n],
  ["timestamp_ns", 86_400_000_000_000n]
])

/**
 * Reads bytes written for `type`, or for a type that was promoted to it since (int → long, float → double, date → timestamp, a narrower
 * decimal). Throws FormatError when the length cannot be right or text is not UTF-8.
 */
export const singleValueFromBytes = (type: PrimitiveType, bytes: Uint8Array): SingleValue => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = bytes.length
  switch (type._tag) {
    case "boolean":
      if (size === 1) return bytes[0] !== 0
      break
    case "int":
    case "date":
      if (size === 4) return view.getInt32(0, true)
      break
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns": {
      if (size === 8) return view.getBigInt64(0, true)
      const scale = promotedScale.get(type._tag)
      if (size === 4 && scale !== undefined) return BigInt(view.getInt32(0, true)) * scale
      break
    }
    case "float":
      if (size === 4) return view.getFloat32(0, true)
      break
    case "double":
      if (size === 8) return view.getFloat64(0, true)
      if (size === 4) return view.getFloat32(0, true)
      break
    case "decimal":
      if (size > 0) return bigintFromBytes(bytes)
      break
    case "string":
      return textFromBytes(bytes)
    case "uuid":
      if (size === 16) return uuidFromBytes(bytes)
      break
    case "fixed":
    case "binary":
      return bytes
  }
  return corrupt("single value", `${size} bytes are no value of type ${type._tag}`)
}

const textFromBytes = (bytes: Uint8Array): string => {
  try {
    return utf8Strict.decode(bytes)
  } catch {
    return corrupt("single value", "text is not UTF-8")
  }
}
