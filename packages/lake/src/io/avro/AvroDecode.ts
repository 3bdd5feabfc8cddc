/**
 * Avro binary decoding: one reader function is made per schema, then called per value.
 *
 * Bytes are untrusted: every length is checked against what is left, so damage gives a FormatError and not memory without
 * end or a wrong value from beyond the block.
 */
import { corrupt } from "../../spec/FormatError.ts"
import type { AvroType } from "./AvroType.ts"
import type { AvroValue } from "./AvroValue.ts"

const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Bytes read from start to end. */
export class ByteReader {
  readonly data: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(data: Uint8Array) {
    this.data = data
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  }

  get left(): number {
    return this.data.length - this.at
  }

  private take(size: number): number {
    if (size < 0 || size > this.left) corrupt("avro", `a value of ${size} bytes where ${this.left} are left`)
    const start = this.at
    this.at += size
    return start
  }

  byte(): number {
    return this.data[this.take(1)]!
  }

  /** Where the next value begins; `moveTo` goes back to a place that was passed. */
  get position(): number {
    return this.at
  }

  moveTo(position: number): void {
    if (position < 0 || position > this.data.length)
      corrupt("avro", `a value at ${position} of ${this.data.length} bytes`)
    this.at = position
  }

  /**
   * A zigzag integer of up to 28 bits, which nearly all counts and lengths are; undefined, and nothing read, when it is
   * longer or cut off.
   */
  private short(): number | undefined {
    const { data } = this
    let low = 0
    for (let i = 0; i < 4; i++) {
      const byte = data[this.at + i]
      if (byte === undefined) return undefined
      low |= (byte & 0x7f) << (i * 7)
      if (byte < 0x80) {
        this.at += i + 1
        return (low >>> 1) ^ -(low & 1)
      }
    }
    return undefined
  }

  /** A zigzag integer of up to 64 bits. */
  long(): bigint {
    const short = this.short()
    if (short !== undefined) return BigInt(short)
    let wide = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      wide |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n))
    }
    return corrupt("avro", "an integer of more than 64 bits")
  }

  int(): number {
    const short = this.short()
    if (short !== undefined) return short
    const value = this.long()
    return BigInt.asIntN(32, value) === value ? Number(value) : corrupt("avro", "an int of more than 32 bits")
  }

  /** A count or length: a long that a number holds. */
  size(): number {
    // of one byte, as nearly all are
    const byte = this.data[this.at]!
    if (byte < 0x80) {
      this.at++
      return (byte >>> 1) ^ -(byte & 1)
    }
    const short = this.short()
    if (short !== undefined) return short
    const value = this.long()
    return BigInt.asIntN(53, value) === value ? Number(value) : corrupt("avro", "a length of more than 53 bits")
  }

  /** Passes over bytes. */
  skip(size: number): void {
    this.take(size)
  }

  /** Passes over so many integers. */
  skipLongs(count: number): void {
    const { data } = this
    let end = this.at
    for (let i = 0; i < count; i++) {
      const longest = end + 10
      while (data[end]! >= 0x80 && end < longest) end++
      // also true where the bytes have ended
      if (!(data[end++]! < 0x80)) corrupt("avro", "an integer of more than 64 bits, or cut off")
    }
    this.at = end
  }

  /** Passes over so many pairs of an integer and bytes: entries of a map by column id. */
  skipKeyedBytes(count: number): void {
    const { data } = this
    let at = this.at
    for (let i = 0; i < count; i++) {
      // keys and lengths of one byte, as nearly all are; a length's zigzag is even
      if (data[at]! < 0x80 && data[at + 1]! < 0x80 && (data[at + 1]! & 1) === 0) {
        at += 2 + (data[at + 1]! >>> 1)
        continue
      }
      this.moveTo(at)
      this.skipLongs(1)
      this.skip(this.size())
      at = this.at
    }
    this.moveTo(at)
  }

  raw(size: number): Uint8Array {
    const start = this.take(size)
    return this.data.slice(start, start + size)
  }

  bytes(): Uint8Array {
    return this.raw(this.size())
  }

  /** The same without a copy: bytes of what is read from. */
  bytesView(): Uint8Array {
    const size = this.size()
    const start = this.take(size)
    return this.data.subarray(start, start + size)
  }

  text(): string {
    const size = this.size()
    const start = this.take(size)
    try {
      return utf8Strict.decode(this.data.subarray(start, start + size))
    } catch {
      return corrupt("avro", "text is not UTF-8")
    }
  }

  /** Bytes between two places as characters of one byte each: a key to remember them by. */
  latin1(start: number, end: number): string {
    return String.fromCharCode(...this.data.subarray(start, end))
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true)
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true)
  }
}

/** Reads one value of the schema it was made for. */
export type AvroReader = (from: ByteReader) => AvroValue

/** Crosses the blocks of an array or map, calling `item` for each entry. */
export const readBlocks = (from: ByteReader, item: () => void): void => {
  for (;;) {
    let count = from.size()
    if (count === 0) return
    let end: number | undefined
    if (count < 0) {
      // A negative count is followed by the block's size in bytes.
      count = -count
      end = from.size() + from.position
    }
    // Entries of zero bytes do not occur in Iceberg: more entries than bytes is damage.
    if (count > from.left) corrupt("avro", `a block of ${count} entries where ${from.left} bytes are left`)
    for (let i = 0; i < count; i++) item()
    if (end !== undefined && from.position !== end)
      corrupt("avro", `a block of ${count} entries has other bytes than its size`)
  }
}

const recordReader = (type: AvroType & { readonly _tag: "record" }): AvroReader => {
  const fields = type.fields.map((field) => ({ name: field.name, read: avroReader(field.type) }))
  return (from) => {
    const record: Record<string, AvroValue> = Object.create(null)
    for (const field of fields) record[field.name] = field.read(from)
    return record
  }
}

/** The reader for values of `type`. */
export const avroReader = (type: AvroType): AvroReader => {
  switch (type._tag) {
    case "null":
      return () => null
    case "boolean":
      return (from) => from.byte() !== 0
    case "int":
      return (from) => from.int()
    case "long":
      return (from) => from.long()
    case "float":
      return (from) => from.float()
    case "double":
      return (from) => from.double()
    case "bytes":
      return (from) => from.bytes()
    case "string":
      return (from) => from.text()
    case "fixed":
      return (from) => from.raw(type.size)
    case "record":
      return recordReader(type)
    case "array": {
      const read = avroReader(type.items)
      return (from) => {
        const items: Array<AvroValue> = []
        readBlocks(from, () => void items.push(read(from)))
        return items
      }
    }
    case "map": {
      const read = avroReader(type.values)
      return (from) => {
        const items = new Map<string, AvroValue>()
        readBlocks(from, () => void items.set(from.text(), read(from)))
        return items
      }
    }
    case "optional": {
      const read = avroReader(type.type)
      const nullBranch = type.nullFirst ? 0 : 1
      return (from) => {
        const branch = from.size()
        if (branch !== 0 && branch !== 1) corrupt("avro", `a union has no branch ${branch}`)
        return branch === nullBranch ? null : read(from)
      }
    }
  }
}
