/**
 * Finds where a JSON value ends, in bytes, and checks on the way that it is one: for fields that a schema does not name, and
 * for values that the scanner does not read by itself.
 *
 * What it lets through, `JSON.parse` takes (RFC 8259) and is UTF-8; −1 for everything else. It reads no byte of a string, and
 * begins no value, at or beyond `end`; a number may reach beyond it.
 */
import { nestingMax } from "./JsonMembers.ts"
import { afterBlanks, afterCharacter, hexBytes, plainBytes } from "./ScanBytes.ts"

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a

const digitAt = (bytes: Uint8Array, at: number): boolean => bytes[at]! >= 0x30 && bytes[at]! <= 0x39

const afterDigits = (bytes: Uint8Array, at: number): number => {
  let position = at
  while (digitAt(bytes, position)) position++
  return position
}

/** After the escape whose backslash is at a position. */
const afterEscape = (bytes: Uint8Array, at: number): number => {
  switch (bytes[at + 1]) {
    case quote:
    case backslash:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2
    case 0x75: // u
      for (let digit = at + 2; digit < at + 6; digit++) if (hexBytes[bytes[digit]!] !== 1) return -1
      return at + 6
    default:
      return -1
  }
}

/** After the string whose quote is at a position. */
const afterString = (bytes: Uint8Array, at: number, end: number): number => {
  let position = at + 1
  while (position >= 0 && position < end) {
    const byte = bytes[position]!
    if (plainBytes[byte] === 1) position++
    else if (byte === quote) return position + 1
    else position = byte === backslash ? afterEscape(bytes, position) : afterCharacter(bytes, position)
  }
  return -1
}

const afterNumber = (bytes: Uint8Array, at: number): number => {
  let position = bytes[at] === 0x2d ? at + 1 : at
  if (!digitAt(bytes, position)) return -1
  position = bytes[position] === 0x30 ? position + 1 : afterDigits(bytes, position)
  if (bytes[position] === 0x2e) {
    const fraction = position + 1
    position = afterDigits(bytes, fraction)
    if (position === fraction) return -1
  }
  if (bytes[position] === 0x65 || bytes[position] === 0x45) {
    const exponent = bytes[position + 1] === 0x2b || bytes[position + 1] === 0x2d ? position + 2 : position + 1
    position = afterDigits(bytes, exponent)
    if (position === exponent) return -1
  }
  return position
}

const afterWord = (bytes: Uint8Array, at: number, word: string): number => {
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word.charCodeAt(index)) return -1
  return at + word.length
}

/** After the array or object that opens at a position. */
const afterNested = (bytes: Uint8Array, at: number, end: number, depth: number, named: boolean): number => {
  // the bound of the slow path, which refuses deeper records as a whole
  if (depth > nestingMax) return -1
  const closing = named ? 0x7d : 0x5d
  let position = afterBlanks(bytes, at + 1)
  if (bytes[position] === closing) return position + 1
  for (;;) {
    if (named) {
      if (bytes[position] !== quote) return -1
      position = afterString(bytes, position, end)
      if (position < 0) return -1
      position = afterBlanks(bytes, position)
      if (bytes[position] !== colon) return -1
      position = afterBlanks(bytes, position + 1)
    }
    position = afterJson(bytes, position, end, depth)
    if (position < 0) return -1
    position = afterBlanks(bytes, position)
    if (bytes[position] === closing) return position + 1
    if (bytes[position] !== comma) return -1
    position = afterBlanks(bytes, position + 1)
  }
}

/** After the value at a position, which stands within `depth` arrays and objects. */
export const afterJson = (bytes: Uint8Array, at: number, end: number, depth: number): number => {
  if (at >= end) return -1
  switch (bytes[at]) {
    case quote:
      return afterString(bytes, at, end)
    case 0x7b:
      return afterNested(bytes, at, end, depth + 1, true)
    case 0x5b:
      return afterNested(bytes, at, end, depth + 1, false)
    case 0x74:
      return afterWord(bytes, at, "true")
    case 0x66:
      return afterWord(bytes, at, "false")
    case 0x6e:
      return afterWord(bytes, at, "null")
    default:
      return afterNumber(bytes, at)
  }
}
