/**
 * The text of a value made shorter, by itself: so a merge copies it as it is, and a key that is asked for unpacks nothing else.
 *
 * What came before in the same text is told by how far back and how long (LZ77, as LZ4 does), digits and what stands between them
 * in JSON take four bits. Native compressors are quicker for a megabyte; for a few hundred bytes, calling them costs more than
 * this does. A form in memory and in files that no other process reads, so it has no version.
 *
 * Packed are the text's length, then sequences until it is reached: a byte of how many literals (bits 4 to 6) and how long a match
 * (bits 0 to 3), the literals, two to a byte when bit 7 is set, and how far back the match begins. What bits cannot hold, and
 * distances, are numbers of 7 bits a byte, low ones first.
 */

/** Bytes that take four bits. */
const digits = '0123456789,.-":['
const digitOf = new Int8Array(256).fill(-1)
const byteOf = new Uint8Array(16)
for (let digit = 0; digit < digits.length; digit++) {
  byteOf[digit] = digits.charCodeAt(digit)
  digitOf[byteOf[digit]!] = digit
}

const tableBits = 10
const matchMin = 4
const distanceMax = 65_535
/** So many in a row are worth a sequence of their own. */
const digitsMin = 6
const literalsMore = 7
const matchMore = 15
/** Shorter texts stay as they are. */
const textMin = 48
/** Positions are numbers of 31 bits; then the table begins anew. */
const positionMax = 0x3fff_ffff

/** Bytes that `pack` may write before it gives up. */
export const packedMax = (length: number): number => length + 64

export class TextPacker {
  /** By a hash of four bytes, where they stood last: a position in all that was ever packed. */
  private readonly table = new Int32Array(1 << tableBits)
  private base = 1
  private source: Uint8Array = new Uint8Array(0)
  private into: Uint8Array = new Uint8Array(0)
  private end = 0

  /** Writes the bytes in `[from, to)` to `into`, which has room for `packedMax`; where that ends, or −1: it gains too little. */
  pack(source: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
    const length = to - from
    if (length < textMin || length > positionMax) return -1
    if (this.base > positionMax - length) {
      this.table.fill(0)
      this.base = 1
    }
    this.source = source
    this.into = into
    this.end = at
    this.number(length)
    const endMax = at + length - (length >> 3)
    const { table } = this
    const shift = this.base - from
    let literals = from
    for (let position = from; position <= to - matchMin;) {
      const word =
        source[position]! | (source[position + 1]! << 8) | (source[position + 2]! << 16) | (source[position + 3]! << 24)
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - tableBits)
      const before = table[slot]! - shift
      table[slot] = position + shift
      if (before < from || position - before > distanceMax || !sameFour(source, before, position)) {
        // in what has no matches, fewer positions are looked at
        position += 1 + ((position - literals) >> 6)
        continue
      }
      let matched = matchMin
      while (position + matched < to && source[before + matched] === source[position + matched]) matched++
      let back = 0
      while (
        position - back > literals &&
        before - back > from &&
        source[before - back - 1] === source[position - back - 1]
      )
        back++
      if (!this.literals(literals, position - back, matched + back, position - before, endMax))
        return this.forget(length)
      position += matched
      literals = position
    }
    if (literals < to && !this.literals(literals, to, 0, 0, endMax)) return this.forget(length)
    this.base += length
    return this.end < at + length ? this.end : -1
  }

  private forget(length: number): number {
    this.base += length
    return -1
  }

  /** Literals in as many sequences as make them short, the last one with the match; false when it becomes too long. */
  private literals(from: number, to: number, matched: number, distance: number, endMax: number): boolean {
    const { source } = this
    let plain = from
    for (let at = from; at < to;) {
      let end = at
      while (end < to && digitOf[source[end]!]! >= 0) end++
      if (end - at < digitsMin && !(at === from && end === to && end - at > 1)) {
        at = end + 1
        continue
      }
      if (at > plain) {
        if (this.end + at - plain >= endMax) return false
        this.plain(plain, at, 0, 0)
      }
      if (this.end + ((end - at) >> 1) >= endMax) return false
      this.packed(at, end, end === to ? matched : 0, distance)
      if (end === to) return true
      plain = end
      at = end
    }
    if (this.end + to - plain >= endMax) return false
    this.plain(plain, to, matched, distance)
    return true
  }

  private plain(from: number, to: number, matched: number, distance: number): void {
    this.head(0, to - from, matched)
    const { into, source } = this
    let { end } = this
    for (let at = from; at < to; at++) into[end++] = source[at]!
    this.end = end
    if (matched > 0) this.number(distance)
  }

  private packed(from: number, to: number, matched: number, distance: number): void {
    this.head(0x80, to - from, matched)
    const { into, source } = this
    let { end } = this
    for (let at = from; at < to; at += 2) {
      const high = at + 1 < to ? digitOf[source[at + 1]!]! : 0
      into[end++] = digitOf[source[at]!]! | (high << 4)
    }
    this.end = end
    if (matched > 0) this.number(distance)
  }

  private head(kind: number, literals: number, matched: number): void {
    // a match of four is 1: none is 0
    const match = matched === 0 ? 0 : matched - matchMin + 1
    this.into[this.end++] = kind | (Math.min(literals, literalsMore) << 4) | Math.min(match, matchMore)
    if (literals >= literalsMore) this.number(literals - literalsMore)
    if (match >= matchMore) this.number(match - matchMore)
  }

  private number(value: number): void {
    for (; value >= 0x80; value >>>= 7) this.into[this.end++] = (value & 0x7f) | 0x80
    this.into[this.end++] = value
  }
}

const sameFour = (bytes: Uint8Array, left: number, right: number): boolean =>
  bytes[left] === bytes[right] &&
  bytes[left + 1] === bytes[right + 1] &&
  bytes[left + 2] === bytes[right + 2] &&
  bytes[left + 3] === bytes[right + 3]

/** Gives back what `pack` was given. Its bytes come from a block whose guard has looked at it. */
export class TextUnpacker {
  private source: Uint8Array = new Uint8Array(0)
  private at = 0
  private text: Uint8Array = new Uint8Array(0)

  /** How long the text is that was packed to `from`; `unpack` goes on from there. */
  begin(source: Uint8Array, from: number): number {
    this.source = source
    this.at = from
    return this.number()
  }

  /** Writes the text, which has that length, to the beginning of `into`. */
  unpack(into: Uint8Array, length: number): void {
    this.text = into
    for (let end = 0; end < length;) {
      const head = this.source[this.at++]!
      let literals = (head >> 4) & literalsMore
      let matched = head & matchMore
      if (literals === literalsMore) literals += this.number()
      if (matched === matchMore) matched += this.number()
      end = head < 0x80 ? this.plain(end, literals) : this.packed(end, literals)
      if (matched > 0) end = this.match(end, matched + matchMin - 1)
    }
  }

  private plain(end: number, count: number): number {
    const { at, source, text } = this
    for (let literal = 0; literal < count; literal++) text[end + literal] = source[at + literal]!
    this.at = at + count
    return end + count
  }

  private packed(end: number, count: number): number {
    const { source, text } = this
    let { at } = this
    for (let literal = 0; literal < count; literal += 2) {
      const two = source[at++]!
      text[end + literal] = byteOf[two & 15]!
      if (literal + 1 < count) text[end + literal + 1] = byteOf[two >> 4]!
    }
    this.at = at
    return end + count
  }

  private match(end: number, count: number): number {
    const from = end - this.number()
    const { text } = this
    // byte by byte: a match may reach into itself
    for (let byte = 0; byte < count; byte++) text[end + byte] = text[from + byte]!
    return end + count
  }

  private number(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.source[this.at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
}
