/**
 * A join of two tables on disk: `LatestState.ts` for state larger than memory, with the same answers, changes and snapshots.
 *
 * A key's rows and its changes that wait are one entry, which is looked at when time comes to a change or to the end of a row.
 */
import type { ColumnBatch } from "@frazil/core"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { type LatestSpec, left, right, type Side } from "./Join.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { type JoinInput, readSides } from "./JoinRecord.ts"
import type { EmitJoined, JoinRefusal, JoinState } from "./JoinState.ts"
import { StoredJoin } from "./StoredJoin.ts"
import type { OpenJoin } from "./StoredJoinKeys.ts"
import {
  addRecord,
  heldOf,
  makeStoredKey,
  recordsOf,
  removeFirst,
  replaceRow,
  type StoredKey,
  type StoredRecord
} from "./StoredKey.ts"
import { tellLatest } from "./TellLatest.ts"

/** A key whose rows changed at one time. */
interface Touched {
  readonly before: StoredKey["rows"]
  after: StoredKey["rows"]
  /** The record that changed it last. */
  by: StoredRecord
}

class StoredLatestJoin extends StoredJoin<LatestSpec> implements JoinState {
  /** Changes. */
  private waiting = 0

  constructor(plan: JoinPlan, spec: LatestSpec, open: OpenJoin) {
    super(plan, spec, open, spec.ttlMs)
  }

  take(
    input: JoinInput,
    batch: ColumnBatch,
    row: number,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ): JoinRefusal | undefined {
    const { allowedLatenessMs, recordsPerKeyMax, ttlMs } = this.spec
    const horizon = watermark - allowedLatenessMs
    const { key, side, time } = input
    const late = time < horizon
    if (this.closed || (late && time + ttlMs <= horizon)) return "late"
    const found = this.keys.get(key)
    const current = found?.rows[side]
    if (late && current !== undefined && current.time > time) return "late"
    if (found !== undefined && heldOf(found) >= recordsPerKeyMax) return "evicted"
    const keyed = found ?? makeStoredKey(key)
    const held = this.keys.make(input, batch, row)
    this.keys.hold(held)
    if (!late) {
      this.keys.put(keyed, this.wait(keyed, held))
      return undefined
    }
    const touched = this.apply(keyed, held, undefined)
    this.keys.schedule(keyed, this.nextOf(keyed))
    this.keys.put(keyed, time + ttlMs)
    // what was told of times before the watermark stands
    if (touched !== undefined) this.give(touched, horizon, host, emit)
    return "dropped"
  }

  /** The change waits in its key's entry; when its row is over. */
  private wait(keyed: StoredKey, held: StoredRecord): number {
    addRecord(keyed, held)
    this.waiting++
    this.keys.schedule(keyed, held.time)
    return held.time + this.spec.ttlMs
  }

  /** Makes a change the row of its side, unless that is newer. */
  private apply(keyed: StoredKey, held: StoredRecord, touched: Touched | undefined): Touched | undefined {
    const before = keyed.rows[held.side]
    if (before !== undefined && before.time > held.time) {
      this.keys.gone(held)
      return touched
    }
    return this.replace(keyed, held.side, held, held, touched)
  }

  private replace(
    keyed: StoredKey,
    side: Side,
    row: StoredRecord | undefined,
    by: StoredRecord,
    touched: Touched | undefined
  ): Touched {
    const rows: StoredKey["rows"] = [...keyed.rows]
    const before = replaceRow(keyed, side, row)
    if (before !== undefined) this.keys.gone(before)
    return { before: touched?.before ?? rows, after: [...keyed.rows], by }
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const horizon = watermark - this.spec.allowedLatenessMs
    const step = this.makeStep((touched, at) => this.give(touched, at, host, emit))
    this.keys.visitDue(horizon, step.visit, step.after)
    this.keys.forget(horizon)
  }

  /** Applies all that changes at a time, key by key, and tells what changed of each. */
  private makeStep(tell: (touched: Touched, at: number) => void) {
    let all: Array<Touched> = []
    return {
      visit: (keyed: StoredKey, at: number): number => {
        let touched: Touched | undefined
        for (const held of this.takeWaiting(keyed, at)) touched = this.apply(keyed, held, touched)
        for (const side of [left, right] as const) {
          const row = keyed.rows[side]
          if (row !== undefined && row.time + this.spec.ttlMs <= at)
            touched = this.replace(keyed, side, undefined, row, touched)
        }
        if (touched !== undefined) all.push(touched)
        return this.nextOf(keyed)
      },
      after: (at: number): void => {
        for (const each of all.sort((one, other) => one.by.id - other.by.id)) tell(each, at)
        all = []
      }
    }
  }

  /** Changes whose time has come, in their order. */
  private takeWaiting(keyed: StoredKey, at: number): ReadonlyArray<StoredRecord> {
    const taken = ([left, right] as const).flatMap((side) => removeFirst(keyed, side, keyed.lines[side].placeAfter(at)))
    this.waiting -= taken.length
    return taken.sort((one, other) => one.time - other.time || one.id - other.id)
  }

  /** When the next change of a key is, or the end of a row. */
  private nextOf({ lines, rows }: StoredKey): number {
    let next = Number.POSITIVE_INFINITY
    for (const side of [left, right] as const) {
      const [change, row] = [lines[side].at(0), rows[side]]
      if (change !== undefined) next = Math.min(next, change.time)
      if (row !== undefined) next = Math.min(next, row.time + this.spec.ttlMs)
    }
    return next
  }

  /** Tells what changed of a result. */
  private give(touched: Touched, time: number, host: KeepingHost, emit: EmitJoined): void {
    tellLatest(this.plan, this.spec, touched, time, host, emit)
  }

  /** The end of input is the end of time, but not of rows: those that are there stay. */
  close(host: KeepingHost, emit: EmitJoined): void {
    this.endWaiting((touched, at) => this.give(touched, at, host, emit))
    this.closed = true
  }

  private endWaiting(tell: (touched: Touched, at: number) => void): void {
    const step = this.makeStep(tell)
    while (this.waiting > 0 && this.keys.nextAt() < Number.POSITIVE_INFINITY)
      this.keys.visitFirst(step.visit, step.after)
  }

  capture(kind: CaptureKind): Capture {
    return this.keys.capture(kind, () => {})
  }

  load(entries: unknown): void {
    this.keys.load(entries, (keyed, held, before) => {
      // what had its turn has it no more when time is restored: of a large state that would be each key's
      if (!(held.time < before)) return this.wait(keyed, held)
      const row = keyed.rows[held.side]
      if (row === undefined || row.time < held.time || (row.time === held.time && row.id < held.id))
        replaceRow(keyed, held.side, held)
      const overAt = held.time + this.spec.ttlMs
      this.keys.schedule(keyed, overAt)
      return overAt
    })
  }

  restored(watermark: number, closed: boolean): void {
    this.closed = closed
    const horizon = watermark - this.spec.allowedLatenessMs
    // what they changed is in the epochs that were committed
    const step = this.makeStep(() => {})
    this.keys.visitDue(horizon, step.visit, step.after)
    if (closed) this.endWaiting(() => {})
    this.keys.forget(horizon)
  }

  read(key: string): object | undefined {
    const keyed = this.keys.get(key)
    return keyed === undefined ? undefined : readSides(recordsOf(keyed))
  }
}

export const makeStoredLatestState = (plan: JoinPlan, spec: LatestSpec, open: OpenJoin): JoinState =>
  new StoredLatestJoin(plan, spec, open)
