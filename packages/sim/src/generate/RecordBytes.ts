/**
 * Writes ASCII JSON into one reused buffer: the generator's innermost loops, without a string per record.
 *
 * Only Transactions uses it. Nothing checks for room: the caller's longest record must fit `recordBytesMax`.
 */

/** The longest record that fits. */
const recordBytesMax = 1_024

const hexDigits = new TextEncoder().encode("0123456789abcdef")
const zero = 48

/** The buffer and how much of it is written. Valid until the next `clear`. */
export interface RecordBytes {
  readonly bytes: Uint8Array
  readonly length: () => number
  readonly clear: () => void
  /** Shortens what was written to `length` bytes. */
  readonly cut: (length: number) => void
  readonly segment: (segment: Uint8Array) => void
  /** The low `digits` hexadecimal digits of an unsigned 32-bit number. */
  readonly hex: (value: number, digits: number) => void
  /** A whole number in [0, 10^digits) with leading zeros. */
  readonly padded: (value: number, digits: number) => void
  /** A whole number of 0 or more hundredths as a decimal with two fraction digits. */
  readonly hundredths: (value: number) => void
  /** A number with five fraction digits. */
  readonly coordinate: (value: number) => void
}

export const makeRecordBytes = (): RecordBytes => {
  const bytes = new Uint8Array(recordBytesMax)
  let at = 0
  const padded = (value: number, digits: number) => {
    let rest = value
    for (let place = at + digits - 1; place >= at; place--) {
      const next = Math.floor(rest / 10)
      bytes[place] = zero + (rest - next * 10)
      rest = next
    }
    at += digits
  }
  const whole = (value: number) => {
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    padded(value, digits)
  }
  const symbol = (character: string) => {
    bytes[at++] = character.charCodeAt(0)
  }
  return {
    bytes,
    length: () => at,
    clear: () => {
      at = 0
    },
    cut: (length) => {
      at = length
    },
    segment: (segment) => {
      const length = segment.length
      for (let index = 0; index < length; index++) bytes[at + index] = segment[index]!
      at += length
    },
    hex: (value, digits) => {
      for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) bytes[at++] = hexDigits[(value >>> shift) & 15]!
    },
    padded,
    hundredths: (value) => {
      const units = Math.floor(value / 100)
      whole(units)
      symbol(".")
      padded(value - units * 100, 2)
    },
    coordinate: (value) => {
      if (value < 0) symbol("-")
      const scaled = Math.round(Math.abs(value) * 100_000)
      const degrees = Math.floor(scaled / 100_000)
      whole(degrees)
      symbol(".")
      padded(scaled - degrees * 100_000, 5)
    }
  }
}
