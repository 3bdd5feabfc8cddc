/**
 * Avro binary encoding: one writer function is made per schema, then called per value.
 *
 * A value that does not fit its schema is a bug of this package: it throws TypeError.
 */
import type { AvroType } from "./AvroType.ts"
import type { AvroRecord, AvroValue } from "./AvroValue.ts"

const utf8 = new TextEncoder()

/** Bytes that grow as they are written. */
export class ByteWriter {
  private buffer = new Uint8Array(4096)
  private view = new DataView(this.buffer.buffer)
  private end = 0

  /** What was written so far: a view that later writes may overwrite. */
  get written(): Uint8Array {
    return this.buffer.subarray(0, this.end)
  }

  /** Begins anew. */
  clear(): void {
    this.end = 0
  }

  private room(size: number): void {
    if (this.end + size <= this.buffer.length) return
    const bigger = new Uint8Array(Math.max(this.buffer.length * 2, this.end + size))
    bigger.set(this.written)
    this.buffer = bigger
    this.view = new DataView(bigger.buffer)
  }

  byte(value: number): void {
    this.room(1)
    this.buffer[this.end++] = value
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.buffer.set(bytes, this.end)
    this.end += bytes.length
  }

  /** Avro's int and long: zigzag, seven bits a byte. */
  long(value: number | bigint): void {
    this.room(10)
    const short = Number(value)
    if ((short | 0) === short) {
      let rest = ((short << 1) ^ (short >> 31)) >>> 0
      while (rest > 0x7f) {
        this.buffer[this.end++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      this.buffer[this.end++] = rest
      return
    }
    const wide = BigInt(value)
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
    while (rest > 0x7fn) {
      this.buffer[this.end++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.buffer[this.end++] = Number(rest)
  }

  float(value: number): void {
    this.room(4)
    this.view.setFloat32(this.end, value, true)
    this.end += 4
  }

  double(value: number): void {
    this.room(8)
    this.view.setFloat64(this.end, value, true)
    this.end += 8
  }

  bytes(value: Uint8Array): void {
    this.long(value.length)
    this.raw(value)
  }

  text(value: string): void {
    this.bytes(utf8.encode(value))
  }
}

/** Writes one value of the schema it was made for. */
export type AvroWriter = (out: ByteWriter, value: AvroValue | undefined) => void

const mismatch = (type: AvroType, value: AvroValue | undefined): never => {
  throw new TypeError(`${value === null ? "null" : typeof value} is no Avro ${type._tag}`)
}

const isRecord = (value: AvroValue | undefined): value is AvroRecord =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Map)

const recordWriter = (type: AvroType & { readonly _tag: "record" }): AvroWriter => {
  const fields = type.fields.map((field) => ({ name: field.name, write: avroWriter(field.type) }))
  return (out, value) => {
    if (!isRecord(value)) return mismatch(type, value)
    for (const field of fields) field.write(out, value[field.name])
  }
}

const isList = (value: AvroValue | undefined): value is ReadonlyArray<AvroValue> => Array.isArray(value)

/** Of records, which is how maps by column id are written, with the block's size: who needs none of them steps over it. */
const arrayWriter = (type: AvroType & { readonly _tag: "array" }): AvroWriter => {
  const write = avroWriter(type.items)
  const sized = type.items._tag === "record" ? new ByteWriter() : undefined
  return (out, value) => {
    if (!isList(value)) return mismatch(type, value)
    if (value.length > 0) {
      sized?.clear()
      const items = sized ?? out
      out.long(sized === undefined ? value.length : -value.length)
      for (const item of value) write(items, item)
      if (sized !== undefined) out.bytes(sized.written)
    }
    out.byte(0)
  }
}

const mapWriter = (type: AvroType & { readonly _tag: "map" }): AvroWriter => {
  const write = avroWriter(type.values)
  return (out, value) => {
    if (!(value instanceof Map)) return mismatch(type, value)
    if (value.size > 0) {
      out.long(value.size)
      for (const [key, item] of value) {
        out.text(String(key))
        write(out, item)
      }
    }
    out.byte(0)
  }
}

const optionalWriter = (type: AvroType & { readonly _tag: "optional" }): AvroWriter => {
  const write = avroWriter(type.type)
  const [nullBranch, valueBranch] = type.nullFirst ? [0, 1] : [1, 0]
  return (out, value) => {
    if (value === null || value === undefined) return out.long(nullBranch)
    out.long(valueBranch)
    write(out, value)
  }
}

/** The writer for values of `type`. Absent record fields are null. */
export const avroWriter = (type: AvroType): AvroWriter => {
  switch (type._tag) {
    case "null":
      return () => undefined
    case "boolean":
      return (out, value) => (typeof value === "boolean" ? out.byte(value ? 1 : 0) : mismatch(type, value))
    case "int":
      return (out, value) => (typeof value === "number" ? out.long(value) : mismatch(type, value))
    case "long":
      return (out, value) => (typeof value === "bigint" ? out.long(value) : mismatch(type, value))
    case "float":
      return (out, value) => (typeof value === "number" ? out.float(value) : mismatch(type, value))
    case "double":
      return (out, value) => (typeof value === "number" ? out.double(value) : mismatch(type, value))
    case "bytes":
      return (out, value) => (value instanceof Uint8Array ? out.bytes(value) : mismatch(type, value))
    case "string":
      return (out, value) => (typeof value === "string" ? out.text(value) : mismatch(type, value))
    case "fixed":
      return (out, value) =>
        value instanceof Uint8Array && value.length === type.size ? out.raw(value) : mismatch(type, value)
    case "record":
      return recordWriter(type)
    case "array":
      return arrayWriter(type)
    case "map":
      return mapWriter(type)
    case "optional":
      return optionalWriter(type)
  }
}
