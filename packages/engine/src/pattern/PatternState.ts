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
import type { OperatorState } from "../state/OperatorState.ts"
import { addCompleted, giveMatches } from "./AfterMatch.ts"
import { type HeldRecord, type PatternHost, recordOf } from "./HeldRecord.ts"
import { judge, type Judged } from "./Judge.ts"
import { type Deadline, deadlineOf, type KeyMatches, makeKeyMatches } from "./KeyMatches.ts"
import { completes, recordsBySteps, type Take } from "./PartialMatch.ts"
import { decodeHeld, decodeKey, encodeHeld, encodeKey, type EncodedPattern, readEncoded } from "./PatternCodec.ts"
import type { PatternPlan } from "./PatternPlan.ts"
import { TimeQueue } from "./TimeQueue.ts"

/** Takes a match, or what has run out of time, at that event time. */
export type EmitMatch = (record: AnyRecord, time: number, timedOut: boolean) => void

export interface PatternState extends OperatorState {
  /** `advance` has nothing to do unless the watermark is beyond it. */
  readonly nextAt: () => number
  /** Whether the record may be held: undefined, or the reason that it may not. */
  readonly refusal: (eventTime: number, watermark: number) => "late" | "evicted" | undefined
  /** Whether the key has a partial match, or a record that may begin one waits: either may take its next record. */
  readonly awaits: (key: string) => boolean
  /** `record`: undefined when nobody has made it; what code has `changed` is not made again. */
  readonly hold: (
    key: string,
    eventTime: number,
    mask: number,
    batch: ColumnBatch,
    row: number,
    record: AnyRecord | undefined,
    changed: boolean
  ) => void
  /** Judges every record before the watermark, and ends what was not done in time. */
  readonly advance: (watermark: number, host: PatternHost, emit: EmitMatch) => void
  /** The end of input is the end of time: as `advance`, and whatever comes later is late. */
  readonly close: (host: PatternHost, emit: EmitMatch) => void
  /** After the last `load`: whether time had ended. */
  readonly restored: (closed: boolean) => void
}

class RunningPattern implements PatternState {
  readonly name: string
  private readonly plan: PatternPlan
  private readonly keyOf: (text: string) => AnyRecord
  private readonly keys = new Map<string, KeyMatches>()
  private readonly waiting = new TimeQueue<HeldRecord>()
  /** Records that wait and may begin a match, by key. */
  private readonly beginning = new Map<string, number>()
  private readonly deadlines = new TimeQueue<Deadline>()
  private next = 0
  private turns = 0
  private came: Array<HeldRecord> = []
  private changed: Array<KeyMatches> = []
  /** Loaded, by id; in the queue once all is. */
  private readonly loaded = new Map<number, HeldRecord>()
  private closed = false
  /** The batch whose records came last, and the copy of their bytes. */
  private batch: ColumnBatch | undefined
  private batchBytes = new Uint8Array(0)
  private batchStart = 0

  constructor(plan: PatternPlan) {
    this.name = plan.name
    this.plan = plan
    this.keyOf = keyReader(plan)
  }

  nextAt(): number {
    const held = this.waiting.first()?.time ?? Number.POSITIVE_INFINITY
    return Math.min(held, this.deadlines.first()?.time ?? Number.POSITIVE_INFINITY)
  }

  refusal(eventTime: number, watermark: number): "late" | "evicted" | undefined {
    if (eventTime < watermark || this.closed) return "late"
    return this.waiting.length() >= this.plan.spec.recordsHeldMax ? "evicted" : undefined
  }

  awaits(key: string): boolean {
    if (this.beginning.has(key)) return true
    const keyed = this.keys.get(key)
    return keyed !== undefined && keyed.partials.length > 0
  }

  hold(
    key: string,
    eventTime: number,
    mask: number,
    batch: ColumnBatch,
    row: number,
    record: AnyRecord | undefined,
    changed: boolean
  ): void {
    if (this.batch !== batch) this.copy(batch)
    const { offsets, valueEnds, valueStarts } = batch.source
    const held: HeldRecord = {
      id: this.next++,
      key,
      time: eventTime,
      offset: offsets[row]!,
      bytes: this.batchBytes,
      start: valueStarts[row]! - this.batchStart,
      end: valueEnds[row]! - this.batchStart,
      text: undefined,
      mask,
      changed,
      record,
      turn: 0
    }
    this.wait(held)
    this.came.push(held)
  }

  private wait(held: HeldRecord): void {
    this.waiting.add(held)
    if ((held.mask & 1) !== 0) this.beginning.set(held.key, (this.beginning.get(held.key) ?? 0) + 1)
  }

  private waitNoMore({ key, mask }: HeldRecord): void {
    if ((mask & 1) === 0) return
    const others = (this.beginning.get(key) ?? 0) - 1
    if (others > 0) this.beginning.set(key, others)
    else this.beginning.delete(key)
  }

  /** The batch's buffer is used again: its records are copied together. */
  private copy(batch: ColumnBatch): void {
    const { bytes, length, valueEnds, valueStarts } = batch.source
    let start = bytes.length
    let end = 0
    for (let row = 0; row < length; row++) {
      start = Math.min(start, valueStarts[row]!)
      end = Math.max(end, valueEnds[row]!)
    }
    this.batch = batch
    this.batchStart = start
    this.batchBytes = bytes.slice(start, end)
  }

  advance(watermark: number, host: PatternHost, emit: EmitMatch): void {
    for (;;) {
      const record = this.waiting.first()
      const deadline = this.deadlines.first()
      // what has to be there within a time is not at its end
      if (deadline !== undefined && (record === undefined || deadline.time <= record.time)) {
        if (!(deadline.time < watermark)) return
        this.deadlines.shift()
        this.end(deadline, host, emit)
      } else {
        if (record === undefined || !(record.time < watermark)) return
        this.waiting.shift()
        this.waitNoMore(record)
        record.turn = ++this.turns
        this.judgeRecord(record, watermark, host, emit)
      }
    }
  }

  close(host: PatternHost, emit: EmitMatch): void {
    this.advance(Number.POSITIVE_INFINITY, host, emit)
    this.closed = true
  }

  private judgeRecord(record: HeldRecord, watermark: number, host: PatternHost, emit: EmitMatch): void {
    const known = this.keys.get(record.key)
    // most records neither go on with something nor begin it
    if (known === undefined && (record.mask & 1) === 0) return
    const keyed = known ?? makeKeyMatches(record.key)
    const firedAt = host.firedAt
    host.judging = record
    host.firedAt = record.offset
    const judged = this.judgedSafely(keyed, record, host)
    if (judged !== undefined && judged.partials !== keyed.partials) {
      keyed.partials = judged.partials
      addCompleted(keyed, judged.completed)
      this.settle(keyed, record.time, watermark, host, emit)
    }
    host.judging = undefined
    host.firedAt = firedAt
  }

  /** Undefined when a condition's code threw: the record goes to the dead letter, as though it had not come. */
  private judgedSafely(keyed: KeyMatches, record: HeldRecord, host: PatternHost): Judged | undefined {
    try {
      return judge(this.plan, keyed.partials, record, (held) => recordOf(held, host))
    } catch (error) {
      host.threw(undefined, -1, this.name, error)
      return undefined
    }
  }

  /** Partial matches whose time is over: what was pending is a match, what was not is told. */
  private end({ keyed, time }: Deadline, host: PatternHost, emit: EmitMatch): void {
    const { plan } = this
    keyed.scheduled = false
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
    if (!keyed.changed) {
      keyed.changed = true
      this.changed.push(keyed)
    }
    this.schedule(keyed)
    // one whose deadline is in the queue is kept, so that there is one deadline for each key that is kept
    if (keyed.scheduled) this.keys.set(keyed.key, keyed)
    else this.keys.delete(keyed.key)
  }

  private schedule(keyed: KeyMatches): void {
    const deadline = keyed.scheduled ? undefined : deadlineOf(this.plan, keyed)
    if (deadline === undefined) return
    keyed.scheduled = true
    this.deadlines.add(deadline)
  }

  /** The key, and what each step took. */
  private result(last: Take, host: PatternHost): AnyRecord {
    const { steps } = this.plan
    const records = recordsBySteps(this.plan, last, (held) => recordOf(held, host), steps.length)
    return { ...this.keyOf(last.record.key), steps: records }
  }

  takeDelta(): EncodedPattern {
    const came = this.came.filter(({ turn }) => turn === 0)
    const { changed } = this
    this.came = []
    this.changed = []
    this.batch = undefined
    this.batchBytes = new Uint8Array(0)
    for (const keyed of changed) keyed.changed = false
    return this.encoded(came, changed)
  }

  sweepAndEncode(): EncodedPattern {
    return this.encoded(
      this.waiting.items().toSorted((left, right) => left.id - right.id),
      [...this.keys.values()].filter(({ completed, partials }) => partials.length + completed.length > 0)
    )
  }

  private encoded(held: ReadonlyArray<HeldRecord>, keys: ReadonlyArray<KeyMatches>): EncodedPattern {
    return {
      shape: this.plan.shape,
      next: this.next,
      turns: this.turns,
      from: this.waiting.first()?.time ?? null,
      held: held.map((each) => [each.key, encodeHeld(each)] as const),
      keys: keys.map(encodeKey)
    }
  }

  load(entries: unknown): void {
    const { from, held, keys, next, turns } = readEncoded(this.plan, entries)
    this.next = next
    this.turns = turns
    for (const [id, { time }] of this.loaded) if (from === null || time < from) this.loaded.delete(id)
    for (const [key, each] of held) this.loaded.set(each.id, decodeHeld(key, each))
    for (const each of keys) {
      if (each.partials.length + each.completed.length === 0) this.keys.delete(each.key)
      else this.keys.set(each.key, decodeKey(each))
    }
  }

  restored(closed: boolean): void {
    this.closed = closed
    for (const held of this.loaded.values()) this.wait(held)
    this.loaded.clear()
    for (const keyed of this.keys.values()) this.schedule(keyed)
  }

  size(): number {
    return this.keys.size
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

export const makePatternState = (plan: PatternPlan): PatternState => new RunningPattern(plan)
