/**
 * A block: entries in the order of their keys, and where each begins.
 *
 * An entry is the lengths of key and value, the time that says when it is over, key and value; a length of 2^32 − 1 says that the
 * key has no value any more, one of 2^31 and more that the value is packed (`TextPacker.ts`). Behind the entries stand their beginnings, 16 bits each, and how many they are. All little endian.
 */
import { Buffer } from "node:buffer"
import { compareKeys } from "./KeyBytes.ts"
import { packedMax, TextPacker, TextUnpacker } from "./TextPacker.ts"

/** A block is closed when it is as long: longer by its last entry. A key that is asked for is one block read. */
export const blockBytes = 4096
const headBytes = 16
const beginBytes = 2
/** In place of a value's length: the key has none any more. */
const noValue = 0xffff_ffff
const packedBit = 0x8000_0000

/** An entry where it stands; it holds until the next one is read. */
export interface Entry {
  bytes: Buffer
  keyFrom: number
  keyTo: number
  valueTo: number
  deleted: boolean
  /** What lies in `[keyTo, valueTo)` is not the text itself: `ValueTexts` gives that. */
  packed: boolean
  time: number
}

export const makeEntry = (): Entry => ({
  bytes: Buffer.alloc(0),
  keyFrom: 0,
  keyTo: 0,
  valueTo: 0,
  deleted: false,
  packed: false,
  time: 0
})

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)

const readUint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

const writeUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

const readUint16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)

export const entriesOf = (block: Uint8Array): number => readUint16(block, block.length - beginBytes)

const beginOf = (block: Uint8Array, count: number, index: number): number =>
  readUint16(block, block.length - beginBytes * (count - index + 1))

/** Points `entry` at the block's entry with that index. */
export const entryAt = (block: Buffer, index: number, entry: Entry): void => {
  const begin = beginOf(block, entriesOf(block), index)
  const keyTo = begin + headBytes + readUint32(block, begin)
  const valueLength = readUint32(block, begin + 4)
  const deleted = valueLength === noValue
  for (let byte = 0; byte < 8; byte++) floatBytes[byte] = block[begin + 8 + byte]!
  entry.bytes = block
  entry.keyFrom = begin + headBytes
  entry.keyTo = keyTo
  entry.deleted = deleted
  entry.packed = !deleted && valueLength >= packedBit
  entry.valueTo = keyTo + (deleted ? 0 : valueLength % packedBit)
  entry.time = float[0]!
}

/** The first entry with the key or one behind it; `entriesOf` when all lie before it. */
export const indexFrom = (block: Uint8Array, key: Uint8Array, keyTo: number): number => {
  const count = entriesOf(block)
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    const begin = beginOf(block, count, middle)
    const at = begin + headBytes
    if (compareKeys(block, at, at + readUint32(block, begin), key, 0, keyTo) < 0) from = middle + 1
    else to = middle
  }
  return from
}

const ampleBytes = 1_048_576

/** Ample for texts of like length, but not of long ones. */
const roomFor = (length: number): Buffer => Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * length, ampleBytes)))

/** Reads the values of entries, one after the other. */
export class ValueTexts {
  private readonly unpacker = new TextUnpacker()
  private text: Buffer = Buffer.alloc(0)

  /** The text that was added; of an entry that is not deleted. */
  of({ bytes, keyTo, packed, valueTo }: Entry): string {
    if (!packed) return bytes.toString("utf8", keyTo, valueTo)
    const length = this.unpacker.begin(bytes, keyTo)
    if (this.text.length < length) this.text = roomFor(length)
    this.unpacker.unpack(this.text, length)
    return this.text.toString("utf8", 0, length)
  }
}

export class BlockWriter {
  bytes = Buffer.allocUnsafeSlow(2 * blockBytes)
  length = 0
  private readonly begins: Array<number> = []
  /** A value as it came. */
  private text: Buffer = Buffer.alloc(0)
  private packer: TextPacker | undefined

  get entries(): number {
    return this.begins.length
  }

  full(): boolean {
    return this.length >= blockBytes
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const wider = Buffer.allocUnsafeSlow(Math.max(this.length + more, 2 * this.bytes.length))
    this.bytes.copy(wider, 0, 0, this.length)
    this.bytes = wider
  }

  private head(key: Uint8Array, from: number, to: number, time: number): number {
    const { bytes, length } = this
    this.begins.push(length)
    writeUint32(bytes, length, to - from)
    float[0] = time
    for (let byte = 0; byte < 8; byte++) bytes[length + 8 + byte] = floatBytes[byte]!
    let at = length + headBytes
    if (to - from < 64) for (let index = from; index < to; index++) bytes[at++] = key[index]!
    else {
      bytes.set(key.subarray(from, to), at)
      at += to - from
    }
    return at
  }

  /** A value in its text form; undefined: the key has none any more. */
  add(key: Uint8Array, keyTo: number, time: number, value: string | undefined): void {
    const textMax = 3 * (value?.length ?? 0)
    this.room(headBytes + keyTo + packedMax(textMax))
    const begin = this.length
    const at = this.head(key, 0, keyTo, time)
    if (value === undefined) {
      writeUint32(this.bytes, begin + 4, noValue)
      this.length = at
      return
    }
    if (this.text.length < textMax) this.text = roomFor(textMax)
    // a view for each value would cost as much as its bytes
    const written = this.text.write(value, 0)
    this.packer ??= new TextPacker()
    const packedTo = this.packer.pack(this.text, 0, written, this.bytes, at)
    if (packedTo < 0) this.text.copy(this.bytes, at, 0, written)
    writeUint32(this.bytes, begin + 4, packedTo < 0 ? written : packedBit + packedTo - at)
    this.length = packedTo < 0 ? at + written : packedTo
  }

  /** An entry of another block, with its value or without. */
  copy({ bytes, keyFrom, keyTo, time, valueTo }: Entry, deleted: boolean): void {
    this.room(headBytes + valueTo - keyFrom)
    if (!deleted) {
      this.begins.push(this.length)
      this.length += bytes.copy(this.bytes, this.length, keyFrom - headBytes, valueTo)
      return
    }
    const begin = this.length
    const at = this.head(bytes, keyFrom, keyTo, time)
    writeUint32(this.bytes, begin + 4, noValue)
    this.length = at
  }

  /** A copy of the key that was added last; before `end`. */
  lastKey(): Uint8Array<ArrayBuffer> {
    const begin = this.begins.at(-1)! // a block has an entry
    const at = begin + headBytes
    return new Uint8Array(this.bytes.subarray(at, at + readUint32(this.bytes, begin)))
  }

  /** Writes what belongs behind the entries. */
  end(): void {
    const count = this.begins.length
    this.room(beginBytes * (count + 1))
    for (let index = 0; index <= count; index++) {
      const value = index === count ? count : this.begins[index]!
      this.bytes[this.length++] = value
      this.bytes[this.length++] = value >>> 8
    }
  }

  clear(): void {
    this.length = 0
    this.begins.length = 0
  }
}
