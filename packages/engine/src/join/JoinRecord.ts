/** Records that a join holds, and what keeps them: numbered as they come, as ranges of its segments. */
import type { ColumnBatch } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import { readHeld } from "../pattern/HeldRecord.ts"
import { ByteStore, type Segment } from "../state/ByteStore.ts"
import { type Capture, type CaptureKind, ChangeList, inPieces, inTurn, type Listed } from "../state/Capture.ts"
import { type KeepingHost, type KeptRecord, recordOf } from "../state/KeptRecord.ts"
import { left, right, type Side } from "./Join.ts"

/** A record of one side, wherever it is held. */
export interface SideRecord extends KeptRecord {
  readonly side: Side
  /** The fields that the join's expressions read; undefined: the record has them. */
  cells: AnyRecord | undefined
  /** It says that its key has no record from its time on. */
  readonly deleted: boolean
  /** It has met a partner. */
  matched: boolean
}

/** One that is held in memory. */
export interface JoinRecord extends SideRecord, Listed {
  segment: Segment
  /** It is in a delta, or was loaded. */
  saved: boolean
  /** It is not held any more. */
  gone: boolean
}

/** A record as the running stage brings it. */
export interface JoinInput {
  readonly side: Side
  /** The stage's, that it entered by. */
  readonly port: number
  readonly key: string
  readonly time: number
  readonly deleted: boolean
  /** Undefined where only fields of it are read. */
  readonly record: AnyRecord | undefined
  readonly cells: AnyRecord | undefined
  /** Code has changed the record since it was read. */
  readonly changed: boolean
}

export class JoinRecords {
  /** The number of the next one. */
  next = 0
  private readonly bytes = new ByteStore()
  /** Loaded of pieces that may tell a record twice. */
  private told: Set<number> | undefined
  /** Not held any more; what comes of the change that ended them still reads them. */
  private going: Array<JoinRecord> = []

  make(input: JoinInput, batch: ColumnBatch, row: number): JoinRecord {
    if (this.going.length > 0) this.letGo()
    const { bytes, offsets, valueEnds, valueStarts } = batch.source
    const start = valueStarts[row]!
    const end = valueEnds[row]!
    const segment = this.bytes.add(bytes, start, end)
    return {
      id: this.next++,
      side: input.side,
      key: input.key,
      time: input.time,
      deleted: input.deleted,
      offset: offsets[row]!,
      port: input.port,
      segment,
      bytes: segment.bytes,
      start: this.bytes.start,
      end: this.bytes.start + end - start,
      text: undefined,
      changed: input.changed,
      record: input.record,
      cells: input.cells,
      matched: false,
      saved: false,
      gone: false,
      listedIn: 0
    }
  }

  /** The place of a record that was loaded. */
  place(text: string): Pick<JoinRecord, "bytes" | "end" | "segment" | "start"> {
    const bytes = encoder.encode(text)
    const segment = this.bytes.add(bytes, 0, bytes.length)
    return { segment, bytes: segment.bytes, start: this.bytes.start, end: this.bytes.start + bytes.length }
  }

  /** Whether it was not told before by pieces that may do so twice. */
  isNew(id: number): boolean {
    this.told ??= new Set()
    return !this.told.has(id) && this.told.add(id).has(id)
  }

  /** Nothing more is loaded. */
  loaded(): void {
    this.told = undefined
  }

  /** It is not held any more. */
  remove(held: JoinRecord): void {
    held.gone = true
    this.going.push(held)
  }

  private letGo(): void {
    for (const { end, segment, start } of this.going) this.bytes.remove(segment, end - start)
    this.going = []
  }

  /** After a delta: the batch's bytes are not looked at again, and what is held moves together where most has gone. */
  tidy(all: () => Iterable<JoinRecord>): void {
    this.letGo()
    this.bytes.forgetSource()
    if (!this.bytes.wasteful()) return
    for (const held of all()) {
      const { end, segment, start } = held
      held.segment = this.bytes.add(segment.bytes, start, end)
      held.bytes = held.segment.bytes
      held.start = this.bytes.start
      held.end = held.start + end - start
      this.bytes.remove(segment, end - start)
    }
    this.bytes.forgetSource()
  }
}

const encoder = new TextEncoder()

/** What the join's result is made of: the fields that it reads, or the record. */
export const partOf = (held: SideRecord, host: KeepingHost, fieldsOnly: boolean): AnyRecord =>
  fieldsOnly ? (held.cells ??= recordOf(held, host)) : recordOf(held, host)

/**
 * What a snapshot of a join holds. Records do not change but for their having a partner, so references to those that are
 * there when it begins are as good as a copy; what is added later is in the deltas and must not be here, too. One that is gone
 * when its piece is made is left out: its bytes are another's by then, and a restore would forget it by the time.
 */
export class JoinCapture {
  private readonly came = new ChangeList<JoinRecord>((held) => !held.gone)
  private readonly matched = new ChangeList<JoinRecord>((held) => !held.gone)

  /** What a delta has told. */
  told(came: ReadonlyArray<JoinRecord>, matched: ReadonlyArray<JoinRecord> = []): void {
    for (const held of came) this.came.add(held)
    // of one that came since, the record itself tells
    for (const held of matched) this.matched.add(held)
  }

  /** `all` gives what is held, in the order in which it came. */
  begin(
    kind: CaptureKind,
    all: () => ReadonlyArray<JoinRecord>,
    encode: (records: ReadonlyArray<JoinRecord>, matched: ReadonlyArray<JoinRecord>) => unknown
  ): Capture {
    const [came, matched] = [this.came.take(), this.matched.take()]
    const there = (held: JoinRecord) => !held.gone
    const records = kind === "base" ? all() : came.filter(there)
    const met = kind === "base" ? [] : matched.filter(there)
    const ofThose = (some: ReadonlyArray<JoinRecord>, give: (held: ReadonlyArray<JoinRecord>) => unknown) => {
      const still = some.filter(there)
      return still.length === 0 ? undefined : give(still)
    }
    return inTurn(
      inPieces(records, records.length, (some) => ofThose(some, (held) => encode(held, []))),
      inPieces(met, met.length, (some) => ofThose(some, (held) => encode([], held)))
    )
  }
}

/** Records of a key by side, for people; undefined when there are none. */
export const readSides = (records: ReadonlyArray<SideRecord>): object | undefined => {
  if (records.length === 0) return undefined
  const of = (side: Side) =>
    records
      .filter((held) => held.side === side)
      .toSorted((one, other) => one.time - other.time || one.id - other.id)
      .map((held) => ({ ...readHeld(held), ...(held.deleted ? { deleted: true } : {}), matched: held.matched }))
  return { left: of(left), right: of(right) }
}
