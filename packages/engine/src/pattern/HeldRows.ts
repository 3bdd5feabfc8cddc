/**
 * Records that a pattern holds until the watermark passes them, as columns: no object for each, since most are forgotten
 * when their turn comes.
 *
 * `PatternState` adds them as they come and takes them by event time, those of one time as they came. A row is a number that is
 * used again. Most come in order and stand in a line; what comes earlier than the last of the line goes through a heap.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { ByteStore, type Segment } from "../state/ByteStore.ts"
import type { HeldRecord } from "./HeldRecord.ts"

const rowsInitial = 1_024
export const noRow = -1

const grown = <A extends Float64Array | Int32Array>(from: A, into: A): A => {
  into.set(from)
  return into
}

export class HeldRows {
  /** By row. */
  private times = new Float64Array(rowsInitial)
  private ids = new Float64Array(rowsInitial).fill(noRow)
  private offsets = new Float64Array(rowsInitial)
  private masks = new Int32Array(rowsInitial)
  private ports = new Int32Array(rowsInitial)
  private starts = new Int32Array(rowsInitial)
  private ends = new Int32Array(rowsInitial)
  private readonly segments: Array<Segment | undefined> = []
  private readonly keys: Array<string> = []
  private readonly records: Array<AnyRecord | undefined> = []
  private readonly changed: Array<boolean> = []
  private readonly cells: Array<AnyRecord | undefined> = []

  private free = new Int32Array(rowsInitial)
  private freeCount = 0
  /** Rows that were used so far. */
  private used = 0
  private readonly bytes = new ByteStore()

  /** A ring of rows by time: `lineCount` of them, from `lineHead`. */
  private line = new Int32Array(rowsInitial)
  private lineHead = 0
  private lineCount = 0
  private lastTime = Number.NEGATIVE_INFINITY
  private lastId = noRow
  private readonly heap: Array<number> = []

  add(
    id: number,
    key: string,
    time: number,
    mask: number,
    offset: number,
    port: number,
    source: Uint8Array,
    start: number,
    end: number,
    record: AnyRecord | undefined,
    changed: boolean,
    cells: AnyRecord | undefined
  ): number {
    const row = this.freeCount > 0 ? this.free[--this.freeCount]! : this.nextRow()
    this.ids[row] = id
    this.times[row] = time
    this.offsets[row] = offset
    this.masks[row] = mask
    this.ports[row] = port
    this.segments[row] = this.bytes.add(source, start, end)
    this.starts[row] = this.bytes.start
    this.ends[row] = this.bytes.start + end - start
    this.keys[row] = key
    this.records[row] = record
    this.changed[row] = changed
    this.cells[row] = cells
    if (this.lineCount === 0 || time > this.lastTime || (time === this.lastTime && id > this.lastId)) this.push(row)
    else this.rise(row)
    return row
  }

  private nextRow(): number {
    if (this.used === this.times.length) {
      const rows = this.used * 2
      this.times = grown(this.times, new Float64Array(rows))
      this.ids = grown(this.ids, new Float64Array(rows).fill(noRow))
      this.offsets = grown(this.offsets, new Float64Array(rows))
      this.masks = grown(this.masks, new Int32Array(rows))
      this.ports = grown(this.ports, new Int32Array(rows))
      this.starts = grown(this.starts, new Int32Array(rows))
      this.ends = grown(this.ends, new Int32Array(rows))
      this.free = grown(this.free, new Int32Array(rows))
    }
    return this.used++
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
  firstTime(): number {
    const row = this.first()
    return row === noRow ? Number.POSITIVE_INFINITY : this.times[row]!
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
    this.bytes.remove(this.segments[row]!, this.ends[row]! - this.starts[row]!)
    this.ids[row] = noRow
    this.segments[row] = undefined
    this.records[row] = undefined
    this.cells[row] = undefined
    this.free[this.freeCount++] = row
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

  keyOf(row: number): string {
    return this.keys[row]!
  }

  maskOf(row: number): number {
    return this.masks[row]!
  }

  /** Writes the row into `into`, whose bytes are the row's own until it is forgotten. */
  read(row: number, into: MutableHeld): void {
    into.id = this.ids[row]!
    into.key = this.keys[row]!
    into.time = this.times[row]!
    into.offset = this.offsets[row]!
    into.port = this.ports[row]!
    into.bytes = this.segments[row]!.bytes
    into.start = this.starts[row]!
    into.end = this.ends[row]!
    into.text = undefined
    into.mask = this.masks[row]!
    into.changed = this.changed[row]!
    into.record = this.records[row]
    into.cells = this.cells[row]
    into.turn = 0
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
  bytes: new Uint8Array(0),
  start: 0,
  end: 0,
  text: undefined,
  mask: 0,
  changed: false,
  record: undefined,
  cells: undefined,
  turn: 0
})

/** One that stays, with bytes of its own. */
export const ownedHeld = (held: HeldRecord): HeldRecord => ({
  ...held,
  // a Buffer's slice would be a view
  bytes: new Uint8Array(held.bytes.subarray(held.start, held.end)),
  start: 0,
  end: held.end - held.start
})
