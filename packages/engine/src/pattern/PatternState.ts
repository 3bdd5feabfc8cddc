/**
 * A pattern operator in one shard: holds records until the watermark passes them, then judges them in the order of their
 * event times, gives matches, and tells what ran out of time.
 *
 * The running stage calls `hold` for each record and `advance` when the watermark moves; epochs take its delta, snapshots
 * its whole. Records of one time keep the order of the log. **Bounds**: `recordsHeldMax` records wait in a partition; a key
 * has `partialMatchesMax` partial and waiting matches; one without any is forgotten.
 */
import type { ColumnBatch } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import { bytesOf, noBytes, recordOf } from "../state/KeptRecord.ts"
import { type Capture, type CaptureKind, inPieces, inTurn } from "../state/Capture.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import type { RawBytes } from "../state/RawBytes.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { addCompleted, giveMatches } from "./AfterMatch.ts"
import { HeldKeys } from "./HeldKeys.ts"
import { type HeldRecord, type PatternHost, readHeld } from "./HeldRecord.ts"
import { HeldRows, makeMutableHeld, noRow, ownedHeld } from "./HeldRows.ts"
import { judge, type Judged } from "./Judge.ts"
import { type Deadline, type KeyMatches, makeKeyMatches } from "./KeyMatches.ts"
import { completes, recordsBySteps, type Take, takesOf } from "./PartialMatch.ts"
import { decodeHeldColumns, makeHeldColumns } from "./HeldColumns.ts"
import {
  decodeHeld,
  encodedOfKey,
  type EncodedKey,
  encodeHeld,
  type EncodedPattern,
  readEncoded
} from "./PatternCodec.ts"
import { makePatternKeys, type PatternKeys } from "./PatternKeys.ts"
import type { PatternPlan } from "./PatternPlan.ts"

/** Takes a match, or what has run out of time, at that event time. */
export type EmitMatch = (record: AnyRecord, time: number, timedOut: boolean) => void

export interface PatternState extends OperatorState {
  /** `advance` has nothing to do unless the watermark is beyond it. */
  readonly nextAt: () => number
  /** Whether the record may be held: undefined, or the reason that it may not. */
  readonly refusal: (eventTime: number, watermark: number) => "late" | "evicted" | undefined
  /** Whether the key has a partial match, or a record that may begin one waits: either may take its next record. */
  readonly awaits: (key: number) => boolean
  /** The number of a record's key, by its text or its bytes, to hold a record of: until the next call of `advance`. */
  readonly keyOf: (text: string) => number
  /** Undefined: it is not known by its bytes; `remember` what its text has then. */
  readonly keyOfBytes: (bytes: DataView, start: number, end: number) => number | undefined
  readonly remember: (bytes: DataView, start: number, end: number, key: number) => void
  /**
   * Gives the record's row. `record`: undefined when nobody has made it; what code has `changed` is not made again. `celled`:
   * what linked conditions read of it is written into `cells` next; else it is read of the record.
   */
  readonly hold: (
    key: number,
    eventTime: number,
    mask: number,
    batch: ColumnBatch,
    row: number,
    port: number,
    record: AnyRecord | undefined,
    changed: boolean,
    celled: boolean
  ) => number
  /** By the plan's kept field, then by row. */
  readonly cells: ReadonlyArray<Array<unknown>>
  /** The batches that records were held of since the last call are over: their bytes are looked at no more. */
  readonly keepBytes: () => void
  /** Judges every record before the watermark, and ends what was not done in time. */
  readonly advance: (watermark: number, host: PatternHost, emit: EmitMatch) => void
  /** The end of input is the end of time: as `advance`, and whatever comes later is late. */
  readonly close: (host: PatternHost, emit: EmitMatch) => void
  /** After the last `load`: whether time had ended. */
  readonly restored: (closed: boolean) => void
}

/** For `from`: no record had its turn. */
const noTurn = -Number.MAX_VALUE

class RunningPattern implements PatternState {
  readonly name: string
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
  private readonly plan: PatternPlan
  private readonly fieldsOfKey: (text: string) => AnyRecord
  private readonly keys: PatternKeys
  private readonly waiting: HeldRows
  readonly cells: ReadonlyArray<Array<unknown>>
  private readonly heldKeys: HeldKeys
  private next = 0
  private turns = 0
  /** Rows of those that came since the last delta, whose ids count from `cameFrom`. */
  private came: Array<number> = []
  private cameFrom = 0
  /** Loaded, by id; in the queue once all is. */
  private readonly loaded = new Map<number, HeldRecord>()
  private closed = false
  /** Of the first deadline, or before it. */
  private deadlineTime = Number.POSITIVE_INFINITY
  /** Of the first record that waits, or the first deadline. */
  private nextTime = Number.POSITIVE_INFINITY
  /** Of the host that it was made for. */
  private recordOf: ((held: HeldRecord) => AnyRecord) | undefined
  private recordsOf: PatternHost | undefined
  /** The record whose turn it is. */
  private readonly current = makeMutableHeld()
  /** Its row, until all of it was read. */
  private currentRow = noRow
  private readonly isOpen = (key: string): boolean => (this.keys.get(key)?.partials.length ?? 0) > 0
  private readonly kept = (): HeldRecord => {
    this.readWhole()
    return ownedHeld(this.current)
  }

  constructor(plan: PatternPlan, open: OpenStore | undefined) {
    this.keys = makePatternKeys(plan, open)
    if (this.keys.stored !== undefined) this.stored = this.keys.stored
    if (this.keys.discard !== undefined) this.discard = this.keys.discard
    this.name = plan.name
    this.plan = plan
    this.fieldsOfKey = keyReader(plan)
    this.heldKeys = new HeldKeys(plan.kept.length)
    this.waiting = new HeldRows(
      plan.kept.map(({ name }) => name),
      this.heldKeys
    )
    this.cells = this.waiting.cells
  }

  nextAt(): number {
    return this.nextTime
  }

  private lookNext(): void {
    this.nextTime = Math.min(this.waiting.firstTime(), this.deadlineTime)
  }

  refusal(eventTime: number, watermark: number): "late" | "evicted" | undefined {
    if (eventTime < watermark || this.closed) return "late"
    return this.waiting.length() >= this.plan.spec.recordsHeldMax ? "evicted" : undefined
  }

  awaits(key: number): boolean {
    return this.heldKeys.mayBegin(key) || this.heldKeys.isOpen(key)
  }

  keyOf(text: string): number {
    return this.heldKeys.of(text, this.isOpen)
  }

  keyOfBytes(bytes: DataView, start: number, end: number): number | undefined {
    return this.heldKeys.ofBytes(bytes, start, end)
  }

  remember(bytes: DataView, start: number, end: number, key: number): void {
    this.heldKeys.remember(bytes, start, end, key)
  }

  hold(
    key: number,
    eventTime: number,
    mask: number,
    batch: ColumnBatch,
    row: number,
    port: number,
    record: AnyRecord | undefined,
    changed: boolean,
    celled: boolean
  ): number {
    const { bytes, offsets, valueEnds, valueStarts } = batch.source
    this.heldKeys.enter(key)
    const added = this.waiting.add(
      this.next++,
      key,
      eventTime,
      mask,
      offsets[row]!,
      port,
      bytes,
      valueStarts[row]!,
      valueEnds[row]!,
      record,
      changed,
      celled
    )
    this.came.push(added)
    if (eventTime < this.nextTime) this.nextTime = eventTime
    if ((mask & 1) !== 0) this.heldKeys.begins(key)
    return added
  }

  keepBytes(): void {
    this.waiting.keepBytes()
  }

  advance(watermark: number, host: PatternHost, emit: EmitMatch): void {
    const { waiting } = this
    for (;;) {
      const row = waiting.first()
      const time = waiting.timeOf(row)
      const { deadlineTime } = this
      // what has to be there within a time is not at its end
      if (row === noRow || deadlineTime <= time) {
        if (!(deadlineTime < watermark)) return void (this.nextTime = deadlineTime)
        const deadline = this.keys.take(time, watermark)
        this.deadlineTime = this.keys.nextAt()
        if (deadline !== undefined) this.end(deadline, host, emit)
      } else {
        if (!(time < watermark)) return void (this.nextTime = time)
        waiting.shift(row)
        this.judgeRow(row, watermark, host, emit)
        this.heldKeys.leave(waiting.keyOf(row))
        waiting.forget(row)
      }
    }
  }

  close(host: PatternHost, emit: EmitMatch): void {
    this.advance(Number.POSITIVE_INFINITY, host, emit)
    this.closed = true
  }

  private judgeRow(row: number, watermark: number, host: PatternHost, emit: EmitMatch): void {
    const { heldKeys, waiting } = this
    const key = waiting.keyOf(row)
    const mask = waiting.maskOf(row)
    const turn = ++this.turns
    if ((mask & 1) !== 0) heldKeys.beginsNoMore(key)
    // most records neither go on with something nor begin it
    else if (!heldKeys.isOpen(key)) return
    if (heldKeys.isLikeUnmoved(key, mask, this.cells, row) && this.isToldByCells(row)) return
    const record = this.current
    waiting.readAsked(row, record)
    this.currentRow = row
    record.turn = turn
    const text = heldKeys.textOf(key)
    const keyed = this.keys.get(text) ?? makeKeyMatches(text)
    const judged = this.judgedSafely(row, keyed, record, host)
    if (judged !== undefined) {
      keyed.partials = judged.partials
      addCompleted(keyed, judged.completed)
      this.about(record, host, () => this.settle(keyed, record.time, watermark, host, emit))
    }
  }

  /** Conditions read nothing of it but its mask and cells. */
  private isToldByCells(row: number): boolean {
    return this.plan.coded === 0 && (this.cells.length === 0 || this.waiting.isCelled(row))
  }

  /** Most records of a key are like the one before: what that one changed nothing of is not looked at again. */
  private leftUnmoved(row: number): void {
    if (!this.isToldByCells(row)) return
    this.heldKeys.leftUnmoved(this.waiting.keyOf(row), this.waiting.maskOf(row), this.cells, row)
  }

  /** Undefined when nothing changed, or a condition's code threw: the record goes to the dead letter, as though it had not come. */
  private judgedSafely(row: number, keyed: KeyMatches, record: HeldRecord, host: PatternHost): Judged | undefined {
    try {
      const judged = judge(this.plan, keyed.partials, record, this.readerOf(host), this.kept)
      if (judged === undefined) this.leftUnmoved(row)
      return judged
    } catch (error) {
      this.readWhole()
      this.about(record, host, () => host.threw(undefined, -1, this.name, error))
      return undefined
    }
  }

  /** What is written or thrown meanwhile is about the record. */
  private about(record: HeldRecord, host: PatternHost, tell: () => void): void {
    const { firedAt } = host
    host.judging = record
    host.firedAt = record.offset
    tell()
    host.judging = undefined
    host.firedAt = firedAt
  }

  /** Most records are asked no more than what `readAsked` reads. */
  private readWhole(): void {
    if (this.currentRow === noRow) return
    const { turn } = this.current
    this.waiting.read(this.currentRow, this.current)
    this.current.turn = turn
    this.currentRow = noRow
  }

  private readerOf(host: PatternHost): (held: HeldRecord) => AnyRecord {
    if (this.recordOf === undefined || this.recordsOf !== host) {
      this.recordsOf = host
      this.recordOf = (held) => {
        if (held === this.current) this.readWhole()
        return recordOf(held, host)
      }
    }
    return this.recordOf
  }

  /** Partial matches whose time is over: what was pending is a match, what was not is told. */
  private end({ keyed, time }: Deadline, host: PatternHost, emit: EmitMatch): void {
    const { plan } = this
    const over = keyed.partials.filter(({ start }) => start.time + plan.spec.withinMs <= time)
    if (over.length > 0) {
      keyed.partials = keyed.partials.slice(over.length)
      addCompleted(
        keyed,
        over.flatMap(({ last, pending }) => (pending ? [last] : []))
      )
      for (const { last } of over) {
        if (plan.timeouts && !completes(plan, last)) emit(this.result(last, host), time, true)
      }
    }
    this.settle(keyed, time, time, host, emit)
  }

  /** Gives what can be given, evicts what is too much, and puts the key where it belongs. */
  private settle(keyed: KeyMatches, time: number, watermark: number, host: PatternHost, emit: EmitMatch): void {
    const { name, spec } = this.plan
    const give = (last: Take) => emit(this.result(last, host), time, false)
    giveMatches(this.plan, keyed, give)
    let entered: HeldRecord | undefined
    while (keyed.partials.length + keyed.completed.length > spec.partialMatchesMax && keyed.partials.length > 0) {
      const { start } = keyed.partials[0]!
      keyed.partials = keyed.partials.slice(1)
      // a loop has many partial matches of one beginning: they are told together
      if (start !== entered)
        host.enterHeld(start, { operator: name, reason: "evicted", latenessMs: watermark - start.time })
      entered = start
      giveMatches(this.plan, keyed, give)
    }
    this.keys.put(keyed)
    this.heldKeys.changed(keyed.key, keyed.partials.length > 0)
    this.deadlineTime = this.keys.nextAt()
  }

  /** The key, and what each step took. */
  private result(last: Take, host: PatternHost): AnyRecord {
    const { steps } = this.plan
    const records = recordsBySteps(this.plan, last, this.readerOf(host), steps.length)
    return { ...this.fieldsOfKey(last.record.key), steps: records }
  }

  takeDelta(raw: RawBytes): EncodedPattern {
    const { cameFrom, waiting } = this
    // those that wait still; a row may be that of a later record
    const came: Array<number> = []
    for (let at = 0; at < this.came.length; at++) {
      const row = this.came[at]!
      if (waiting.idOf(row) === cameFrom + at) came.push(row)
    }
    this.came = []
    this.cameFrom = this.next
    waiting.forgetSource()
    return this.encoded(came, this.keys.tell(), raw)
  }

  capture(kind: CaptureKind, watermark: number): Capture {
    const keys = this.keys.capture(kind, watermark, (some) => ({ ...this.encoded([], some), from: noTurn }))
    // what waits is given whole; which of the earlier ones had their turn follows
    const now = this.encoded([], [])
    const { waiting } = this
    const held = waiting
      .rows()
      .map((row) => ({ row, id: waiting.idOf(row) }))
      .sort((left, right) => left.id - right.id)
    // one that had its turn meanwhile is in no piece: a restore would forget it by the delta of that epoch
    const stillHeld = (some: typeof held) =>
      some.filter(({ id, row }) => waiting.idOf(row) === id).map(({ row }) => row)
    return inTurn(
      inPieces([now], 1, ([only]) => only),
      inPieces(held, held.length, (some) => ({ ...this.encoded(stillHeld([...some]), []), from: noTurn })),
      keys
    )
  }

  private encoded(rows: ReadonlyArray<number>, keys: ReadonlyArray<EncodedKey>, raw?: RawBytes): EncodedPattern {
    const { waiting } = this
    const held = makeMutableHeld()
    const from = waiting.firstTime()
    // a record that code has changed is more than its bytes
    const apart = raw === undefined ? rows : rows.filter((row) => waiting.isChanged(row))
    const columnsCount = rows.length - apart.length
    const columns = raw === undefined || columnsCount === 0 ? undefined : makeHeldColumns(raw, columnsCount)
    const encoded = apart.map((row) => {
      waiting.read(row, held)
      return [held.key, encodeHeld(held)] as const
    })
    if (columns !== undefined) {
      for (const row of rows) {
        if (waiting.isChanged(row)) continue
        waiting.read(row, held)
        columns.add(held)
      }
    }
    return {
      shape: this.plan.shape,
      next: this.next,
      turns: this.turns,
      from: Number.isFinite(from) ? from : null,
      held: encoded,
      ...(columns === undefined ? {} : { came: columns.taken() }),
      keys
    }
  }

  load(entries: unknown, raw: Uint8Array = noBytes): void {
    const { came, from, held, keys, next, turns } = readEncoded(this.plan, entries)
    this.next = next
    this.turns = turns
    for (const [id, { time }] of this.loaded) if (from === null || time < from) this.loaded.delete(id)
    for (const [key, each] of held) this.loaded.set(each.id, decodeHeld(key, each))
    if (came !== undefined) for (const each of decodeHeldColumns(came, raw)) this.loaded.set(each.id, each)
    this.keys.load(keys)
  }

  entriesOf(entries: unknown, key: string): EncodedPattern {
    return encodedOfKey(entries, key)
  }

  restored(closed: boolean): void {
    this.closed = closed
    for (const held of this.loaded.values()) this.waitAgain(held)
    this.loaded.clear()
    this.cameFrom = this.next
    this.keys.restored()
    this.deadlineTime = this.keys.nextAt()
    this.waiting.keepBytes()
    this.lookNext()
  }

  private waitAgain(held: HeldRecord): void {
    const { changed, id, key, mask, offset, port, record, text, time } = held
    const bytes = text === undefined ? held.bytes : bytesOf(held)
    const [start, end] = text === undefined ? [held.start, held.end] : [0, bytes.length]
    const heldKey = this.keyOf(key)
    this.heldKeys.enter(heldKey)
    this.waiting.add(id, heldKey, time, mask, offset, port, bytes, start, end, record, changed, false)
    if ((mask & 1) !== 0) this.heldKeys.begins(heldKey)
  }

  size(): number {
    return this.keys.size()
  }

  read(key: string): object | undefined {
    const held = this.heldKeys.find(key)
    const rows = this.waiting.rows().filter((row) => this.waiting.keyOf(row) === held)
    const waiting = rows.map((row) => {
      const held = makeMutableHeld()
      this.waiting.read(row, held)
      return held
    })
    const keyed = this.keys.get(key)
    if (keyed === undefined && waiting.length === 0) return undefined
    const stepsOf = (last: Take) =>
      takesOf(last).map(({ record, step }) => ({ step: this.plan.steps[step]!.name, ...readHeld(record) }))
    return {
      waiting: waiting.toSorted((left, right) => left.time - right.time || left.id - right.id).map(readHeld),
      partial_matches: (keyed?.partials ?? []).map(({ last }) => stepsOf(last)),
      matches_that_wait: (keyed?.completed ?? []).map(({ last }) => stepsOf(last))
    }
  }
}

/** The key's fields of its text: one is the text itself, several are a JSON array. */
const keyReader = ({ key }: PatternPlan): ((text: string) => AnyRecord) => {
  const valuesOf = (text: string): ReadonlyArray<unknown> => {
    // written by keyTextOf
    if (key.length > 1) return JSON.parse(text) as ReadonlyArray<unknown>
    return [key[0]!.type._tag === "Int" ? Number(text) : text]
  }
  return (text) => {
    const values = valuesOf(text)
    return Object.fromEntries(key.map(({ name }, index) => [name, values[index]]))
  }
}

/** `open` makes the store of a pattern that is on disk; without it, it is in memory whatever is declared. */
export const makePatternState = (plan: PatternPlan, open?: OpenStore): PatternState => new RunningPattern(plan, open)
