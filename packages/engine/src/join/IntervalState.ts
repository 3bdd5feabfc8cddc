/**
 * An interval join in one shard: pairs of records of a key whose times are no further apart than it says.
 *
 * A pair is given when its second record comes; a record without one, if its side is told so, when the watermark is
 * beyond every time that a partner could have. Until then it is held.
 */
import type { ColumnBatch } from "@frazil/core"
import { TimeQueue } from "../pattern/TimeQueue.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { type IntervalSpec, isOuter, left, right, type Side } from "./Join.ts"
import { giveJoined } from "./GiveJoined.ts"
import { entriesOfKey } from "./JoinCodec.ts"
import { JoinMemory } from "./JoinMemory.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { type JoinInput, type JoinRecord, readSides } from "./JoinRecord.ts"
import type { EmitJoined, JoinRefusal, JoinState } from "./JoinState.ts"
import { TimeLine } from "./TimeLine.ts"

/** What one key holds, by side. */
type KeyLines = readonly [TimeLine<JoinRecord>, TimeLine<JoinRecord>]

class IntervalJoin implements JoinState {
  readonly name: string
  private readonly plan: JoinPlan
  private readonly spec: IntervalSpec
  private readonly outer: readonly [boolean, boolean]
  /** How long a record of a side waits beyond its own time, and the longer of both. */
  private readonly waitMs: readonly [number, number]
  private readonly waitMsMax: number
  private readonly keys = new Map<string, KeyLines>()
  /** All that is held, by side: the first one is over first. */
  private readonly queues = [new TimeQueue<JoinRecord>(), new TimeQueue<JoinRecord>()] as const
  private readonly memory: JoinMemory
  private closed = false

  constructor(plan: JoinPlan, spec: IntervalSpec) {
    this.name = plan.name
    this.plan = plan
    this.spec = spec
    this.outer = [isOuter(spec, left), isOuter(spec, right)]
    this.waitMs = [Math.max(0, spec.upperMs), Math.max(0, -spec.lowerMs)]
    this.waitMsMax = Math.max(...this.waitMs)
    this.memory = new JoinMemory(plan, () => this.queues.flatMap((queue) => queue.items()))
  }

  /** The side whose first record is over first. */
  private firstSide(): Side {
    const one = this.overAt(left)
    return one <= this.overAt(right) ? left : right
  }

  /** When the first record of a side is over, by a watermark that the lateness was taken from. */
  private overAt(side: Side): number {
    return (this.queues[side].first()?.time ?? Number.POSITIVE_INFINITY) + this.waitMs[side]
  }

  nextAt(): number {
    return this.overAt(this.firstSide()) + this.spec.allowedLatenessMs
  }

  take(
    input: JoinInput,
    batch: ColumnBatch,
    row: number,
    watermark: number,
    host: KeepingHost,
    emit: EmitJoined
  ): JoinRefusal | undefined {
    const { allowedLatenessMs, kind, recordsHeldMax, recordsPerKeyMax } = this.spec
    const horizon = watermark - allowedLatenessMs
    if (input.time < horizon || this.closed) return "late"
    const lines = this.keys.get(input.key)
    const held = this.memory.records.make(input, batch, row)
    if (lines !== undefined) this.pair(held, lines, kind === "inner" ? horizon : horizon - this.waitMsMax, host, emit)
    const keyed = lines === undefined ? 0 : lines[left].length() + lines[right].length()
    if (keyed >= recordsPerKeyMax || this.held() >= recordsHeldMax) {
      this.memory.records.remove(held)
      return "evicted"
    }
    this.hold(held, lines)
    this.memory.cameIn(held)
    return undefined
  }

  private hold(held: JoinRecord, lines = this.keys.get(held.key)): void {
    const into = lines ?? ([new TimeLine<JoinRecord>(), new TimeLine<JoinRecord>()] as const)
    if (lines === undefined) this.keys.set(held.key, into)
    into[held.side].add(held)
    this.queues[held.side].add(held)
  }

  /** Gives the pairs of a record with what is held of the other side, by the times of those. */
  private pair(held: JoinRecord, lines: KeyLines, watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const { lowerMs, upperMs } = this.spec
    const { side, time } = held
    const line = lines[1 - side]!
    const last = side === left ? time + upperMs : time - lowerMs
    let place = line.placeAt(side === left ? time + lowerMs : time - upperMs)
    for (let other = line.at(place); other !== undefined && other.time <= last; other = line.at(++place)) {
      this.match(held)
      this.match(other)
      const at = Math.max(time, other.time)
      const [one, second] = side === left ? [held, other] : [other, held]
      giveJoined(this.plan, { by: held, left: one, right: second, time: at, watermark }, host, emit)
    }
  }

  private match(held: JoinRecord): void {
    if (held.matched) return
    held.matched = true
    if (held.saved && this.outer[held.side]) this.memory.metPartner(held)
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const horizon = watermark - this.spec.allowedLatenessMs
    for (;;) {
      const side = this.firstSide()
      const over = this.overAt(side)
      if (!(over < horizon)) return
      const held = this.queues[side].shift()!
      this.forget(held)
      if (held.matched || !this.outer[side]) continue
      const [one, other] = side === left ? [held, undefined] : [undefined, held]
      const told = { by: held, left: one, right: other, time: held.time, watermark: over - this.waitMsMax }
      giveJoined(this.plan, told, host, emit)
    }
  }

  /** The first record of its key and side. */
  private forget(held: JoinRecord): void {
    this.memory.records.remove(held)
    const lines = this.keys.get(held.key)!
    lines[held.side].removeFirst(1)
    if (lines[left].length() + lines[right].length() === 0) this.keys.delete(held.key)
  }

  close(host: KeepingHost, emit: EmitJoined): void {
    this.advance(Number.POSITIVE_INFINITY, host, emit)
    this.closed = true
  }

  takeDelta(): unknown {
    return this.memory.takeDelta()
  }

  capture(kind: CaptureKind): Capture {
    return this.memory.capture(kind)
  }

  load(entries: unknown): void {
    const matched = this.memory.load(entries, (held) => this.hold(held))
    for (const [side, key, id, time] of matched) {
      // one that was over before the snapshot's piece was made is not in it, and is over by the record in force, too
      const line = this.keys.get(key)?.[side]
      let place = line?.placeAt(time) ?? 0
      while (line?.at(place) !== undefined && line.at(place)!.id !== id) place++
      const held = line?.at(place)
      if (held !== undefined) held.matched = true
    }
  }

  entriesOf(entries: unknown, key: string): unknown {
    return entriesOfKey(entries, key)
  }

  restored(watermark: number, closed: boolean): void {
    this.closed = closed
    this.memory.records.loaded()
    const horizon = closed ? Number.POSITIVE_INFINITY : watermark - this.spec.allowedLatenessMs
    // what they had to give is in the epochs that were committed
    for (const side of [left, right] as const) {
      while (this.overAt(side) < horizon) this.forget(this.queues[side].shift()!)
    }
  }

  /** Records, of both sides. */
  private held(): number {
    return this.queues[left].length() + this.queues[right].length()
  }

  size(): number {
    return this.keys.size
  }

  read(key: string): object | undefined {
    return readSides(this.queues.flatMap((queue) => queue.items().filter((held) => held.key === key)))
  }
}

export const makeIntervalState = (plan: JoinPlan, spec: IntervalSpec): JoinState => new IntervalJoin(plan, spec)
