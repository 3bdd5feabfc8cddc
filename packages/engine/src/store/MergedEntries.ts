/**
 * The entries of several segments in the order of their keys, of each key the newest: what merges write and scans read.
 *
 * **Bounds**: of each segment it holds as much as it reads at once.
 */
import type { Buffer } from "node:buffer"
import { type Entry, entriesOf, entryAt, indexFrom, makeEntry } from "./Block.ts"
import { compareKeys } from "./KeyBytes.ts"
import { ReadBuffer, type Segment } from "./Segment.ts"

/** What is read of a segment at once, so that a merge does not ask for each block. */
const readBytes = 131_072

class Cursor {
  readonly entry = makeEntry()
  private readonly buffer = new ReadBuffer()
  private readonly segment: Segment
  private blocks: ReadonlyArray<Buffer> = []
  /** Of `blocks[at]`. */
  private at = 0
  private index = -1
  private count = 0
  /** The block behind `blocks`. */
  private nextBlock = 0
  ended = false

  constructor(segment: Segment) {
    this.segment = segment
  }

  /** Goes to the first entry with the key or behind it. */
  seek(key: Uint8Array, keyTo: number): void {
    this.nextBlock = Math.max(0, this.segment.index.blockOf(key, keyTo))
    if (!this.readOn()) return
    this.index = indexFrom(this.blocks[0]!, key, keyTo) - 1
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
  }

  private readOn(): boolean {
    if (this.nextBlock >= this.segment.index.blocks) {
      this.ended = true
      return false
    }
    this.blocks = this.segment.blocksFrom(this.nextBlock, readBytes, this.buffer)
    this.nextBlock += this.blocks.length
    this.at = 0
    this.index = 0
    this.count = entriesOf(this.blocks[0]!)
    return true
  }
}

export class MergedEntries {
  private readonly cursors: Array<Cursor>
  /** Those that stand at the entry given last. */
  private readonly given: Array<Cursor> = []

  /** Newest first. Begins at `from`, or with the first key. */
  constructor(segments: ReadonlyArray<Segment>, from: Uint8Array = new Uint8Array(0)) {
    this.cursors = segments.map((segment) => new Cursor(segment))
    for (const cursor of this.cursors) cursor.seek(from, from.length)
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
    let least: Entry | undefined
    for (const cursor of cursors) {
      const { entry } = cursor
      const order =
        least === undefined
          ? -1
          : compareKeys(entry.bytes, entry.keyFrom, entry.keyTo, least.bytes, least.keyFrom, least.keyTo)
      if (order > 0) continue
      if (order < 0) {
        given.length = 0
        least = entry
      }
      given.push(cursor)
    }
    return least
  }

  private dropEnded(): void {
    const { cursors } = this
    let kept = 0
    for (const cursor of cursors) if (!cursor.ended) cursors[kept++] = cursor
    cursors.length = kept
  }
}
