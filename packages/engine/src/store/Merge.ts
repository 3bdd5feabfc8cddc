/**
 * A merge of segments into one, in slices: of each key its newest entry, without those that are over.
 *
 * What is over leaves a mark that its key has no value any more, unless nothing older lies below, or that is over as well: an
 * older entry would be seen again.
 */
import { MergedEntries } from "./MergedEntries.ts"
import { type Segment, type SegmentParts, SegmentWriter } from "./Segment.ts"

export interface MergeOptions {
  readonly parts: SegmentParts
  readonly number: number
  /** Newest first. */
  readonly inputs: ReadonlyArray<Segment>
  /** Nothing older lies below. */
  readonly bottom: boolean
  readonly forgets: Forgets
}

/** What a store may forget. */
export interface Forgets {
  readonly over: (time: number) => boolean
  /** All entries of a key have one time. */
  readonly timesStay: boolean
}

const sumOf = (segments: ReadonlyArray<Segment>, of: "bytes" | "entries"): number =>
  segments.reduce((sum, segment) => sum + segment[of], 0)

export class Merge {
  readonly inputs: ReadonlyArray<Segment>
  readonly inputBytes: number
  private readonly options: MergeOptions
  private readonly entries: MergedEntries
  private readonly writer: SegmentWriter

  constructor(options: MergeOptions) {
    this.options = options
    this.inputs = options.inputs
    this.inputBytes = sumOf(options.inputs, "bytes")
    this.entries = new MergedEntries(options.inputs)
    const { bottom, number, parts } = options
    this.writer = new SegmentWriter(parts, { number, bottom, entriesMax: sumOf(options.inputs, "entries") })
  }

  /** Goes on for about so many bytes written; whether all is done. */
  step(bytesMax: number): boolean {
    const { bottom, forgets } = this.options
    const unmarked = bottom || forgets.timesStay
    const { entries, writer } = this
    for (let written = 0; written < bytesMax;) {
      const entry = entries.next()
      if (entry === undefined) return true
      const gone = entry.deleted || forgets.over(entry.time)
      written += entry.valueTo - entry.keyFrom
      if (gone && unmarked) continue
      writer.copy(entry, gone)
    }
    return false
  }

  /** The segment; undefined when nothing is left. */
  end(): Segment | undefined {
    return this.writer.end()
  }

  abandon(): void {
    this.writer.abandon()
  }
}
