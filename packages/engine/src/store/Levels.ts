/**
 * Which segments a store has, newest first, and which of them are merged.
 *
 * What is spilled goes to level 0. Eight segments of a level become one of the next. Where the next is the last, four do, together
 * with it, when it is at most twice as large as they are: so what is written again and again stays one segment there. Merges run in
 * slices, paced by what is spilled: each is done before as many more segments lie at its level.
 * **Bounds**: fifteen segments a level; files of at most about four times what lives, while the last level is merged.
 */
import type { Segment, SegmentParts } from "./Segment.ts"
import { type Forgets, Merge } from "./Merge.ts"

/** An entry is written once for each level: at 20 GB five times, with four segments to a merge seven. */
const fanout = 8
/** Of the last level to those above it, so that it is merged with them. */
const lastRatioMax = 2
/** Fewer are not merged with it: small levels would be written anew for each segment. */
const lastFanout = 4
/** Faster than need be, so that the end of a merge is never waited for. */
const headroom = 1.25

interface Running {
  readonly merge: Merge
  readonly withNext: boolean
  /** Bytes to merge for each that is spilled. */
  readonly pace: number
}

const bytesOf = (segments: ReadonlyArray<Segment>): number => segments.reduce((sum, { bytes }) => sum + bytes, 0)

export class Levels {
  private readonly levels: Array<Array<Segment>> = []
  private readonly running: Array<Running | undefined> = []
  private readonly parts: SegmentParts
  private readonly forgets: Forgets
  private nextNumber = 1
  /** All of them, newest first. */
  segments: ReadonlyArray<Segment> = []
  /** Bytes that merges have written. */
  mergedBytes = 0

  constructor(parts: SegmentParts, forgets: Forgets) {
    this.parts = parts
    this.forgets = forgets
  }

  /** No two files of a store have one number. */
  takeNumber(): number {
    return this.nextNumber++
  }

  /** A segment that is newer than all others. */
  add(segment: Segment): void {
    this.level(0).unshift(segment)
    this.changed()
  }

  /** Lets segments go that have nothing but what is over. Those that are merged go with their merge. */
  dropOver(): void {
    const { over, timesStay } = this.forgets
    if (!timesStay || !this.segments.some(({ newestTime }) => over(newestTime))) return
    const merged = new Set(this.running.flatMap((running) => running?.merge.inputs ?? []))
    const gone = new Set(this.segments.filter((segment) => over(segment.newestTime) && !merged.has(segment)))
    if (gone.size === 0) return
    for (const [at, level] of this.levels.entries()) this.levels[at] = level.filter((segment) => !gone.has(segment))
    for (const segment of gone) segment.release()
    this.changed()
  }

  /** So many bytes were spilled: merges go on as far as that makes due. */
  advance(spilledBytes: number): void {
    for (const [level, running] of this.running.entries()) {
      if (running === undefined || !running.merge.step(spilledBytes * running.pace)) continue
      this.running[level] = undefined
      this.finish(level, running)
      this.changed()
    }
  }

  close(): void {
    for (const running of this.running) running?.merge.abandon()
    for (const segment of this.segments) segment.release()
    this.segments = []
  }

  private level(at: number): Array<Segment> {
    while (this.levels.length <= at) {
      this.levels.push([])
      this.running.push(undefined)
    }
    return this.levels[at]!
  }

  private finish(level: number, { merge, withNext }: Running): void {
    const made = merge.end()
    const next = this.level(level + 1)
    const done = new Set(merge.inputs)
    this.levels[level] = this.level(level).filter((segment) => !done.has(segment))
    if (withNext) next.length = 0
    if (made !== undefined) {
      next.unshift(made)
      this.mergedBytes += made.bytes
    }
    for (const segment of merge.inputs) segment.release()
  }

  private changed(): void {
    for (let level = 0; level < this.levels.length; level++) this.start(level)
    this.segments = this.levels.flat()
  }

  private start(level: number): void {
    const segments = this.levels[level]!
    const above = this.running[level - 1]
    if (segments.length < lastFanout || this.running[level] !== undefined || above?.withNext === true) return
    const next = this.level(level + 1)
    const last = this.levels.slice(level + 2).every(({ length }) => length === 0)
    const withNext =
      last &&
      next.length > 0 &&
      this.running[level + 1] === undefined &&
      bytesOf(next) <= lastRatioMax * bytesOf(segments)
    if (!withNext && segments.length < fanout) return
    const own = withNext ? segments : segments.slice(-fanout)
    const inputs = withNext ? [...own, ...next] : own
    const bottom = last && (withNext || next.length === 0)
    const { forgets, parts } = this
    const merge = new Merge({ parts, number: this.takeNumber(), inputs, bottom, forgets })
    this.running[level] = { merge, withNext, pace: (headroom * merge.inputBytes) / Math.max(1, bytesOf(own)) }
  }
}
