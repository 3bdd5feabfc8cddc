/**
 * An immutable file of entries in the order of their keys, written once from front to end.
 *
 * What finds an entry in it (the filter, the blocks' first keys) is in memory only: a store is never opened again.
 * **Bounds**: 10 bits a key where nothing older lies below, 16 elsewhere, and some tens of bytes a block: about 1 % of what it holds.
 */
import { Buffer } from "node:buffer"
import { blockBytes, BlockWriter, type Entry, entriesOf, entryAt, indexFrom } from "./Block.ts"
import type { BlockGuard } from "./BlockGuard.ts"
import { BloomFilter } from "./BloomFilter.ts"
import { compareKeys, hashKey, type KeyHash } from "./KeyBytes.ts"
import { SegmentIndex } from "./SegmentIndex.ts"
import type { StateFile, StoreFiles } from "./StateFolder.ts"
import { StoreError } from "./StoreError.ts"

/** What the segments of a store share. */
export interface SegmentParts {
  readonly files: StoreFiles
  readonly guard: BlockGuard
}

export class Segment {
  readonly number: number
  readonly entries: number
  readonly bytes: number
  readonly index: SegmentIndex
  /** The greatest of its entries' times. */
  readonly newestTime: number
  readonly lastKey: Uint8Array
  private readonly filter: BloomFilter
  private readonly file: StateFile
  private readonly parts: SegmentParts
  /** Who reads it: the store, and scans. */
  private users = 1

  constructor(writer: {
    readonly number: number
    readonly entries: number
    readonly bytes: number
    readonly index: SegmentIndex
    readonly newestTime: number
    readonly lastKey: Uint8Array
    readonly filter: BloomFilter
    readonly file: StateFile
    readonly parts: SegmentParts
  }) {
    this.number = writer.number
    this.entries = writer.entries
    this.bytes = writer.bytes
    this.index = writer.index
    this.newestTime = writer.newestTime
    this.lastKey = writer.lastKey
    this.filter = writer.filter
    this.file = writer.file
    this.parts = writer.parts
  }

  /** Memory that it takes. */
  get memoryBytes(): number {
    return this.filter.bytes + this.index.bytes
  }

  mayHave(hash: KeyHash): boolean {
    return this.filter.mayHave(hash)
  }

  /** Whether a key from `from` on and before `to` may be in it, by its first and its last one. */
  reaches(from: Uint8Array, to: Uint8Array): boolean {
    const { lastKey } = this
    if (this.index.blockOf(to, to.length) < 0) return false
    return compareKeys(lastKey, 0, lastKey.length, from, 0, from.length) >= 0
  }

  /** Points `entry` at the key's; whether there is one. */
  find(key: Uint8Array, keyTo: number, buffer: ReadBuffer, entry: Entry): boolean {
    const number = this.index.blockOf(key, keyTo)
    if (number < 0) return false
    const block = this.block(number, buffer)
    const at = indexFrom(block, key, keyTo)
    if (at === entriesOf(block)) return false
    entryAt(block, at, entry)
    return compareKeys(block, entry.keyFrom, entry.keyTo, key, 0, keyTo) === 0
  }

  /** One block, which holds until the buffer is used again. */
  block(number: number, buffer: ReadBuffer): Buffer {
    const from = this.index.from(number)
    const length = this.index.to(number) - from
    this.file.read(buffer.room(length), length, from)
    return this.opened(number, buffer.bytes, 0, length)
  }

  /** Blocks from one on, before `end`, up to `bytesMax` of them but at least one: pieces of what was read at once. */
  blocksFrom(number: number, end: number, bytesMax: number, buffer: ReadBuffer): ReadonlyArray<Buffer> {
    const { index } = this
    const from = index.from(number)
    let to = number + 1
    while (to < end && index.to(to) - from <= bytesMax) to++
    const length = index.to(to - 1) - from
    this.file.read(buffer.room(length), length, from)
    return Array.from({ length: to - number }, (_, at) =>
      this.opened(number + at, buffer.bytes, index.from(number + at) - from, index.to(number + at) - from)
    )
  }

  private opened(block: number, bytes: Buffer, from: number, to: number): Buffer {
    const { files, guard } = this.parts
    const opened = guard.open(bytes, from, to, { segment: this.number, block })
    if (opened !== undefined) return opened
    throw new StoreError({
      reason: "Damaged",
      message: `the state in ${files.place} is not what was written (block ${block} of segment ${this.number}); it is read back from the last checkpoint. Check the disk if that comes again`
    })
  }

  hold(): this {
    this.users++
    return this
  }

  /** Its file goes when the last one has let it go. */
  release(): void {
    if (--this.users === 0) this.file.discard()
  }
}

/** Read into again and again. */
export class ReadBuffer {
  bytes = Buffer.allocUnsafeSlow(2 * blockBytes)

  room(length: number): Buffer {
    if (this.bytes.length < length) this.bytes = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.bytes.length))
    return this.bytes
  }
}

/** What is written at once. */
const writeBytes = 262_144
/** A key is asked for in every segment that is newer than the one that has it: those are many and small. */
const filterBits = 16
/** Of the segment that has most keys: only those that were never set are asked for in vain there. */
const filterBitsBottom = 10

export interface SegmentPlan {
  readonly number: number
  readonly entriesMax: number
  /** Nothing older lies below. */
  readonly bottom: boolean
}

export class SegmentWriter {
  private readonly number: number
  private readonly parts: SegmentParts
  private readonly file: StateFile
  private readonly filter: BloomFilter
  private readonly index = new SegmentIndex()
  private readonly block = new BlockWriter()
  private readonly hash: KeyHash = { line: 0, bits: 0 }
  private out = Buffer.allocUnsafeSlow(2 * blockBytes)
  private outLength = 0
  private written = 0
  private firstKey: Uint8Array | undefined
  private lastKey = new Uint8Array(0)
  private newestTime = Number.NEGATIVE_INFINITY
  entries = 0

  constructor(parts: SegmentParts, { bottom, entriesMax, number }: SegmentPlan) {
    this.number = number
    this.parts = parts
    this.filter = new BloomFilter(entriesMax, bottom ? filterBitsBottom : filterBits)
    this.file = parts.files.create(`${number}.segment`)
  }

  /** What it has taken so far. */
  get bytes(): number {
    return this.written + this.outLength + this.block.length
  }

  /** Keys come in order, each once. */
  add(key: Uint8Array, keyTo: number, time: number, value: string | undefined): void {
    this.count(key, 0, keyTo, time)
    this.block.add(key, keyTo, time, value)
    if (this.block.full()) this.endBlock()
  }

  copy(entry: Entry, deleted: boolean): void {
    this.count(entry.bytes, entry.keyFrom, entry.keyTo, entry.time)
    this.block.copy(entry, deleted)
    if (this.block.full()) this.endBlock()
  }

  private count(key: Uint8Array, from: number, to: number, time: number): void {
    if (time > this.newestTime) this.newestTime = time
    if (this.block.entries === 0) this.firstKey = new Uint8Array(key.subarray(from, to)) // a copy: a buffer's slice is none
    hashKey(key, from, to, this.hash)
    this.filter.add(this.hash)
    this.entries++
  }

  private endBlock(): void {
    const { block, guard } = { block: this.block, guard: this.parts.guard }
    this.lastKey = block.lastKey()
    block.end()
    const needed = this.outLength + block.length + guard.overhead
    if (needed > this.out.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * this.out.length, writeBytes + 2 * blockBytes)))
      this.out.copy(wider, 0, 0, this.outLength)
      this.out = wider
    }
    const place = { segment: this.number, block: this.index.blocks }
    this.outLength = guard.close(block.bytes, block.length, place, this.out, this.outLength)
    const first = this.firstKey! // a block has an entry
    this.index.add(first, 0, first.length, this.written + this.outLength)
    block.clear()
    if (this.outLength >= writeBytes) this.flush()
  }

  private flush(): void {
    if (this.outLength === 0) return
    this.file.append(this.out, this.outLength)
    this.written += this.outLength
    this.outLength = 0
  }

  /** What was written; undefined, and no file, when that is nothing. */
  end(): Segment | undefined {
    if (this.block.entries > 0) this.endBlock()
    this.flush()
    if (this.entries === 0) {
      this.file.discard()
      return undefined
    }
    this.index.trim()
    const { entries, file, filter, index, lastKey, newestTime, number, parts, written } = this
    return new Segment({ number, entries, bytes: written, index, newestTime, lastKey, filter, file, parts })
  }

  abandon(): void {
    this.file.discard()
  }
}
