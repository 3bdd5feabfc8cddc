/**
 * The entries of several segments in the order of their keys, of each key the newest: what merges write and scans read.
 *
 * **Bounds**: of each segment it holds as much as it reads at once.
 */
import type { Buffer } from "node:buffer"
import { type Entry, entriesOf, entryAt, indexFrom, makeEntry } from "./Block.ts"
import { compareKeys, rankOf, sharedPrefix } from "./KeyBytes.ts"
import { ReadBuffer, type Segment } from "./Segment.ts"

/** From a key on, up to another one. */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** What is read of a segment at once. */
  readonly readBytes: number
}

/** So that a merge does not ask for each block. */
const readBytesDefault = 131_072

class Cursor {
  readonly entry = makeEntry()
  private readonly buffer = new ReadBuffer()
  private readonly segment: Segment
  private readonly readBytes: number
  private readonly to: Uint8Array | undefined
  /** No block from there on has a key before `to`; the one before it may have others too. */
  private readonly blocksEnd: number
  private blocks: ReadonlyArray<Buffer> = []
  /** Of `blocks[at]`. */
  private at = 0
  private index = -1
  private count = 0
  /** The block behind `blocks`. */
  private nextBlock = 0
  /** Bytes that all keys of all cursors begin with. */
  private readonly shared: number
  /** Of its entry's key, behind those bytes. */
  rank = 0
  ended = false

  /** Stands at the first entry of the range. */
  constructor(segment: Segment, range: KeyRange | undefined, shared: number) {
    const { index } = segment
    this.segment = segment
    this.shared = shared
    this.readBytes = range?.readBytes ?? readBytesDefault
    this.to = range?.to
    this.blocksEnd = range === undefined ? index.blocks : index.blockOf(range.to, range.to.length) + 1
    if (range !== undefined) this.nextBlock = Math.max(0, index.blockOf(range.from, range.from.length))
    if (!this.readOn()) return
    if (range !== undefined) this.index = indexFrom(this.blocks[0]!, range.from, range.from.length)
    this.index--
    this.next()
  }

  next(): void {
    if (++this.index >= this.count) {
      if (this.at + 1 < this.blocks.length) {
        this.at++
        this.index = 0
        this.count = entriesOf(this.blocks[this.at]!)
      } else if (!this.readOn()) return
    }
    entryAt(this.blocks[this.at]!, this.index, this.entry)
    const { entry, to } = this
    this.rank = rankOf(entry.bytes, entry.keyFrom, entry.keyTo, this.shared)
    // only the last block has keys behind the range
    if (to === undefined || this.nextBlock < this.blocksEnd || this.at + 1 < this.blocks.length) return
    if (compareKeys(entry.bytes, entry.keyFrom, entry.keyTo, to, 0, to.length) >= 0) this.ended = true
  }

  private readOn(): boolean {
    if (this.nextBlock >= this.blocksEnd) {
      this.ended = true
      return false
    }
    this.blocks = this.segment.blocksFrom(this.nextBlock, this.blocksEnd, this.readBytes, this.buffer)
    this.nextBlock += this.blocks.length
    this.at = 0
    this.index = 0
    this.count = entriesOf(this.blocks[0]!)
    return true
  }
}

const orderOf = (left: Entry, right: Entry): number =>
  compareKeys(left.bytes, left.keyFrom, left.keyTo, right.bytes, right.keyFrom, right.keyTo)

export class MergedEntries {
  private readonly cursors: Array<Cursor>
  /** Those that stand at the entry given last. */
  private readonly given: Array<Cursor> = []

  /** Newest first. */
  constructor(segments: ReadonlyArray<Segment>, range?: KeyRange) {
    const shared = sharedPrefix(segments.flatMap(({ index, lastKey }) => [index.firstKey, lastKey]))
    this.cursors = segments.map((segment) => new Cursor(segment, range, shared))
    this.dropEnded()
  }

  /** The next one, deleted or not; it holds until the next call. */
  next(): Entry | undefined {
    const { cursors, given } = this
    let ended = false
    for (const cursor of given) {
      cursor.next()
      ended ||= cursor.ended
    }
    if (ended) this.dropEnded()
    given.length = 0
    let least: Cursor | undefined
    for (const cursor of cursors) {
      const order = least === undefined ? -1 : cursor.rank - least.rank || orderOf(cursor.entry, least.entry)
      if (order > 0) continue
      if (order < 0) {
        given.length = 0
        least = cursor
      }
      given.push(cursor)
    }
    return least?.entry
  }

  private dropEnded(): void {
    const { cursors } = this
    let kept = 0
    for (const cursor of cursors) if (!cursor.ended) cursors[kept++] = cursor
    cursors.length = kept
  }
}
