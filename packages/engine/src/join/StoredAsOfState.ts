/**
 * An as-of join on disk: `AsOfState.ts` for state larger than memory, with the same answers, changes and snapshots.
 *
 * A key's versions and its records that wait are one entry, which is looked at when the watermark passes a record that waits.
 * Versions that nobody will ask for go when the entry is looked at, or with it.
 */
import type { ColumnBatch } from "@frazil/core"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { KeepingHost } from "../state/KeptRecord.ts"
import { giveJoined } from "./GiveJoined.ts"
import { type AsOfSpec, isOuter, left, right } from "./Join.ts"
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

/** A record whose time has come, with the version that was there. */
interface Ended {
  readonly held: StoredRecord
  readonly version: StoredRecord | undefined
}

class StoredAsOfJoin extends StoredJoin<AsOfSpec> implements JoinState {
  constructor(plan: JoinPlan, spec: AsOfSpec, open: OpenJoin) {
    super(plan, spec, open, spec.allowedLatenessMs)
  }

  take(input: JoinInput, batch: ColumnBatch, row: number, watermark: number): JoinRefusal | undefined {
    const { allowedLatenessMs, recordsPerKeyMax } = this.spec
    const horizon = watermark - allowedLatenessMs
    const { key, side, time } = input
    const late = time < horizon
    if (this.closed || (late && side === left)) return "late"
    const found = this.keys.get(key)
    if (late && !this.counts(found, time, horizon)) return "late"
    if (found !== undefined) {
      this.prune(found, horizon)
      if (heldOf(found) >= recordsPerKeyMax) return "evicted"
    }
    const keyed = found ?? makeStoredKey(key)
    const held = this.keys.make(input, batch, row)
    this.keys.hold(held)
    const overAt = this.place(keyed, held)
    // records before the watermark were joined without it
    if (late) this.prune(keyed, horizon)
    this.keys.put(keyed, overAt)
    return late ? "dropped" : undefined
  }

  /** Whether a version that comes late is one that records to come will ask for. */
  private counts(keyed: StoredKey | undefined, time: number, horizon: number): boolean {
    if (time + this.spec.ttlMs <= horizon) return false
    const versions = keyed?.lines[right]
    const current = versions?.at(versions.placeAfter(horizon) - 1)
    return current === undefined || current.time <= time
  }

  /** Puts the record into its key's entry; when it is over. */
  private place(keyed: StoredKey, held: StoredRecord): number {
    addRecord(keyed, held)
    if (held.side === right) return held.time + this.spec.ttlMs
    this.keys.schedule(keyed, held.time)
    return held.time
  }

  /** Forgets versions that no record at or after `horizon` will ask for. */
  private readonly prune = (keyed: StoredKey, horizon = this.keys.horizon): void => {
    const versions = keyed.lines[right]
    const before = Math.max(versions.placeAt(horizon) - 1, versions.placeAt(horizon - this.spec.ttlMs))
    for (const held of removeFirst(keyed, right, Math.max(0, before))) this.keys.gone(held)
  }

  advance(watermark: number, host: KeepingHost, emit: EmitJoined): void {
    this.end(watermark - this.spec.allowedLatenessMs, ({ held, version }) => {
      if (version === undefined && !isOuter(this.spec, left)) return
      const { time } = held
      giveJoined(this.plan, { by: held, left: held, right: version, time, watermark: time }, host, emit)
    })
  }

  /** Calls back for the records that the watermark has passed, in the order of their times. */
  private end(horizon: number, passed: (ended: Ended) => void): void {
    let ended: Array<Ended> = []
    this.keys.visitDue(
      horizon,
      (keyed, at) => {
        const waiting = keyed.lines[left]
        for (const held of removeFirst(keyed, left, waiting.placeAfter(at))) {
          this.keys.gone(held)
          ended.push({ held, version: this.versionOf(keyed, held) })
        }
        this.prune(keyed, at)
        return waiting.at(0)?.time ?? Number.POSITIVE_INFINITY
      },
      () => {
        for (const each of ended.sort((a, b) => a.held.id - b.held.id)) passed(each)
        ended = []
      }
    )
    this.keys.forget(horizon)
  }

  private versionOf({ lines }: StoredKey, { time }: StoredRecord): StoredRecord | undefined {
    const versions = lines[right]
    const found = versions.at(versions.placeAfter(time) - 1)
    return found === undefined || found.deleted || time - found.time >= this.spec.ttlMs ? undefined : found
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

export const makeStoredAsOfState = (plan: JoinPlan, spec: AsOfSpec, open: OpenJoin): JoinState =>
  new StoredAsOfJoin(plan, spec, open)
