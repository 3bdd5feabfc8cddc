/**
 * Records that a pattern holds until the watermark passes them, as columns: no object for each, since most are forgotten
 * when their turn comes.
 *
 * `PatternState` adds them as they come and takes them by event time, those of one time as they came. A row is a number that is
 * used again. Most come in order and stand in a line; what comes earlier than the last of the line goes through a heap.
 * Bytes stay in the batch while it lasts; when it ends, those that are still wanted are copied, neighbours together.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { ByteStore, type Segment } from "../state/ByteStore.ts"
import { grown } from "../state/Grown.ts"
import { noBytes } from "../state/KeptRecord.ts"
import type { HeldKeys } from "./HeldKeys.ts"
import type { HeldRecord } from "./HeldRecord.ts"

const rowsInitial = 1_024
export const noRow = -1

/** Of a row: code has changed its record; what linked conditions read of it lies in `cells`, else in the record; it has a record. */
const changedKind = 1
const celledKind = 2
const madeKind = 4

/** So much between two records is copied with them: what stands between two lines of a file, or two values of a log. */
const gapBytesMax = 32

const undefinedRows = <A>(): Array<A | undefined> => Array.from<A | undefined>({ length: rowsInitial }).fill(undefined)

export class HeldRows {
  /** By row. */
  private times = new Float64Array(rowsInitial)
  private ids = new Float64Array(rowsInitial).fill(noRow)
  private offsets = new Float64Array(rowsInitial)
  private masks = new Int32Array(rowsInitial)
  private ports = new Int32Array(rowsInitial)
  private starts = new Int32Array(rowsInitial)
  private ends = new Int32Array(rowsInitial)
  private kinds = new Uint8Array(rowsInitial)
  /** Undefined: the bytes are still those of the batch. */
  private readonly segments: Array<Segment | undefined> = undefinedRows()
  private keys = new Int32Array(rowsInitial)
  private readonly records: Array<AnyRecord | undefined> = undefinedRows()
  /** By field, then by row: what linked conditions read. */
  readonly cells: ReadonlyArray<Array<unknown>>
  private readonly cellNames: ReadonlyArray<string>
  private readonly cellsRead: Record<string, unknown>

  private readonly heldKeys: HeldKeys
  /** The row that was taken last. */
  private cursor = noRow
  private readonly bytes = new ByteStore()
  /** The batch's, and the rows that were added of it. */
  private source: Uint8Array = noBytes
  private fresh = new Int32Array(rowsInitial)
  private freshCount = 0

  /** A ring of rows by time: `lineCount` of them, from `lineHead`. */
  private line = new Int32Array(rowsInitial)
  private lineHead = 0
  private lineCount = 0
  private lastTime = Number.NEGATIVE_INFINITY
  private lastId = noRow
  private readonly heap: Array<number> = []

  /** `cellNames`: the fields that linked conditions read. */
  constructor(cellNames: ReadonlyArray<string>, keys: HeldKeys) {
    this.heldKeys = keys
    this.cellNames = cellNames
    this.cells = cellNames.map(() => undefinedRows())
    // defined, not assigned: a field may be named as an accessor that every object inherits
    this.cellsRead = Object.fromEntries(cellNames.map((name) => [name, null]))
  }

  /** `record`: undefined when nobody has made it. `celled`: what linked conditions read is written next, into `cells`. */
  add(
    id: number,
    key: number,
    time: number,
    mask: number,
    offset: number,
    port: number,
    source: Uint8Array,
    start: number,
    end: number,
    record: AnyRecord | undefined,
    changed: boolean,
    celled: boolean
  ): number {
    if (source !== this.source) {
      // of another batch that is taken in beside it
      this.keepBytes()
      this.source = source
    }
    const row = this.nextRow()
    this.ids[row] = id
    this.times[row] = time
    this.offsets[row] = offset
    this.masks[row] = mask
    this.ports[row] = port
    this.starts[row] = start
    this.ends[row] = end
    this.kinds[row] = (changed ? changedKind : 0) | (celled ? celledKind : 0) | (record === undefined ? 0 : madeKind)
    this.keys[row] = key
    if (record !== undefined) this.records[row] = record
    if (this.freshCount === this.fresh.length) this.fresh = grown(this.fresh, new Int32Array(this.freshCount * 2))
    this.fresh[this.freshCount++] = row
    if (this.lineCount === 0 || time > this.lastTime || (time === this.lastTime && id > this.lastId)) this.push(row)
    else this.rise(row)
    return row
  }

  /**
   * Rows are taken in a circle, half of which is free: records that come one behind the other lie so in every column, and most
   * have their turns in that order too.
   */
  private nextRow(): number {
    const { ids } = this
    if (this.length() * 2 >= ids.length) return this.widen()
    const last = ids.length - 1
    let row = (this.cursor + 1) & last
    while (ids[row] !== noRow) row = (row + 1) & last
    return (this.cursor = row)
  }

  /** Gives the first of as many more rows. */
  private widen(): number {
    const from = this.ids.length
    const rows = from * 2
    this.times = grown(this.times, new Float64Array(rows))
    this.ids = grown(this.ids, new Float64Array(rows).fill(noRow))
    this.offsets = grown(this.offsets, new Float64Array(rows))
    this.keys = grown(this.keys, new Int32Array(rows))
    this.masks = grown(this.masks, new Int32Array(rows))
    this.ports = grown(this.ports, new Int32Array(rows))
    this.starts = grown(this.starts, new Int32Array(rows))
    this.ends = grown(this.ends, new Int32Array(rows))
    this.kinds = grown(this.kinds, new Uint8Array(rows))
    for (const list of [this.segments, this.records, ...this.cells]) while (list.length < rows) list.push(undefined)
    return (this.cursor = from)
  }

  /** The batch's bytes are about to mean something else: those of records that wait are copied. */
  keepBytes(): void {
    const { ends, fresh, freshCount, source, starts } = this
    for (let at = 0; at < freshCount;) {
      const begin = at++
      if (!this.inBatch(fresh[begin]!)) continue
      const from = starts[fresh[begin]!]!
      let to = ends[fresh[begin]!]!
      const most = this.bytes.roomFor(to - from)
      for (; at < freshCount; at++) {
        const row = fresh[at]!
        if (!this.inBatch(row)) continue
        const start = starts[row]!
        if (start < to || start - to > gapBytesMax || ends[row]! - from > most) break
        to = ends[row]!
      }
      this.moveInto(begin, at, this.bytes.place(source, from, to), this.bytes.start - from)
    }
    this.freshCount = 0
    this.source = noBytes
  }

  /** A row may be that of a later record of the batch: it is found more than once then, and moved once. */
  private inBatch(row: number): boolean {
    return this.ids[row] !== noRow && this.segments[row] === undefined
  }

  private moveInto(begin: number, end: number, segment: Segment, shift: number): void {
    const { bytes, ends, fresh, segments, starts } = this
    for (let at = begin; at < end; at++) {
      const row = fresh[at]!
      if (!this.inBatch(row)) continue
      segments[row] = segment
      bytes.keep(segment, ends[row]! - starts[row]!)
      starts[row] = starts[row]! + shift
      ends[row] = ends[row]! + shift
    }
  }

  private push(row: number): void {
    const { line } = this
    if (this.lineCount === line.length) {
      const wider = new Int32Array(line.length * 2)
      for (let at = 0; at < line.length; at++) wider[at] = line[(this.lineHead + at) & (line.length - 1)]!
      this.line = wider
      this.lineHead = 0
    }
    this.line[(this.lineHead + this.lineCount++) & (this.line.length - 1)] = row
    this.lastTime = this.times[row]!
    this.lastId = this.ids[row]!
  }

  private before(left: number, right: number): boolean {
    const { ids, times } = this
    return times[left]! < times[right]! || (times[left] === times[right] && ids[left]! < ids[right]!)
  }

  private rise(row: number): void {
    const { heap } = this
    let at = heap.push(row) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.before(row, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = row
  }

  private sink(row: number): void {
    const { heap } = this
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.before(heap[child + 1]!, heap[child]!)) child++
      if (!this.before(heap[child]!, row)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = row
  }

  /** The row whose turn is next; `noRow`: none. */
  first(): number {
    const next = this.lineCount === 0 ? noRow : this.line[this.lineHead]!
    if (this.heap.length === 0) return next
    const early = this.heap[0]!
    return next !== noRow && this.before(next, early) ? next : early
  }

  /** Infinite: there is none. */
  timeOf(row: number): number {
    return row === noRow ? Number.POSITIVE_INFINITY : this.times[row]!
  }

  /** Infinite: there is none. */
  firstTime(): number {
    return this.timeOf(this.first())
  }

  /** Takes the first row out of the order; its fields are there until it is forgotten. */
  shift(row: number): void {
    if (this.lineCount > 0 && this.line[this.lineHead] === row) {
      this.lineHead = (this.lineHead + 1) & (this.line.length - 1)
      this.lineCount--
      return
    }
    const last = this.heap.pop()
    if (last !== undefined && this.heap.length > 0) this.sink(last)
  }

  forget(row: number): void {
    const segment = this.segments[row]
    if (segment !== undefined) this.bytes.remove(segment, this.ends[row]! - this.starts[row]!)
    this.ids[row] = noRow
    this.segments[row] = undefined
    if ((this.kinds[row]! & madeKind) !== 0) this.records[row] = undefined
    for (let at = 0; at < this.cells.length; at++) this.cells[at]![row] = undefined
  }

  forgetSource(): void {
    this.bytes.forgetSource()
  }

  length(): number {
    return this.lineCount + this.heap.length
  }

  idOf(row: number): number {
    return this.ids[row]!
  }

  keyOf(row: number): number {
    return this.keys[row]!
  }

  maskOf(row: number): number {
    return this.masks[row]!
  }

  isChanged(row: number): boolean {
    return (this.kinds[row]! & changedKind) !== 0
  }

  /** Linked conditions read nothing of it but its cells. */
  isCelled(row: number): boolean {
    return (this.kinds[row]! & celledKind) !== 0
  }

  /** Of the row, what expressions are told: the rest of `into` is of another. */
  readAsked(row: number, into: MutableHeld): void {
    const kind = this.kinds[row]!
    into.mask = this.masks[row]!
    into.record = (kind & madeKind) === 0 ? undefined : this.records[row]
    into.cells = (kind & celledKind) === 0 ? into.record : this.readCells(row)
  }

  /** Writes the row into `into`, whose bytes are the row's own until it is forgotten. */
  read(row: number, into: MutableHeld): void {
    const kind = this.kinds[row]!
    into.id = this.ids[row]!
    into.key = this.heldKeys.textOf(this.keys[row]!)
    into.time = this.times[row]!
    into.offset = this.offsets[row]!
    into.port = this.ports[row]!
    into.bytes = this.segments[row]?.bytes ?? this.source
    into.start = this.starts[row]!
    into.end = this.ends[row]!
    into.text = undefined
    into.mask = this.masks[row]!
    into.changed = (kind & changedKind) !== 0
    into.record = (kind & madeKind) === 0 ? undefined : this.records[row]
    into.cells = (kind & celledKind) === 0 ? into.record : this.readCells(row)
    into.turn = 0
  }

  /** Written over by the next row that is read. */
  private readCells(row: number): AnyRecord {
    const { cellNames, cells, cellsRead } = this
    for (let at = 0; at < cellNames.length; at++) cellsRead[cellNames[at]!] = cells[at]![row]
    return cellsRead
  }

  /** All that wait, in no order. */
  rows(): ReadonlyArray<number> {
    const { line, lineCount, lineHead } = this
    const inLine = Array.from({ length: lineCount }, (_, at) => line[(lineHead + at) & (line.length - 1)]!)
    return [...inLine, ...this.heap]
  }
}

/** A record that is written over by the next one. */
export type MutableHeld = { -readonly [K in keyof HeldRecord]: HeldRecord[K] }

export const makeMutableHeld = (): MutableHeld => ({
  id: noRow,
  key: "",
  time: 0,
  offset: 0,
  port: 0,
  bytes: noBytes,
  start: 0,
  end: 0,
  text: undefined,
  mask: 0,
  changed: false,
  record: undefined,
  cells: undefined,
  turn: 0
})

/** One that stays, with bytes and cells of its own. */
export const ownedHeld = (held: HeldRecord): HeldRecord => ({
  ...held,
  cells: held.cells === undefined || held.cells === held.record ? held.cells : { ...held.cells },
  // a Buffer's slice would be a view
  bytes: new Uint8Array(held.bytes.subarray(held.start, held.end)),
  start: 0,
  end: held.end - held.start
})
