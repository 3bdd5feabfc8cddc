/**
 * An interval join on disk: `IntervalState.ts` for state larger than memory, with the same answers, changes and snapshots.
 *
 * A record is one look into the cache. A key is looked at by time only where it has a record that may be told alone.
 */
import type { ColumnBatch } from "@frazil/core"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { giveJoined } from "./GiveJoined.ts"
import { type IntervalSpec, isOuter, left, right, type Side } from "./Join.ts"
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
  type StoredKey,
  type StoredRecord
} from "./StoredKey.ts"

class StoredIntervalJoin extends StoredJoin<IntervalSpec> implements JoinState {
  private readonly outer: readonly [boolean, boolean]
  /** How long a record of a side waits beyond its own time, and the longer of both. */
  private readonly waitMs: readonly [number, number]
  private readonly waitMsMax: number

  constructor(plan: JoinPlan, spec: IntervalSpec, open: OpenJoin) {
    const waitMs = [Math.max(0, spec.upperMs), Math.max(0, -spec.lowerMs)] as const
    const waitMsMax = Math.max(...waitMs)
    super(plan, spec, open, waitMsMax)
    this.outer = [isOuter(spec, left), isOuter(spec, right)]
    this.waitMs = waitMs
    this.waitMsMax = waitMsMax
  }

  /** When no partner of it can come any more, by a watermark that the lateness was taken from. */
  private overAt({ side, time }: StoredRecord): number {
    return time + this.waitMs[side]
  }

  take(
    input: JoinInput,
    batch: ColumnBatch,
    row: number,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ): JoinRefusal | undefined {
    const { allowedLatenessMs, kind, recordsPerKeyMax } = this.spec
    const horizon = watermark - allowedLatenessMs
    if (input.time < horizon || this.closed) return "late"
    const found = this.keys.get(input.key)
    const held = this.keys.make(input, batch, row)
    if (found !== undefined) {
      this.prune(found, horizon)
      const met = this.pair(held, found, kind === "inner" ? horizon : horizon - this.waitMsMax, host, emit)
      if (heldOf(found) >= recordsPerKeyMax) {
        if (met) this.keys.put(found, found.overAt)
        return "evicted"
      }
    }
    this.keys.hold(held)
    const keyed = found ?? makeStoredKey(input.key)
    this.keys.put(keyed, this.place(keyed, held))
    return undefined
  }

  /** Puts the record into its key's entry; when it is over. */
  private place(keyed: StoredKey, held: StoredRecord): number {
    addRecord(keyed, held)
    const over = this.overAt(held)
    if (this.outer[held.side] && !held.matched) this.keys.schedule(keyed, over)
    return over
  }

  /** Gives the pairs of a record with what is held of the other side, by the times of those; whether there were any. */
  private pair(
    held: StoredRecord,
    { lines }: StoredKey,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ): boolean {
    const { lowerMs, upperMs } = this.spec
    const { side, time } = held
    const line = side === left ? lines[right] : lines[left]
    const last = side === left ? time + upperMs : time - lowerMs
    let place = line.placeAt(side === left ? time + lowerMs : time - upperMs)
    for (let other = line.at(place); other !== undefined && other.time <= last; other = line.at(++place)) {
      held.matched = true
      this.keys.match(other)
      const at = Math.max(time, other.time)
      const [one, second] = side === left ? [held, other] : [other, held]
      giveJoined(this.plan, { by: held, left: one, right: second, time: at, watermark }, host, emit)
    }
    return held.matched
  }

  /** Lets go what was over before `horizon`. */
  private readonly prune = (keyed: StoredKey, horizon = this.keys.horizon): void => {
    for (const side of [left, right] as const) this.removeOver(keyed, side, (over) => over < horizon)
  }

  private removeOver(keyed: StoredKey, side: Side, isOver: (overAt: number) => boolean): ReadonlyArray<StoredRecord> {
    const line = keyed.lines[side]
    let count = 0
    for (let held = line.at(0); held !== undefined && isOver(this.overAt(held)); held = line.at(count)) count++
    const removed = removeFirst(keyed, side, count)
    for (const held of removed) this.keys.gone(held)
    return removed
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const horizon = watermark - this.spec.allowedLatenessMs
    this.end(horizon, (held, at) => {
      const [one, other] = held.side === left ? [held, undefined] : [undefined, held]
      const told = { by: held, left: one, right: other, time: held.time, watermark: at - this.waitMsMax }
      giveJoined(this.plan, told, host, emit)
    })
  }

  /** Calls back for the records that no partner of which came, in the order in which that is certain. */
  private end(horizon: number, alone: (held: StoredRecord, at: number) => void): void {
    let ended: Array<StoredRecord> = []
    this.keys.visitDue(
      horizon,
      (keyed, at) => {
        for (const side of [left, right] as const)
          for (const held of this.removeOver(keyed, side, (over) => over <= at))
            if (this.outer[side] && !held.matched) ended.push(held)
        return this.nextAlone(keyed)
      },
      (at) => {
        for (const held of ended.sort((a, b) => a.side - b.side || a.id - b.id)) alone(held, at)
        ended = []
      }
    )
    this.keys.forget(horizon)
  }

  /** When the first record that has no partner so far is over. */
  private nextAlone({ lines }: StoredKey): number {
    let next = Number.POSITIVE_INFINITY
    for (const side of [left, right] as const) {
      if (!this.outer[side]) continue
      let place = 0
      while (lines[side].at(place)?.matched === true) place++
      const held = lines[side].at(place)
      if (held !== undefined) next = Math.min(next, this.overAt(held))
    }
    return next
  }

  close(host: KeepingHost, emit: EmitJoined): void {
    this.advance(Number.POSITIVE_INFINITY, host, emit)
    this.closed = true
  }

  capture(kind: CaptureKind): Capture {
    return this.keys.capture(kind, this.prune)
  }

  load(entries: unknown): void {
    this.keys.load(entries, (keyed, held) => this.place(keyed, held))
  }

  restored(watermark: number, closed: boolean): void {
    this.closed = closed
    // what they had to give is in the epochs that were committed
    this.end(closed ? Number.POSITIVE_INFINITY : watermark - this.spec.allowedLatenessMs, () => {})
  }

  read(key: string): object | undefined {
    const keyed = this.keys.get(key)
    if (keyed === undefined) return undefined
    this.prune(keyed)
    return readSides(recordsOf(keyed))
  }
}

export const makeStoredIntervalState = (plan: JoinPlan, spec: IntervalSpec, open: OpenJoin): JoinState =>
  new StoredIntervalJoin(plan, spec, open)
