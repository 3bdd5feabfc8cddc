/**
 * A join of two tables in one shard: the latest records of a key on both sides, told anew whenever one of them changes.
 *
 * Changes wait until the watermark is beyond their time and are then applied in its order, those of one key and time
 * together, so that the results are the same whatever the order in which they came. A row is over by the time to live, which
 * is a change like its deletion. A deletion is a row until then, so that an older change does not bring back what was there
 * before.
 */
import type { ColumnBatch } from "@frazil/core"
import { type Timed, TimeQueue } from "../pattern/TimeQueue.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { type LatestSpec, left, right, type Side } from "./Join.ts"
import { entriesOfKey } from "./JoinCodec.ts"
import { JoinMemory } from "./JoinMemory.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { type JoinInput, type JoinRecord, readSides } from "./JoinRecord.ts"
import type { EmitJoined, JoinRefusal, JoinState } from "./JoinState.ts"
import { tellLatest } from "./TellLatest.ts"

interface KeyRows {
  readonly key: string
  /** By side, deletions among them. */
  readonly rows: [JoinRecord | undefined, JoinRecord | undefined]
  /** Changes. */
  waiting: number
  /** When its first row is over, by the deadline that is in the queue; infinite: there is none. */
  scheduledAt: number
}

interface Deadline extends Timed {
  readonly keyed: KeyRows
}

/** What a key had before the changes of one time, and the record that changed it last. */
interface Touched {
  readonly before: Readonly<KeyRows["rows"]>
  by: JoinRecord
}

class LatestJoin implements JoinState {
  readonly name: string
  private readonly plan: JoinPlan
  private readonly spec: LatestSpec
  private readonly keys = new Map<string, KeyRows>()
  private readonly waiting = new TimeQueue<JoinRecord>()
  private readonly deadlines = new TimeQueue<Deadline>()
  private readonly memory: JoinMemory
  private rowsHeld = 0
  private closed = false

  constructor(plan: JoinPlan, spec: LatestSpec) {
    this.name = plan.name
    this.plan = plan
    this.spec = spec
    this.memory = new JoinMemory(plan, () => this.all())
  }

  /** The time of the next change, or of the end of a row. */
  private nextTime(): number {
    const change = this.waiting.first()?.time ?? Number.POSITIVE_INFINITY
    return Math.min(change, this.deadlines.first()?.time ?? Number.POSITIVE_INFINITY)
  }

  nextAt(): number {
    return this.nextTime() + this.spec.allowedLatenessMs
  }

  take(
    input: JoinInput,
    batch: ColumnBatch,
    row: number,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ): JoinRefusal | undefined {
    const { allowedLatenessMs, recordsHeldMax, recordsPerKeyMax, ttlMs } = this.spec
    const horizon = watermark - allowedLatenessMs
    const { key, side, time } = input
    const keyed = this.keys.get(key)
    const current = keyed?.rows[side]
    const late = time < horizon
    if (this.closed || (late && (time + ttlMs <= horizon || (current !== undefined && current.time > time))))
      return "late"
    const heldOfKey = keyed === undefined ? 0 : keyed.waiting + rowsOf(keyed)
    if (heldOfKey >= recordsPerKeyMax || this.waiting.length() + this.rowsHeld >= recordsHeldMax) return "evicted"
    const held = this.memory.records.make(input, batch, row)
    this.memory.cameIn(held)
    if (!late) {
      this.wait(held)
      return undefined
    }
    const touched = new Map<KeyRows, Touched>()
    this.apply(held, this.keyOf(key), touched)
    // what was told of times before the watermark stands
    this.give(touched, horizon, host, emit)
    return "dropped"
  }

  private keyOf(key: string): KeyRows {
    let keyed = this.keys.get(key)
    if (keyed === undefined) {
      keyed = { key, rows: [undefined, undefined], waiting: 0, scheduledAt: Number.POSITIVE_INFINITY }
      this.keys.set(key, keyed)
    }
    return keyed
  }

  private wait(held: JoinRecord): void {
    this.keyOf(held.key).waiting++
    this.waiting.add(held)
  }

  private apply(held: JoinRecord, keyed: KeyRows, touched: Map<KeyRows, Touched>): void {
    const before = keyed.rows[held.side]
    if (before !== undefined && before.time > held.time) {
      this.memory.records.remove(held)
      return
    }
    this.replace(keyed, held.side, held, held, touched)
    const over = held.time + this.spec.ttlMs
    if (over >= keyed.scheduledAt) return
    keyed.scheduledAt = over
    this.deadlines.add({ time: over, id: held.id, keyed })
  }

  private replace(
    keyed: KeyRows,
    side: Side,
    row: JoinRecord | undefined,
    by: JoinRecord,
    touched: Map<KeyRows, Touched>
  ): void {
    const known = touched.get(keyed)
    if (known === undefined) touched.set(keyed, { before: [...keyed.rows], by })
    else known.by = by
    const before = keyed.rows[side]
    if (before !== undefined) this.memory.records.remove(before)
    this.rowsHeld += (row === undefined ? 0 : 1) - (before === undefined ? 0 : 1)
    keyed.rows[side] = row
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const horizon = watermark - this.spec.allowedLatenessMs
    for (let time = this.nextTime(); time < horizon; time = this.nextTime()) this.step(time, host, emit)
  }

  /** Applies all that changes at a time. */
  private step(time: number, host: KeepingHost, emit: EmitJoined): void {
    const touched = new Map<KeyRows, Touched>()
    for (let held = this.waiting.first(); held?.time === time; held = this.waiting.first()) {
      this.waiting.shift()
      const keyed = this.keys.get(held.key)!
      keyed.waiting--
      this.apply(held, keyed, touched)
    }
    for (let next = this.deadlines.first(); next?.time === time; next = this.deadlines.first()) {
      this.deadlines.shift()
      // another one is before it
      if (next.keyed.scheduledAt === time) this.expire(next.keyed, time, touched)
    }
    this.give(touched, time, host, emit)
  }

  /** Ends rows whose time to live is over, and looks when the next one is. */
  private expire(keyed: KeyRows, time: number, touched: Map<KeyRows, Touched>): void {
    keyed.scheduledAt = Number.POSITIVE_INFINITY
    for (const side of [left, right] as const) {
      const row = keyed.rows[side]
      if (row === undefined) continue
      const over = row.time + this.spec.ttlMs
      if (over <= time) this.replace(keyed, side, undefined, row, touched)
      else if (over < keyed.scheduledAt) {
        keyed.scheduledAt = over
        this.deadlines.add({ time: over, id: row.id, keyed })
      }
    }
    if (keyed.waiting + rowsOf(keyed) === 0) this.keys.delete(keyed.key)
  }

  /** Tells what changed of results at a time. */
  private give(touched: ReadonlyMap<KeyRows, Touched>, time: number, host: KeepingHost, emit: EmitJoined): void {
    for (const [{ rows: after }, { before, by }] of touched)
      tellLatest(this.plan, this.spec, { before, after, by }, time, host, emit)
  }

  /** The end of input is the end of time, but not of rows: those that are there stay. */
  close(host: KeepingHost, emit: EmitJoined): void {
    while (this.waiting.length() > 0) this.step(this.nextTime(), host, emit)
    this.closed = true
  }

  takeDelta(): unknown {
    return this.memory.takeDelta()
  }

  private all(): ReadonlyArray<JoinRecord> {
    const rows = Array.from(this.keys.values()).flatMap((keyed) => keyed.rows.filter((row) => row !== undefined))
    return [...this.waiting.items(), ...rows]
  }

  capture(kind: CaptureKind): Capture {
    return this.memory.capture(kind)
  }

  load(entries: unknown): void {
    this.memory.load(entries, (held) => this.wait(held))
  }

  entriesOf(entries: unknown, key: string): unknown {
    return entriesOfKey(entries, key)
  }

  restored(watermark: number, closed: boolean): void {
    this.closed = closed
    this.memory.records.loaded()
    const horizon = watermark - this.spec.allowedLatenessMs
    const touched = new Map<KeyRows, Touched>()
    // what they changed is in the epochs that were committed
    for (let held = this.waiting.first(); held !== undefined; held = this.waiting.first()) {
      if (!closed && !(held.time < horizon)) break
      this.waiting.shift()
      const keyed = this.keys.get(held.key)!
      keyed.waiting--
      this.apply(held, keyed, touched)
    }
    for (let next = this.deadlines.first(); next !== undefined && next.time < horizon; next = this.deadlines.first()) {
      this.deadlines.shift()
      if (next.keyed.scheduledAt === next.time) this.expire(next.keyed, next.time, touched)
    }
  }

  size(): number {
    return this.keys.size
  }

  read(key: string): object | undefined {
    const rows = this.keys.get(key)?.rows
    const held = [rows?.[left], rows?.[right]].flatMap((row) => row ?? [])
    return readSides([...this.waiting.items().filter((each) => each.key === key), ...held])
  }
}

const rowsOf = ({ rows }: KeyRows): number => (rows[left] === undefined ? 0 : 1) + (rows[right] === undefined ? 0 : 1)

export const makeLatestState = (plan: JoinPlan, spec: LatestSpec): JoinState => new LatestJoin(plan, spec)
