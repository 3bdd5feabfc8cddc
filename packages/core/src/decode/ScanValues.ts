/**
 * Reads single values of records where they stand: what generated scanners call for numbers and texts.
 *
 * Functions of their own, shared by all fields of all topics: generated for each field, they cost more to compile than they
 * save. Each reads at a position into `values[row]` (or the range of a text) and returns the position after what it read, −1
 * when it found anything but what it looks for.
 */
import { numberDigitsMax } from "../schema/FieldValue.ts"
import { exponentEnd, ipv4At, numberIn, plainBytes, textEnd } from "./ScanBytes.ts"

const tens = Float64Array.from({ length: 39 }, (_, exponent) => Number(`1e${exponent}`))

/** The text at a position, of at most `lengthMax` bytes. */
export const textAt = (
  bytes: Uint8Array,
  at: number,
  starts: Int32Array,
  ends: Int32Array,
  row: number,
  lengthMax: number
): number => {
  if (bytes[at] !== 0x22) return -1
  const start = at + 1
  let end = start
  while (plainBytes[bytes[end]!] === 1) end++
  if (bytes[end] !== 0x22) end = textEnd(bytes, end)
  if (end < 0 || end - start > lengthMax) return -1
  starts[row] = start
  ends[row] = end
  return end + 1
}

export const ipv4TextAt = (
  bytes: Uint8Array,
  at: number,
  starts: Int32Array,
  ends: Int32Array,
  row: number
): number => {
  const after = textAt(bytes, at, starts, ends, row, 15)
  return after < 0 || !ipv4At(bytes, at + 1, after - 1) ? -1 : after
}

// what `digitsAt` read: all digits as one number, how many of them are fraction, how many there are
let mantissa = 0
let fraction = 0
let digits = 0

/** The digit at a position; more than 9 when there is none, also beyond the buffer. */
const digitAt = (bytes: Uint8Array, at: number): number => bytes[at]! ^ 0x30

/** So many digits are a number of 32 bits, whichever they are. */
const smallDigits = 9

/** After the digits of a number, which its sign stands before; −1 when they are none. */
const digitsAt = (bytes: Uint8Array, at: number): number => {
  let digit = digitAt(bytes, at)
  if (digit > 9) return -1
  let read = digit
  let position = at + 1
  digit = digitAt(bytes, position)
  if (read > 0) {
    for (; digit <= 9; digit = digitAt(bytes, ++position)) read = (read * 10 + digit) | 0
  }
  let count = position - at
  let behind = 0
  if (digit === pointDigit) {
    const begin = ++position
    for (digit = digitAt(bytes, begin); digit <= 9; digit = digitAt(bytes, ++position)) read = (read * 10 + digit) | 0
    behind = position - begin
    if (behind === 0) return -1
    count += behind
  }
  digits = count
  fraction = behind
  mantissa = count > smallDigits ? largeMantissa(bytes, at, position) : read
  return position
}

/** What `digitAt` makes of a decimal point. */
const pointDigit = 0x2e ^ 0x30

/** Of digits that do not fit 32 bits, and a point perhaps among them. */
const largeMantissa = (bytes: Uint8Array, start: number, end: number): number => {
  let read = 0
  for (let at = start; at < end; at++) if (bytes[at] !== 0x2e) read = read * 10 + digitAt(bytes, at)
  return read
}

/** A decimal, as a number or a text, unscaled; over 0 if `positive`. */
export const decimalAt = (
  bytes: Uint8Array,
  at: number,
  values: Float64Array,
  row: number,
  scale: number,
  max: number,
  positive: boolean
): number => {
  const quoted = bytes[at] === 0x22
  const first = quoted ? at + 1 : at
  const negative = bytes[first] === 0x2d
  let position = digitsAt(bytes, negative ? first + 1 : first)
  if (position < 0 || digits > numberDigitsMax || fraction > scale) return -1
  if (quoted && bytes[position++] !== 0x22) return -1
  const unscaled = mantissa * tens[scale - fraction]!
  if (unscaled > max || (positive && (negative || unscaled === 0))) return -1
  values[row] = negative ? 0 - unscaled : unscaled
  return position
}

export const intAt = (
  bytes: Uint8Array,
  at: number,
  values: Float64Array,
  row: number,
  min: number,
  max: number
): number => {
  const negative = bytes[at] === 0x2d
  const position = digitsAt(bytes, negative ? at + 1 : at)
  if (position < 0 || fraction > 0 || digits > numberDigitsMax) return -1
  const value = negative ? 0 - mantissa : mantissa
  if (value < min || value > max) return -1
  values[row] = value
  return position
}

/** Fifteen digits over a power of ten divide exactly as the number's text reads; longer ones are read as text. */
export const doubleAt = (
  bytes: Uint8Array,
  at: number,
  values: Float64Array,
  row: number,
  min: number,
  max: number
): number => {
  const negative = bytes[at] === 0x2d
  let position = digitsAt(bytes, negative ? at + 1 : at)
  if (position < 0) return -1
  let value = mantissa / tens[fraction]!
  if (negative) value = 0 - value
  if (digits > numberDigitsMax || bytes[position] === 0x65 || bytes[position] === 0x45) {
    position = exponentEnd(bytes, position)
    value = numberIn(bytes, at, position) + 0
  }
  if (!(value >= min && value <= max)) return -1
  values[row] = value
  return position
}
