/**
 * Keys as bytes whose order is that of the strings: each UTF-16 code unit in the form that UTF-8 has for it (CESU-8).
 *
 * So half a surrogate pair is a key like others, and for ASCII the bytes are the characters. `hashKey` gives what the filters of
 * segments are asked by.
 */

/** Bytes that the key may need. */
export const keyBytesMax = (key: string): number => key.length * 3

/** Writes the key at `at`, where there must be room; where it ends. */
export const writeKey = (key: string, into: Uint8Array, at: number): number => {
  let end = at
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index)
    if (unit < 0x80) into[end++] = unit
    else if (unit < 0x800) {
      into[end++] = 0xc0 | (unit >> 6)
      into[end++] = 0x80 | (unit & 0x3f)
    } else {
      into[end++] = 0xe0 | (unit >> 12)
      into[end++] = 0x80 | ((unit >> 6) & 0x3f)
      into[end++] = 0x80 | (unit & 0x3f)
    }
  }
  return end
}

const unitsAtOnce = 4096

/** The key that `writeKey` wrote to `[from, to)`. */
export const readKey = (bytes: Uint8Array, from: number, to: number): string => {
  let text = ""
  const units: Array<number> = []
  for (let at = from; at < to;) {
    const lead = bytes[at]!
    if (lead < 0x80) {
      units.push(lead)
      at += 1
    } else if (lead < 0xe0) {
      units.push(((lead & 0x1f) << 6) | (bytes[at + 1]! & 0x3f))
      at += 2
    } else {
      units.push(((lead & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f))
      at += 3
    }
    if (units.length === unitsAtOnce) {
      text += String.fromCharCode(...units)
      units.length = 0
    }
  }
  return text + String.fromCharCode(...units)
}

/** Negative, zero or positive, as the key in `[aFrom, aTo)` lies before, at or behind the other. */
export const compareKeys = (
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number
): number => {
  const aLength = aTo - aFrom
  const bLength = bTo - bFrom
  const least = aLength < bLength ? aLength : bLength
  for (let index = 0; index < least; index++) {
    const difference = a[aFrom + index]! - b[bFrom + index]!
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** How many bytes all of the keys begin with. */
export const sharedPrefix = (keys: ReadonlyArray<Uint8Array>): number => {
  const [first = new Uint8Array(0), ...others] = keys
  let shared = first.length
  for (const key of others) {
    let at = 0
    while (at < shared && key[at] === first[at]) at++
    shared = at
  }
  return shared
}

const rankBytes = 6

/**
 * The first bytes behind `skipped` as a number: of two keys that are equal before it, the one of the smaller rank lies first.
 * Where ranks are equal, only the keys themselves tell.
 */
export const rankOf = (bytes: Uint8Array, from: number, to: number, skipped: number): number => {
  const at = from + skipped
  if (at + rankBytes <= to)
    return (
      ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) * 0x100_0000 +
      ((bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!)
    )
  let rank = 0
  for (let byte = 0; byte < rankBytes; byte++) rank = rank * 256 + (at + byte < to ? bytes[at + byte]! : 0)
  return rank
}

/** Two hashes of 32 bits that are made in one pass. */
export interface KeyHash {
  line: number
  bits: number
}

export const hashKey = (bytes: Uint8Array, from: number, to: number, into: KeyHash): void => {
  let a = 0x9e3779b9 ^ (to - from)
  let b = 0x85ebca6b
  for (let at = from; at < to; at++) {
    a = Math.imul(a ^ bytes[at]!, 0x01000193)
    b = Math.imul(b ^ a, 0xcc9e2d51)
    b ^= b >>> 15
  }
  a ^= b >>> 16
  a = Math.imul(a, 0x85ebca6b)
  a ^= a >>> 13
  b = Math.imul(b, 0xc2b2ae35)
  b ^= b >>> 16
  into.line = a >>> 0
  into.bits = b >>> 0
}
