/**
 * An as-of join in one shard: each record with the version of its key that was there at its time.
 *
 * Left records wait until the watermark is beyond their time: then no version of that time can come any more. Of versions a
 * key keeps those that a record to come may ask for: the last one at or before the watermark, and all later ones, each
 * for the time to live.
 */
import type { ColumnBatch } from "@frazil/core"
import { type Timed, TimeQueue } from "../pattern/TimeQueue.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { giveJoined } from "./GiveJoined.ts"
import { type AsOfSpec, isOuter, left } from "./Join.ts"
import { entriesOfKey } from "./JoinCodec.ts"
import { JoinMemory } from "./JoinMemory.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { type JoinInput, type JoinRecord, readSides } from "./JoinRecord.ts"
import type { EmitJoined, JoinRefusal, JoinState } from "./JoinState.ts"
import { TimeLine } from "./TimeLine.ts"

interface KeyVersions {
  readonly key: string
  readonly versions: TimeLine<JoinRecord>
  /** Left records. */
  waiting: number
  /** A deadline of it is in the queue. */
  scheduled: boolean
}

/** When a key's last version is over, or was when it was put there. */
interface Deadline extends Timed {
  readonly keyed: KeyVersions
}

class AsOfJoin implements JoinState {
  readonly name: string
  private readonly plan: JoinPlan
  private readonly spec: AsOfSpec
  private readonly keys = new Map<string, KeyVersions>()
  /** Left records. */
  private readonly waiting = new TimeQueue<JoinRecord>()
  /** Versions that the watermark has not passed: those before each are over when it does. */
  private readonly coming = new TimeQueue<JoinRecord>()
  private readonly deadlines = new TimeQueue<Deadline>()
  private readonly memory: JoinMemory
  private versionsHeld = 0
  private closed = false

  constructor(plan: JoinPlan, spec: AsOfSpec) {
    this.name = plan.name
    this.plan = plan
    this.spec = spec
    this.memory = new JoinMemory(plan, () => this.all())
  }

  nextAt(): number {
    const first = Math.min(
      this.waiting.first()?.time ?? Number.POSITIVE_INFINITY,
      this.coming.first()?.time ?? Number.POSITIVE_INFINITY,
      this.deadlines.first()?.time ?? Number.POSITIVE_INFINITY
    )
    return first + this.spec.allowedLatenessMs
  }

  take(input: JoinInput, batch: ColumnBatch, row: number, watermark: number): JoinRefusal | undefined {
    const { allowedLatenessMs, recordsHeldMax, recordsPerKeyMax } = this.spec
    const horizon = watermark - allowedLatenessMs
    const { key, side, time } = input
    const late = time < horizon
    if (this.closed || (late && (side === left || !this.counts(key, time, horizon)))) return "late"
    const keyed = this.keys.get(key)
    const heldOfKey = keyed === undefined ? 0 : keyed.waiting + keyed.versions.length()
    if (heldOfKey >= recordsPerKeyMax || this.waiting.length() + this.versionsHeld >= recordsHeldMax) return "evicted"
    const held = this.memory.records.make(input, batch, row)
    this.hold(held)
    this.memory.cameIn(held)
    if (!late) return undefined
    // records before the watermark were joined without it
    this.prune(horizon)
    return "dropped"
  }

  /** Whether a version that comes late is one that records to come will ask for. */
  private counts(key: string, time: number, horizon: number): boolean {
    if (time + this.spec.ttlMs <= horizon) return false
    const versions = this.keys.get(key)?.versions
    const current = versions?.at(versions.placeAfter(horizon) - 1)
    return current === undefined || current.time <= time
  }

  private hold(held: JoinRecord): void {
    let keyed = this.keys.get(held.key)
    if (keyed === undefined) {
      keyed = { key: held.key, versions: new TimeLine<JoinRecord>(), waiting: 0, scheduled: false }
      this.keys.set(held.key, keyed)
    }
    if (held.side === left) {
      keyed.waiting++
      this.waiting.add(held)
      return
    }
    keyed.versions.add(held)
    this.versionsHeld++
    this.coming.add(held)
    this.schedule(keyed)
  }

  private schedule(keyed: KeyVersions): void {
    const last = keyed.versions.at(keyed.versions.length() - 1)
    if (keyed.scheduled || last === undefined) return
    keyed.scheduled = true
    this.deadlines.add({ time: last.time + this.spec.ttlMs, id: last.id, keyed })
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    const horizon = watermark - this.spec.allowedLatenessMs
    for (let held = this.waiting.first(); held !== undefined && held.time < horizon; held = this.waiting.first()) {
      this.give(this.leave(), host, emit)
    }
    this.prune(horizon)
  }

  /** The left record that waits no more. */
  private leave(): JoinRecord {
    const held = this.waiting.shift()!
    this.memory.records.remove(held)
    const keyed = this.keys.get(held.key)!
    keyed.waiting--
    this.forgetEmpty(keyed)
    return held
  }

  private give(held: JoinRecord, host: KeepingHost, emit: EmitJoined): void {
    const { time } = held
    const versions = this.keys.get(held.key)?.versions
    const found = versions?.at(versions.placeAfter(time) - 1)
    const version = found === undefined || found.deleted || time - found.time >= this.spec.ttlMs ? undefined : found
    if (version === undefined && !isOuter(this.spec, left)) return
    giveJoined(this.plan, { by: held, left: held, right: version, time, watermark: time }, host, emit)
  }

  /** Forgets versions that no record at or after `horizon` will ask for. */
  private prune(horizon: number): void {
    for (let next = this.coming.first(); next !== undefined && next.time < horizon; next = this.coming.first()) {
      this.coming.shift()
      const keyed = this.keys.get(next.key)
      if (keyed !== undefined) this.removeFirst(keyed, keyed.versions.placeAfter(next.time) - 1)
    }
    for (let next = this.deadlines.first(); next !== undefined && next.time < horizon; next = this.deadlines.first()) {
      this.deadlines.shift()
      const { keyed } = next
      keyed.scheduled = false
      this.removeFirst(keyed, keyed.versions.placeAt(horizon - this.spec.ttlMs))
      this.schedule(keyed)
      this.forgetEmpty(keyed)
    }
  }

  private removeFirst({ versions }: KeyVersions, count: number): void {
    for (let place = 0; place < count; place++) this.memory.records.remove(versions.at(place)!)
    if (count > 0) versions.removeFirst(count)
    this.versionsHeld -= Math.max(0, count)
  }

  private forgetEmpty(keyed: KeyVersions): void {
    if (keyed.waiting === 0 && keyed.versions.length() === 0 && !keyed.scheduled) this.keys.delete(keyed.key)
  }

  close(host: KeepingHost, emit: EmitJoined): void {
    this.advance(Number.POSITIVE_INFINITY, host, emit)
    this.closed = true
  }

  takeDelta(): unknown {
    return this.memory.takeDelta()
  }

  private all(): ReadonlyArray<JoinRecord> {
    const versions = Array.from(this.keys.values()).flatMap((keyed) => keyed.versions.all())
    return [...this.waiting.items(), ...versions]
  }

  capture(kind: CaptureKind): Capture {
    return this.memory.capture(kind)
  }

  load(entries: unknown): void {
    this.memory.load(entries, (held) => this.hold(held))
  }

  entriesOf(entries: unknown, key: string): unknown {
    return entriesOfKey(entries, key)
  }

  restored(watermark: number, closed: boolean): void {
    this.closed = closed
    this.memory.records.loaded()
    const horizon = closed ? Number.POSITIVE_INFINITY : watermark - this.spec.allowedLatenessMs
    // what they had to give is in the epochs that were committed
    for (let held = this.waiting.first(); held !== undefined && held.time < horizon; held = this.waiting.first())
      this.leave()
    this.prune(horizon)
  }

  size(): number {
    return this.keys.size
  }

  read(key: string): object | undefined {
    const versions = this.keys.get(key)?.versions
    const held = Array.from({ length: versions?.length() ?? 0 }, (_, place) => versions!.at(place)!)
    return readSides([...this.waiting.items().filter((each) => each.key === key), ...held])
  }
}

export const makeAsOfState = (plan: JoinPlan, spec: AsOfSpec): JoinState => new AsOfJoin(plan, spec)
