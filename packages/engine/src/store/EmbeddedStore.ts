/**
 * A store of one operator's state in one shard: a log-structured merge tree on local disk.
 *
 * `StoredMap` puts a cache in front of it, writes what leaves the cache as sorted segments and reads back what it misses. All calls
 * are synchronous and throw a `StoreError`. Nothing here is the truth: that is in the log and its snapshots.
 */
import { type Entry, makeEntry } from "./Block.ts"
import { checksums, makeSeals } from "./BlockGuard.ts"
import { hashKey, type KeyHash, keyBytesMax, writeKey } from "./KeyBytes.ts"
import { Levels } from "./Levels.ts"
import { type KeyRange, MergedEntries } from "./MergedEntries.ts"
import { ReadBuffer, type Segment, type SegmentParts, SegmentWriter } from "./Segment.ts"
import type { StoreFiles } from "./StateFolder.ts"

export interface EmbeddedStoreOptions {
  readonly files: StoreFiles
  readonly sealed: boolean
  /** Whether an entry of that time may be forgotten. What was over stays so, and so does what it replaced. */
  readonly over: (time: number) => boolean
  /** All entries of a key have one time: what is over leaves no mark, and a segment of such entries goes as it is. */
  readonly timesStay?: boolean
}

export interface StoreCounts {
  /** Of files, with what merges have not dropped yet. */
  readonly bytes: number
  readonly segments: number
  /** Of filters and indexes. */
  readonly memoryBytes: number
  readonly spilledBytes: number
  readonly mergedBytes: number
  /** Blocks read because a key was asked for. */
  readonly reads: number
}

/** What is spilled: entries in the order of their keys, then `end`. */
export interface Spill {
  readonly add: (key: string, time: number, value: string | undefined) => void
  /** From here on they are found. */
  readonly end: () => void
  readonly abandon: () => void
}

export class EmbeddedStore {
  private readonly parts: SegmentParts
  private readonly levels: Levels
  private readonly buffer = new ReadBuffer()
  private readonly entry = makeEntry()
  private readonly hash: KeyHash = { line: 0, bits: 0 }
  private key = new Uint8Array(256)
  /** Spills begun since the last capture began, newest first; undefined before there was one. */
  private recent: Array<Segment> | undefined
  private spilledBytes = 0
  private reads = 0

  constructor({ files, over, sealed, timesStay = false }: EmbeddedStoreOptions) {
    this.parts = { files, guard: sealed ? makeSeals() : checksums }
    this.levels = new Levels(this.parts, { over, timesStay })
  }

  /** The key's newest entry, deleted or not; it holds until the next call. */
  find(key: string): Entry | undefined {
    const { segments } = this.levels
    if (segments.length === 0) return undefined
    const keyTo = this.write(key)
    hashKey(this.key, 0, keyTo, this.hash)
    for (const segment of segments) {
      if (!segment.mayHave(this.hash)) continue
      this.reads++
      if (segment.find(this.key, keyTo, this.buffer, this.entry)) return this.entry
    }
    return undefined
  }

  spill(entriesMax: number): Spill {
    const writer = new SegmentWriter(this.parts, { number: this.levels.takeNumber(), entriesMax, bottom: false })
    let told = 0
    // a capture that begins meanwhile has all of it from the cache, and what was set since then stays the newest
    const { recent } = this
    const advance = () => {
      const { bytes } = writer
      this.levels.advance(bytes - told)
      told = bytes
    }
    return {
      add: (key, time, value) => {
        const keyTo = this.write(key)
        writer.add(this.key, keyTo, time, value)
        if (writer.bytes - told >= advanceBytes) advance()
      },
      end: () => {
        const made = writer.end()
        if (made === undefined) return
        this.spilledBytes += made.bytes
        if (recent === this.recent) recent?.unshift(made.hold())
        this.levels.add(made)
        advance()
      },
      abandon: () => writer.abandon()
    }
  }

  /** Every entry, as they are now, whatever is written meanwhile. */
  scan(): Scan {
    return new Scan(this.levels.segments.map((segment) => segment.hold()))
  }

  /** The entries whose keys begin with the text, which is of ASCII, as they are now; of each segment so much is read at once. */
  scanPrefix(prefix: string, readBytes: number): Scan {
    const from = new Uint8Array(this.key.subarray(0, this.write(prefix)))
    const to = from.slice()
    to[to.length - 1]!++
    const inRange = this.levels.segments.filter((segment) => segment.reaches(from, to))
    return new Scan(
      inRange.map((segment) => segment.hold()),
      { from, to, readBytes }
    )
  }

  /** Lets files go that have nothing but what is over. */
  dropOver(): void {
    this.levels.dropOver()
  }

  /** Every entry of a spill that began since the scan for the capture before; all of them the first time. */
  scanRecent(): Scan {
    const { recent } = this
    this.recent = []
    return recent === undefined ? this.scan() : new Scan(recent)
  }

  /** What is scanned now was all: the next `scanRecent` begins here. */
  scanAll(): Scan {
    for (const segment of this.recent ?? []) segment.release()
    this.recent = []
    return this.scan()
  }

  counts(): StoreCounts {
    const { mergedBytes, segments } = this.levels
    const { reads, spilledBytes } = this
    const sum = (of: "bytes" | "memoryBytes") => segments.reduce((total, segment) => total + segment[of], 0)
    const sizes = { bytes: sum("bytes"), memoryBytes: sum("memoryBytes"), segments: segments.length }
    return { ...sizes, spilledBytes, mergedBytes, reads }
  }

  close(): void {
    for (const segment of this.recent ?? []) segment.release()
    this.levels.close()
  }

  private write(key: string): number {
    const room = keyBytesMax(key)
    if (this.key.length < room) this.key = new Uint8Array(2 * room)
    return writeKey(key, this.key, 0)
  }
}

/** Merges go on in steps of at least so many bytes spilled. */
const advanceBytes = 16_384

/** Holds the segments that it reads until it is closed. */
export class Scan {
  private segments: ReadonlyArray<Segment>
  private readonly entries: MergedEntries

  /** Newest first, held for it. */
  constructor(segments: ReadonlyArray<Segment>, range?: KeyRange) {
    this.segments = segments
    this.entries = new MergedEntries(segments, range)
  }

  next(): Entry | undefined {
    return this.entries.next()
  }

  /** Once more does nothing. */
  close(): void {
    for (const segment of this.segments) segment.release()
    this.segments = []
  }
}
