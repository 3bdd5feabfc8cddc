/**
 * The open panes of a window operator on disk, found by start and key and scanned start by start.
 *
 * `StoredFixedState.ts` opens, scans and drops them. A pane's key in the store is its start and then its key, so that what ends
 * together lies together in the order in which results are told; revisions lie likewise by their window's end. What is over is
 * told by time alone, which an entry is written with: nothing is deleted one by one. **Bounds**: the store's; a bucket for each
 * start; while a window is read, `scanBytes` for each level of the store.
 */
import type { DiskStore } from "../flow/Node.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { EmbeddedStore } from "../store/EmbeddedStore.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { type StoredCounts, StoredMap } from "../store/StoredMap.ts"
import { restOfKey, timeKey, timeKeyLength, timeOfKey } from "../store/TimeKeys.ts"
import { type Cells, makeNumbers } from "./Cells.ts"
import { endAfter, firstFrom, insertByStart, lastEndOf } from "./Pane.ts"
import { readStoredCells, storeCells, type StoredCells } from "./StoredCells.ts"
import type { FixedSpec } from "./Window.ts"
import type { WindowPlan } from "./WindowPlan.ts"

export interface StoredPane extends Cells {
  start: number
  /** When the first window that contains it ends, and the last. */
  firstEnd: number
  lastEnd: number
  keyed: { readonly key: string }
  /** Since the last delta. */
  changed: boolean
  /** Since the last early results. */
  touched: boolean
}

/** Panes of one start, of all keys. */
export interface StoredBucket {
  readonly start: number
  readonly firstEnd: number
  readonly lastEnd: number
  /** From this watermark on no window takes records for them. */
  readonly overAt: number
  /** What their keys in the store begin with. */
  readonly group: string
  panes: number
}

/** The last revision of a window that late records revised, and may revise again. */
export interface StoredRevision {
  readonly key: string
  readonly end: number
  readonly revision: number
}

type Entry = StoredPane | number

/** Beside its text: an object of a dozen fields, its numbers, the names it is found by. */
const paneBytes = 420
const scanBytes = 4 * 1_048_576
const scanBytesMin = 4_096
const scanBytesMax = 131_072

/** Panes by their starts, revisions by their windows' ends. */
const paneGroup = (start: number): string => timeKey("p", start)
const revisionGroup = (end: number): string => timeKey("r", end)

/** A pane whose early results are still to come says so; a revision is its number. */
type Encoded = number | StoredCells | { readonly touched: StoredCells }

const makeStoredPane = (numbers: Array<number>): StoredPane => ({
  numbers,
  big: undefined,
  sets: undefined,
  lists: undefined,
  objects: undefined,
  start: Number.NaN,
  firstEnd: Number.NaN,
  lastEnd: Number.NaN,
  keyed: { key: "" },
  changed: false,
  touched: false
})

const encodeEntry = (plan: WindowPlan, entry: Entry): Encoded => {
  if (typeof entry === "number") return entry
  const cells = storeCells(plan, entry)
  return entry.touched ? { touched: cells } : cells
}

/** Of what `encodeEntry` gave: the store's blocks are checked. */
const decodeEntry = (plan: WindowPlan, encoded: Encoded): Entry => {
  if (typeof encoded === "number") return encoded
  const pane = makeStoredPane(makeNumbers(plan.cells))
  pane.touched = "touched" in encoded
  readStoredCells(plan, pane, "touched" in encoded ? encoded.touched : encoded)
  return pane
}

export class StoredPanes {
  private readonly plan: WindowPlan
  private readonly spec: FixedSpec
  private readonly map: StoredMap<Entry>
  /** By start: few, however many keys there are. */
  readonly buckets: Array<StoredBucket> = []
  private last: StoredBucket | undefined
  private overAt = Number.NEGATIVE_INFINITY
  /** Panes in all. */
  open = 0

  constructor(plan: WindowPlan, spec: FixedSpec, { cacheBytesMax }: DiskStore, open: OpenStore) {
    this.plan = plan
    this.spec = spec
    const over = (time: number) => time <= this.overAt
    this.map = new StoredMap<Entry>({
      store: new EmbeddedStore({ ...open(plan.name), over, timesStay: true }),
      cacheBytesMax,
      encode: (entry) => encodeEntry(plan, entry),
      decode: (encoded) => decodeEntry(plan, encoded as Encoded), // of encodeEntry
      groupLength: timeKeyLength,
      entryBytes: paneBytes
    })
  }

  /** The bucket of a start that has panes. */
  private bucket(start: number): StoredBucket | undefined {
    if (this.last?.start === start) return this.last
    const found = this.buckets[firstFrom(this.buckets, start)]
    return found?.start === start ? (this.last = found) : undefined
  }

  private openBucket(start: number): StoredBucket {
    const { allowedLatenessMs } = this.spec
    const lastEnd = lastEndOf(this.spec, start)
    const bucket = {
      start,
      firstEnd: endAfter(this.spec, start),
      lastEnd,
      overAt: lastEnd + allowedLatenessMs,
      group: paneGroup(start),
      panes: 0
    }
    insertByStart(this.buckets, bucket)
    return bucket
  }

  /** The key's pane with that start if there is one, for whoever changes it before the next call. */
  change(key: string, start: number): StoredPane | undefined {
    const bucket = this.bucket(start)
    if (bucket === undefined) return undefined
    const name = bucket.group + key
    const pane = this.paneIn(bucket, name)
    if (pane !== undefined) this.map.set(name, pane, bucket.overAt)
    return pane
  }

  /** As `change`, opened if need be; undefined when that would be one too many. */
  pane(key: string, start: number): StoredPane | undefined {
    return this.change(key, start) ?? (this.full(key) ? undefined : this.make(key, start))
  }

  /** As `pane`, whatever the bounds: of state that is loaded. */
  load(key: string, start: number): StoredPane {
    return this.change(key, start) ?? this.make(key, start)
  }

  private make(key: string, start: number): StoredPane {
    const bucket = this.bucket(start) ?? this.openBucket(start)
    const pane = this.placed(makeStoredPane(makeNumbers(this.plan.cells)), bucket)
    bucket.panes++
    this.open++
    this.map.set(bucket.group + key, pane, bucket.overAt)
    return pane
  }

  private full(key: string): boolean {
    const { openMax, openPerKeyMax } = this.spec
    if (openMax !== undefined && this.open >= openMax) return true
    // most keys have fewer panes than there are starts
    if (openPerKeyMax === undefined || this.buckets.length < openPerKeyMax) return false
    return this.panesOf(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).length >= openPerKeyMax
  }

  private placed(pane: StoredPane, { firstEnd, lastEnd, start }: StoredBucket): StoredPane {
    pane.start = start
    pane.firstEnd = firstEnd
    pane.lastEnd = lastEnd
    return pane
  }

  private paneIn(bucket: StoredBucket, name: string): StoredPane | undefined {
    const pane = this.map.get(name)?.value
    return pane === undefined || typeof pane === "number" ? undefined : this.placed(pane, bucket)
  }

  private *bucketsIn(from: number, to: number): Iterable<StoredBucket> {
    for (let at = firstFrom(this.buckets, from); at < this.buckets.length && this.buckets[at]!.start < to; at++)
      yield this.buckets[at]!
  }

  /** The key's panes that start in `[from, to)`, by start. */
  panesOf(key: string, from: number, to: number): ReadonlyArray<StoredPane> {
    return Array.from(this.bucketsIn(from, to)).flatMap((bucket) => this.paneIn(bucket, bucket.group + key) ?? [])
  }

  /** Calls back for each key with panes that start in `[from, to)`, in the order of keys, with these by start. */
  eachKey(from: number, to: number, visit: (key: string, panes: ReadonlyArray<StoredPane>) => void): void {
    const buckets = Array.from(this.bucketsIn(from, to))
    const readBytes = Math.max(scanBytesMin, Math.min(scanBytesMax, Math.floor(scanBytes / buckets.length)))
    const scans = buckets.map((bucket) => new PaneScan(bucket, this.map.scanGroup(bucket.group, readBytes)))
    try {
      for (;;) {
        let least: string | undefined
        for (const { key } of scans) if (key !== undefined && (least === undefined || key < least)) least = key
        if (least === undefined) return
        const panes: Array<StoredPane> = []
        for (const scan of scans) if (scan.key === least) panes.push(this.placed(scan.take(), scan.bucket))
        visit(least, panes)
      }
    } finally {
      for (const scan of scans) scan.close()
    }
  }

  revision(key: string, end: number): number | undefined {
    const revision = this.map.get(revisionGroup(end) + key)?.value
    return typeof revision === "number" ? revision : undefined
  }

  /** All of the key. */
  revisionsOf(key: string): ReadonlyArray<StoredRevision> {
    const ends = new Set<number>()
    for (const { firstEnd, lastEnd } of this.buckets)
      for (let end = firstEnd; end <= lastEnd; end += this.spec.everyMs) ends.add(end)
    return Array.from(ends).flatMap((end) => {
      const revision = this.revision(key, end)
      return revision === undefined ? [] : [{ key, end, revision }]
    })
  }

  setRevision(key: string, end: number, revision: number): void {
    this.map.set(revisionGroup(end) + key, revision, end + this.spec.allowedLatenessMs)
  }

  /** Forgets what no window takes records for any more at the watermark. */
  drop(watermark: number): void {
    const { buckets, map } = this
    this.overAt = Math.max(this.overAt, watermark)
    let dropped = 0
    for (; dropped < buckets.length && buckets[dropped]!.overAt <= watermark; dropped++) {
      const { group, panes } = buckets[dropped]!
      this.open -= panes
      map.dropGroup(group)
    }
    if (dropped === 0) return
    buckets.splice(0, dropped)
    this.last = undefined
    map.dropOver()
  }

  /** Those of keys and starts that are not over, as they are told. */
  tell(changed: Iterable<{ readonly key: string; readonly start: number }>): ReadonlyArray<StoredPane> {
    const told: Array<StoredPane> = []
    for (const { key, start } of changed) {
      const bucket = this.bucket(start)
      const pane = bucket === undefined ? undefined : this.paneIn(bucket, bucket.group + key)
      if (pane === undefined) continue
      // what a pane of texts and lists takes is known when it is told
      if (!this.plan.flat) this.map.told(bucket!.group + key)
      pane.changed = false
      pane.keyed = { key }
      told.push(pane)
    }
    return told
  }

  /** Entries in place of what was given of their keys before, without what is over. */
  capture(
    kind: CaptureKind,
    encode: (panes: ReadonlyArray<StoredPane>, revisions: ReadonlyArray<StoredRevision>) => unknown
  ): Capture {
    const give = (entries: ReadonlyArray<readonly [name: string, entry: Entry | undefined, overAt: number]>) => {
      const panes: Array<StoredPane> = []
      const revisions: Array<StoredRevision> = []
      for (const [name, entry, overAt] of entries) {
        if (entry === undefined || overAt <= this.overAt) continue
        const time = timeOfKey(name)
        const key = restOfKey(name)
        if (typeof entry === "number") revisions.push({ key, end: time, revision: entry })
        else {
          entry.start = time
          entry.keyed = { key }
          panes.push(entry)
        }
      }
      return panes.length + revisions.length === 0 ? undefined : encode(panes, revisions)
    }
    return this.map.capture(kind, { ofStore: give, ofCache: give })
  }

  counts(): StoredCounts {
    return this.map.counts()
  }

  close(): void {
    this.map.close()
  }
}

/** The panes of a bucket, one after the other. */
class PaneScan {
  readonly bucket: StoredBucket
  private readonly scan: ReturnType<StoredMap<Entry>["scanGroup"]>
  private head: readonly [name: string, entry: Entry] | undefined
  /** Of the next one; undefined: there is none. */
  key: string | undefined

  constructor(bucket: StoredBucket, scan: ReturnType<StoredMap<Entry>["scanGroup"]>) {
    this.bucket = bucket
    this.scan = scan
    this.readOn()
  }

  take(): StoredPane {
    const pane = this.head![1] as StoredPane // a group of panes has nothing else
    this.readOn()
    return pane
  }

  private readOn(): void {
    this.head = this.scan.next()
    this.key = this.head === undefined ? undefined : restOfKey(this.head[0])
  }

  close(): void {
    this.scan.close()
  }
}
