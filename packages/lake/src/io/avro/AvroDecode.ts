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
  private readonly data: Uint8Array
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

  /** A zigzag integer of up to 64 bits. */
  long(): bigint {
    // Up to 28 bits fit a number's shifts: most values end here.
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1))
    }
    let wide = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      wide |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n))
    }
    return corrupt("avro", "an integer of more than 64 bits")
  }

  int(): number {
    const value = this.long()
    return BigInt.asIntN(32, value) === value ? Number(value) : corrupt("avro", "an int of more than 32 bits")
  }

  /** A count or length: a long that a number holds. */
  size(): number {
    const value = this.long()
    return BigInt.asIntN(53, value) === value ? Number(value) : corrupt("avro", "a length of more than 53 bits")
  }

  raw(size: number): Uint8Array {
    const start = this.take(size)
    return this.data.slice(start, start + size)
  }

  bytes(): Uint8Array {
    return this.raw(this.size())
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
const readBlocks = (from: ByteReader, item: () => void): void => {
  for (;;) {
    let count = from.size()
    if (count === 0) return
    if (count < 0) {
      // A negative count is followed by the block's size in bytes.
      count = -count
      from.size()
    }
    // Entries of zero bytes do not occur in Iceberg: more entries than bytes is damage.
    if (count > from.left) corrupt("avro", `a block of ${count} entries where ${from.left} bytes are left`)
    for (let i = 0; i < count; i++) item()
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
