/** The least and the greatest of byte strings, by unsigned bytes: the order of UTF-8 text by code points, and of UUIDs. */

/** Less than, equal to or greater than 0, as the one is to the other. */
const compare = (
  left: Uint8Array,
  start: number,
  length: number,
  right: Uint8Array,
  rightStart: number,
  rightLength: number
): number => {
  const shared = length < rightLength ? length : rightLength
  for (let i = 0; i < shared; i++) {
    const difference = left[start + i]! - right[rightStart + i]!
    if (difference !== 0) return difference
  }
  return length - rightLength
}

/** Bytes of its own, so that what they came from may go. */
class Kept {
  bytes = new Uint8Array(64)
  length = 0

  keep(from: Uint8Array, start: number, length: number): void {
    if (length > this.bytes.length) this.bytes = new Uint8Array(length * 2)
    this.bytes.set(from.subarray(start, start + length))
    this.length = length
  }
}

export class ByteExtremes {
  private readonly least = new Kept()
  private readonly greatest = new Kept()
  private any = false

  clear(): void {
    this.any = false
  }

  note(bytes: Uint8Array, start: number, length: number): void {
    const { greatest, least } = this
    if (!this.any) {
      this.any = true
      least.keep(bytes, start, length)
      greatest.keep(bytes, start, length)
    } else if (compare(bytes, start, length, greatest.bytes, 0, greatest.length) > 0)
      greatest.keep(bytes, start, length)
    else if (compare(bytes, start, length, least.bytes, 0, least.length) < 0) least.keep(bytes, start, length)
  }

  /** Undefined when nothing was noted. Copies. */
  get values(): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
    if (!this.any) return undefined
    const { greatest, least } = this
    return { min: least.bytes.slice(0, least.length), max: greatest.bytes.slice(0, greatest.length) }
  }
}

/** The same among values that lie in one piece of memory, told by their places: ids that ascend are not copied each time. */
export class PlacedExtremes {
  private least = -1
  private leastLength = 0
  private greatest = -1
  private greatestLength = 0

  note(bytes: Uint8Array, start: number, length: number): void {
    if (this.least < 0) {
      this.least = this.greatest = start
      this.leastLength = this.greatestLength = length
    } else if (compare(bytes, start, length, bytes, this.greatest, this.greatestLength) > 0) {
      this.greatest = start
      this.greatestLength = length
    } else if (compare(bytes, start, length, bytes, this.least, this.leastLength) < 0) {
      this.least = start
      this.leastLength = length
    }
  }

  /** Tells `all`, and forgets the places. */
  giveTo(all: ByteExtremes, bytes: Uint8Array): void {
    if (this.least < 0) return
    all.note(bytes, this.least, this.leastLength)
    all.note(bytes, this.greatest, this.greatestLength)
    this.least = -1
  }
}
