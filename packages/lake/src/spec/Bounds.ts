/**
 * Column bounds as manifests keep them: shortened as the column's metrics mode says, and never wrong.
 *
 * A lower bound may be less than the least value and an upper bound more than the greatest, never the reverse: a reader
 * drops files by them. Used by the Parquet writer; `widen…` rules follow the specification's "Notes" on metrics.
 */
import { singleValueToBytes, type SingleValue } from "./SingleValue.ts"
import type { PrimitiveType } from "./Type.ts"

const codePointMax = 0x10ffff

const truncateText = (text: string, lengthMax: number): string => {
  if (text.length <= lengthMax) return text
  return Array.from(text).slice(0, lengthMax).join("")
}

/** The least text of no more code points above all that start with `text`'s prefix; undefined when there is none. */
export const incrementText = (text: string): string | undefined => {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i] ?? 0
    if (point < codePointMax) {
      // UTF-8 has no surrogates: the code point after U+D7FF is U+E000.
      const next = point === 0xd7ff ? 0xe000 : point + 1
      return String.fromCodePoint(...points.slice(0, i), next)
    }
  }
  return undefined
}

const incrementBytes = (bytes: Uint8Array): Uint8Array | undefined => {
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes[i] ?? 0
    if (byte < 0xff) {
      const out = bytes.slice(0, i + 1)
      out[i] = byte + 1
      return out
    }
  }
  return undefined
}

const isFloating = (type: PrimitiveType): boolean => type._tag === "float" || type._tag === "double"

/**
 * Bytes for `lower_bounds`, or undefined when the column has no usable one (NaN). Text is cut to `boundLengthMax` code
 * points and binary to as many bytes. For float and double, a zero is widened to -0.0.
 */
export const lowerBound = (type: PrimitiveType, least: SingleValue, boundLengthMax: number): Uint8Array | undefined => {
  if (typeof least === "string" && type._tag === "string") {
    return singleValueToBytes(type, truncateText(least, boundLengthMax))
  }
  if (least instanceof Uint8Array && type._tag === "binary") return least.slice(0, boundLengthMax)
  if (typeof least === "number" && isFloating(type)) {
    if (Number.isNaN(least)) return undefined
    return singleValueToBytes(type, least === 0 ? -0 : least)
  }
  return singleValueToBytes(type, least)
}

/**
 * Bytes for `upper_bounds`, or undefined when the column has no usable one (NaN, or text that cannot be incremented).
 * Text that is cut is incremented, so that it stays above every value; a zero is widened to +0.0.
 */
export const upperBound = (
  type: PrimitiveType,
  greatest: SingleValue,
  boundLengthMax: number
): Uint8Array | undefined => {
  if (typeof greatest === "string" && type._tag === "string") {
    const cut = truncateText(greatest, boundLengthMax)
    const text = cut.length === greatest.length ? cut : incrementText(cut)
    return text === undefined ? undefined : singleValueToBytes(type, text)
  }
  if (greatest instanceof Uint8Array && type._tag === "binary") {
    return greatest.length <= boundLengthMax ? greatest : incrementBytes(greatest.subarray(0, boundLengthMax))
  }
  if (typeof greatest === "number" && isFloating(type)) {
    if (Number.isNaN(greatest)) return undefined
    return singleValueToBytes(type, greatest === 0 ? 0 : greatest)
  }
  return singleValueToBytes(type, greatest)
}
