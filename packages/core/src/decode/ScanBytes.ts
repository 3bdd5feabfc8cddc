/**
 * What the generated scanner calls for the longer pieces of a record: texts, times, formats.
 *
 * Each function reads from a position and returns the position after what it read, or −1 to give up. They may read beyond
 * the record, whose end the scanner checks last; beyond the buffer they read `undefined`, which no test accepts.
 */
import { CalendarDate } from "../CalendarDate.ts"
import { daysFromCivil, timestampEndMs } from "../Timestamp.ts"

const table = (accepts: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => +accepts(byte))

/** 1 for the bytes that stand for themselves in a JSON string: ASCII but quotes, backslashes and control characters. */
export const plainBytes = table((byte) => byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c)

/** 1 for the bytes of hexadecimal digits. */
export const hexBytes = table((byte) => /^[0-9a-fA-F]$/.test(String.fromCharCode(byte)))

const continuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** After one character of two to four bytes; −1 when it is not well-formed UTF-8 (Unicode 16, table 3-7). */
export const afterCharacter = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  const second = bytes[at + 1]!
  if (first >= 0xc2 && first <= 0xdf) return continuation(second) ? at + 2 : -1
  if (first >= 0xe0 && first <= 0xef) {
    const lowest = first === 0xe0 ? 0xa0 : 0x80
    const highest = first === 0xed ? 0x9f : 0xbf
    return second >= lowest && second <= highest && continuation(bytes[at + 2]) ? at + 3 : -1
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const lowest = first === 0xf0 ? 0x90 : 0x80
    const highest = first === 0xf4 ? 0x8f : 0xbf
    const fits = second >= lowest && second <= highest && continuation(bytes[at + 2]) && continuation(bytes[at + 3])
    return fits ? at + 4 : -1
  }
  return -1
}

/** The closing quote of a string, from a byte in it that is not plain; −1 on an escape, a control character or bad UTF-8. */
export const textEnd = (bytes: Uint8Array, at: number): number => {
  let position = at
  while (bytes[position] !== 0x22) {
    if (plainBytes[bytes[position]!] === 1) {
      position++
      continue
    }
    position = afterCharacter(bytes, position)
    if (position < 0) return -1
  }
  return position
}

/** A table by two bytes, read as one little-endian number. Made by a function: a loop of a module would be compiled with all of it. */
const pairs = (otherwise: number, write: (table: Uint8Array) => void): Uint8Array => {
  const table = new Uint8Array(65_536).fill(otherwise)
  write(table)
  return table
}

/** 1 for two hexadecimal digits, read as one little-endian number. */
const hexPairs = pairs(0, (table) => {
  const digits = Array.from("0123456789abcdefABCDEF", (digit) => digit.charCodeAt(0))
  for (const low of digits) for (const high of digits) table[low + (high << 8)] = 1
})

/** Whether a UUID stands in the 36 bytes from `at`, which must be within the buffer. */
export const uuidAt = (view: DataView, at: number): boolean =>
  (hexPairs[view.getUint16(at, true)]! &
    hexPairs[view.getUint16(at + 2, true)]! &
    hexPairs[view.getUint16(at + 4, true)]! &
    hexPairs[view.getUint16(at + 6, true)]! &
    hexPairs[view.getUint16(at + 9, true)]! &
    hexPairs[view.getUint16(at + 11, true)]! &
    hexPairs[view.getUint16(at + 14, true)]! &
    hexPairs[view.getUint16(at + 16, true)]! &
    hexPairs[view.getUint16(at + 19, true)]! &
    hexPairs[view.getUint16(at + 21, true)]! &
    hexPairs[view.getUint16(at + 24, true)]! &
    hexPairs[view.getUint16(at + 26, true)]! &
    hexPairs[view.getUint16(at + 28, true)]! &
    hexPairs[view.getUint16(at + 30, true)]! &
    hexPairs[view.getUint16(at + 32, true)]! &
    hexPairs[view.getUint16(at + 34, true)]!) ===
    1 &&
  view.getUint8(at + 8) === 0x2d &&
  view.getUint8(at + 13) === 0x2d &&
  view.getUint8(at + 18) === 0x2d &&
  view.getUint8(at + 23) === 0x2d

/** Whether `bytes[at, end)` is an IPv4 address: four numbers up to 255 without leading zeros. */
export const ipv4At = (bytes: Uint8Array, at: number, end: number): boolean => {
  let parts = 0
  let position = at
  while (position < end) {
    const start = position
    let value = 0
    for (; position < end && position - start < 3 && digit(bytes, position) <= 9; position++) {
      value = value * 10 + digit(bytes, position)
    }
    const width = position - start
    if (width === 0 || value > 255 || (width > 1 && bytes[start] === 0x30)) return false
    parts++
    if (position === end) return parts === 4
    if (bytes[position++] !== 0x2e) return false
  }
  return false
}

/** The digit at a position; 10 when there is none, also beyond the buffer. */
const digit = (bytes: Uint8Array, at: number): number => {
  const value = bytes[at]! - 48
  return value >= 0 && value <= 9 ? value : 10
}

/** The position of the first byte from `at` that is no blank of JSON. */
export const afterBlanks = (bytes: Uint8Array, at: number): number => {
  let position = at
  for (let byte = bytes[position]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
    byte = bytes[++position]
  }
  return position
}

/** The position after the exponent at `at`, which is `at` when there is none. One without digits makes the number NaN. */
export const exponentEnd = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at
  let position = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d ? at + 2 : at + 1
  while (digit(bytes, position) <= 9) position++
  return position
}

/** The longest number read as text: a double never needs more. */
const numberCharactersMax = 64

/** The number whose JSON text is `bytes[start, end)`; NaN when it is none, or very long. */
export const numberIn = (bytes: Uint8Array, start: number, end: number): number => {
  if (end - start > numberCharactersMax) return Number.NaN
  let text = ""
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!)
  return Number(text)
}

/** The number of two digits by their bytes, read as one little-endian number; 100 when they are not two digits. */
const digitPairs = pairs(100, (table) => {
  for (let number = 0; number < 100; number++) {
    const tens = Math.floor(number / 10)
    table[0x3030 + tens + ((number - tens * 10) << 8)] = number
  }
})

/** The number of two digits; 100 when there are not two. Beyond the buffer stand no digits. */
const twoDigits = (bytes: Uint8Array, at: number): number => digitPairs[bytes[at]! | (bytes[at + 1]! << 8)]!

// records of a batch mostly fall on one date
let lastDate = -1
let lastDays = Number.NaN

/** Days since 1970 of the `YYYY-MM-DD` at a position; NaN when there is none. */
const daysAt = (bytes: Uint8Array, at: number): number => {
  const century = twoDigits(bytes, at)
  const year = twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  const separated = bytes[at + 4] === 0x2d && bytes[at + 7] === 0x2d
  if (!separated || century > 99 || year > 99 || month > 12 || day > 31) return Number.NaN
  const date = ((century * 100 + year) * 100 + month) * 100 + day
  if (date !== lastDate) {
    lastDays = daysFromCivil(century * 100 + year, month, day)
    lastDate = date
  }
  return lastDays
}

/** Milliseconds of the offset (`Z`, `+01:00`) at a position; NaN when there is none. */
const offsetMsAt = (bytes: Uint8Array, at: number): number => {
  const sign = bytes[at]
  if (sign === 0x5a) return 0
  const hours = twoDigits(bytes, at + 1)
  const minutes = twoDigits(bytes, at + 4)
  if ((sign !== 0x2b && sign !== 0x2d) || bytes[at + 3] !== 0x3a || hours > 23 || minutes > 59) return Number.NaN
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

// and of a minute: the text of the last one that was read, as two doubles, and when it began
let minuteText = Number.NaN
let minuteRest = Number.NaN
let minuteMs = Number.NaN

/** When the minute of the `YYYY-MM-DDTHH:MM` at a position began, as if in UTC; NaN when there is none. */
const minuteMsAt = (bytes: Uint8Array, view: DataView, at: number): number => {
  const whole = at + minuteBytes <= view.byteLength
  // no text of a minute is a NaN
  if (whole && view.getFloat64(at, true) === minuteText && view.getFloat64(at + 8, true) === minuteRest) return minuteMs
  const days = daysAt(bytes, at)
  const hour = twoDigits(bytes, at + 11)
  const minute = twoDigits(bytes, at + 14)
  if (bytes[at + 10] !== 0x54 || bytes[at + 13] !== 0x3a || hour > 23 || minute > 59) return Number.NaN
  const ms = days * 86_400_000 + hour * 3_600_000 + minute * 60_000
  if (whole && !Number.isNaN(ms)) {
    minuteText = view.getFloat64(at, true)
    minuteRest = view.getFloat64(at + 8, true)
    minuteMs = ms
  }
  return ms
}
const minuteBytes = 16

/** Reads the quoted timestamp at `at` into `values[row]`; `view` is of the same bytes. */
export const timestampAt = (
  bytes: Uint8Array,
  view: DataView,
  at: number,
  values: Float64Array,
  row: number
): number => {
  const startMs = minuteMsAt(bytes, view, at + 1)
  const second = twoDigits(bytes, at + 18)
  if (bytes[at] !== 0x22 || bytes[at + 17] !== 0x3a || second > 59) return -1
  let position = at + 20
  let micros = 0
  const hundredths = twoDigits(bytes, at + 21)
  const thousandth = digit(bytes, at + 23)
  if (bytes[position] === 0x2e && hundredths <= 99 && thousandth <= 9 && bytes[at + 24] === 0x5a) {
    // milliseconds in UTC, as most have it
    const ms = startMs + second * 1000 + hundredths * 10 + thousandth
    if (!(ms < timestampEndMs && ms > -timestampEndMs) || bytes[at + 25] !== 0x22) return -1
    values[row] = ms
    return at + 26
  }
  if (bytes[position] === 0x2e) {
    const start = ++position
    let unit = 100_000
    for (let value = digit(bytes, position); value <= 9; value = digit(bytes, ++position)) {
      // further digits than six are cut off
      micros += value * unit
      unit = (unit / 10) | 0
      if (position - start > 32) return -1
    }
    if (position === start) return -1
  }
  const offsetMs = offsetMsAt(bytes, position)
  position += bytes[position] === 0x5a ? 1 : 6
  const wholeMs = (micros / 1000) | 0
  const ms = startMs + second * 1000 - offsetMs + wholeMs
  // also refuses NaN, from a date or an offset that is none
  if (!(ms < timestampEndMs && ms > -timestampEndMs) || bytes[position] !== 0x22) return -1
  values[row] = ms + (micros - wholeMs * 1000) / 1000
  return position + 1
}

/** Reads the quoted date at `at` into `values[row]`. */
export const dateAt = (bytes: Uint8Array, at: number, values: Float64Array, row: number): number => {
  const days = daysAt(bytes, at + 1)
  if (bytes[at] !== 0x22 || bytes[at + 11] !== 0x22 || !CalendarDate.isCalendarDate(days)) return -1
  values[row] = days
  return at + 12
}
