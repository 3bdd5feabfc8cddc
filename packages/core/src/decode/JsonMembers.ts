/**
 * Finds the members of a JSON object in its text, so that values can be kept as they were written.
 *
 * The slow path uses it for decimals (a double may not hold their digits), nested values and unknown fields. It reads text
 * that `JSON.parse` accepted: only then does its bracket counting hold.
 */

/** Levels of arrays and objects that a record may nest. Deeper ones are refused before anything recurses into them. */
export const nestingMax = 128

const quote = 0x22
const backslash = 0x5c

/** The position after the string that begins at `at`. */
const afterString = (text: string, at: number): number => {
  let position = at + 1
  while (position < text.length) {
    const unit = text.charCodeAt(position)
    if (unit === quote) return position + 1
    position += unit === backslash ? 2 : 1
  }
  return position
}

const opens = (unit: number) => unit === 0x5b || unit === 0x7b
const closes = (unit: number) => unit === 0x5d || unit === 0x7d
const blank = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09

/** Whether brackets outside of strings nest deeper than `nestingMax`; for any text, JSON or not. */
export const nestsTooDeep = (text: string): boolean => {
  let depth = 0
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at)
    if (unit === quote) {
      at = afterString(text, at)
      continue
    }
    if (opens(unit) && ++depth > nestingMax) return true
    if (closes(unit)) depth--
    at++
  }
  return false
}

/** The position of the `,` or bracket that ends the value at `at`. */
const afterValue = (text: string, at: number): number => {
  let depth = 0
  for (let position = at; position < text.length;) {
    const unit = text.charCodeAt(position)
    if (unit === quote) {
      position = afterString(text, position)
      continue
    }
    if (depth === 0 && (unit === 0x2c || closes(unit))) return position
    if (opens(unit)) depth++
    if (closes(unit)) depth--
    position++
  }
  return text.length
}

const afterBlanks = (text: string, at: number): number => {
  let position = at
  while (blank(text.charCodeAt(position))) position++
  return position
}

/** The value of a JSON string; most have no escapes. */
const stringValue = (text: string): string =>
  // a string of JSON that was parsed before
  text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1)

/** The members of an object by name, each with its value's text. Of members with one name the last counts, as in `JSON.parse`. */
export const jsonMembers = (text: string): Map<string, string> => {
  const members = new Map<string, string>()
  let at = afterBlanks(text, afterBlanks(text, 0) + 1)
  while (text.charCodeAt(at) === quote) {
    const nameEnd = afterString(text, at)
    const name = stringValue(text.slice(at, nameEnd))
    const valueStart = afterBlanks(text, afterBlanks(text, nameEnd) + 1)
    const valueEnd = afterValue(text, valueStart)
    members.set(name, text.slice(valueStart, valueEnd).trimEnd())
    at = afterBlanks(text, valueEnd + 1)
  }
  return members
}
