/**
 * Bytes of records that state keeps, packed into segments: a batch's buffer is used again, and objects of their own cost more
 * than the bytes.
 *
 * Records go in about the order in which they came, so segments empty one after the other and are filled again.
 * **Bounds**: what is kept, and a segment that is being filled; one record that stays holds its segment, which owners whose
 * records stay long end by `wasteful` and moving what they keep.
 */
import { Buffer } from "node:buffer"

/** Part of it are the bytes of a record. */
export interface Segment {
  readonly bytes: Buffer
  /** Records that are kept in it. */
  kept: number
  used: number
}

const segmentBytes = 262_144
/** Empty segments that are held ready. */
const spareMax = 8

const makeSegment = (bytes: number): Segment => ({ bytes: Buffer.allocUnsafeSlow(bytes), kept: 0, used: 0 })

export class ByteStore {
  private filling = makeSegment(0)
  private readonly spare: Array<Segment> = []
  private of: Uint8Array | undefined
  private source = this.filling.bytes
  private keptBytes = 0
  private heldBytes = 0
  /** Where `add` or `place` put the bytes. */
  start = 0

  /** Keeps a copy of `bytes[from, to)`, which begins at `start` of the segment it gives. */
  add(bytes: Uint8Array, from: number, to: number): Segment {
    const segment = this.place(bytes, from, to)
    this.keep(segment, to - from)
    return segment
  }

  /** How much `place` puts into one segment, where at least so much has to go together. */
  roomFor(length: number): number {
    const room = this.filling.bytes.length - this.filling.used
    return length <= room ? room : Math.max(length, segmentBytes)
  }

  /** Copies `bytes[from, to)`, in which `keep` tells of each record right after. */
  place(bytes: Uint8Array, from: number, to: number): Segment {
    if (this.of !== bytes) {
      this.of = bytes
      this.source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const length = to - from
    if (this.filling.used + length > this.filling.bytes.length) this.begin(length)
    const { filling } = this
    this.start = filling.used
    this.source.copy(filling.bytes, filling.used, from, to)
    filling.used += length
    return filling
  }

  /** A record of so many bytes is kept in it. */
  keep(segment: Segment, length: number): void {
    segment.kept++
    this.keptBytes += length
  }

  private begin(length: number): void {
    const full = this.filling
    this.filling =
      (length <= segmentBytes ? this.spare.pop() : undefined) ?? makeSegment(Math.max(length, segmentBytes))
    this.heldBytes += this.filling.bytes.length
    if (full.kept === 0) this.drop(full)
  }

  /** A record of so many bytes is kept no more. */
  remove(segment: Segment, length: number): void {
    this.keptBytes -= length
    if (--segment.kept === 0 && segment !== this.filling) this.drop(segment)
  }

  private drop(segment: Segment): void {
    this.heldBytes -= segment.bytes.length
    if (segment.bytes.length !== segmentBytes || this.spare.length >= spareMax) return
    segment.used = 0
    this.spare.push(segment)
  }

  /** More than half of what is in memory is of records that went. */
  wasteful(): boolean {
    return this.heldBytes > 2 * this.keptBytes + 4 * segmentBytes
  }

  /** The source's batch is over: its bytes are not looked at again. */
  forgetSource(): void {
    this.of = undefined
    this.source = this.filling.bytes
  }
}
