/**
 * Apache Thrift's compact protocol, as far as Parquet's footer needs it: bytes to a tree and back.
 *
 * Only `ParquetFooter` calls it. The tree keeps field ids and wire types, so that a footer that is read, changed in a few
 * places and written again loses nothing that this code does not know of.
 */
import { corrupt, unsupported } from "../../spec/FormatError.ts"

/** Wire types of the compact protocol. A boolean's value is in its type, except in a list. */
export const ThriftType = {
  True: 1,
  False: 2,
  Byte: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  Binary: 8,
  List: 9,
  Struct: 12
} as const

export interface ThriftList {
  readonly elementType: number
  readonly items: ReadonlyArray<ThriftValue>
}

/** By field id. */
export type ThriftStruct = ReadonlyMap<number, ThriftField>

export interface ThriftField {
  readonly type: number
  readonly value: ThriftValue
}

/** Integers of all widths are numbers: a footer holds none above 2^53 (file offsets, counts). */
export type ThriftValue = boolean | number | Uint8Array | ThriftList | ThriftStruct

const where = "Parquet footer"

/** Structs inside structs; a footer has five levels. */
const depthMax = 32

class Reader {
  at = 0
  private readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  private byte(): number {
    const byte = this.bytes[this.at++]
    return byte === undefined ? corrupt(where, "it ends too early") : byte
  }

  private varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 63; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value <= Number.MAX_SAFE_INTEGER ? value : corrupt(where, "an integer is too large")
    }
    return corrupt(where, "an integer is too long")
  }

  private zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  private list(depth: number): ThriftList {
    const header = this.byte()
    const elementType = header & 15
    const size = header >> 4 === 15 ? this.varint() : header >> 4
    if (size > this.bytes.length) corrupt(where, "a list is longer than the footer")
    const items: Array<ThriftValue> = []
    for (let i = 0; i < size; i++) {
      const boolean = elementType === ThriftType.True || elementType === ThriftType.False
      items.push(boolean ? this.byte() === ThriftType.True : this.value(elementType, depth))
    }
    return { elementType, items }
  }

  private value(type: number, depth: number): ThriftValue {
    switch (type) {
      case ThriftType.True:
        return true
      case ThriftType.False:
        return false
      case ThriftType.Byte:
        return this.byte()
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
        return this.zigzag()
      case ThriftType.Binary: {
        const size = this.varint()
        if (size > this.bytes.length - this.at) corrupt(where, "a text is longer than the footer")
        this.at += size
        return this.bytes.slice(this.at - size, this.at)
      }
      case ThriftType.List:
        return this.list(depth)
      case ThriftType.Struct:
        return this.struct(depth + 1)
      default:
        return unsupported(`${where}: wire type ${type}`)
    }
  }

  struct(depth: number): ThriftStruct {
    if (depth > depthMax) corrupt(where, "it is nested too deeply")
    const fields = new Map<number, ThriftField>()
    for (let id = 0; ;) {
      const header = this.byte()
      if (header === 0) return fields
      id = header >> 4 === 0 ? this.zigzag() : id + (header >> 4)
      const type = header & 15
      fields.set(id, { type, value: this.value(type, depth) })
    }
  }
}

class Writer {
  private bytes = new Uint8Array(16_384)
  private used = 0

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }

  private byte(value: number): void {
    this.reserve(1)
    this.bytes[this.used++] = value
  }

  private varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  private zigzag(value: number): void {
    // not `<<`, which has 32 bits; doubled, 2^53 is still exact
    this.varint(value >= 0 ? value * 2 : value * -2 - 1)
  }

  private value(type: number, value: ThriftValue): void {
    if (typeof value === "boolean") return
    if (typeof value === "number") {
      if (type === ThriftType.Byte) this.byte(value)
      else this.zigzag(value)
    } else if (value instanceof Uint8Array) {
      this.varint(value.length)
      this.reserve(value.length)
      this.bytes.set(value, this.used)
      this.used += value.length
    } else if ("items" in value) this.list(value)
    else this.struct(value)
  }

  private list(list: ThriftList): void {
    const size = list.items.length
    this.byte(((size < 15 ? size : 15) << 4) | list.elementType)
    if (size >= 15) this.varint(size)
    for (const item of list.items) {
      if (typeof item === "boolean") this.byte(item ? ThriftType.True : ThriftType.False)
      else this.value(list.elementType, item)
    }
  }

  struct(struct: ThriftStruct): void {
    let last = 0
    for (const id of [...struct.keys()].sort((left, right) => left - right)) {
      const field = struct.get(id)!
      const delta = id - last
      if (delta > 0 && delta < 16) this.byte((delta << 4) | field.type)
      else {
        this.byte(field.type)
        this.zigzag(id)
      }
      this.value(field.type, field.value)
      last = id
    }
    this.byte(0)
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.used)
  }
}

/** Reads one struct; throws FormatError when the bytes are none. */
export const thriftFromBytes = (bytes: Uint8Array): ThriftStruct => new Reader(bytes).struct(0)

/** Reads the struct that the bytes begin with, and says how long it is. */
export const thriftPrefix = (bytes: Uint8Array): { readonly struct: ThriftStruct; readonly length: number } => {
  const reader = new Reader(bytes)
  return { struct: reader.struct(0), length: reader.at }
}

export const thriftToBytes = (struct: ThriftStruct): Uint8Array => {
  const writer = new Writer()
  writer.struct(struct)
  return writer.take()
}
