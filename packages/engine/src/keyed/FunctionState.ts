/**
 * A process function in one shard: runs its code for each record and each timer that is due, over the states of the key.
 *
 * What code wrote before it threw is taken back, and the record, or where the timer was, goes to the dead letter. Event-time
 * timers fire in the order of (time, key) when the watermark has come to them; those by the clock at the task's turn, as the
 * shard's clock has recorded it. **Bounds**: entries of a state and timers a key, timers and, in memory, keys in all.
 */
import type { AnyRecord } from "../flow/Node.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { isoOf } from "../state/PlainJson.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { makeFunctionCodec } from "./FunctionCodec.ts"
import { type FunctionKeys, makeMemoryKeys } from "./FunctionKeys.ts"
import { makeHandles } from "./Handles.ts"
import type { EmitKeyed, KeyedHost, KeyedInput, KeyedOperator } from "./KeyedOperator.ts"
import { alive } from "./KeyEntry.ts"
import type { FunctionPlan } from "./KeyedPlan.ts"
import { makeKeyReader } from "./KeyText.ts"
import type { FiredTimer, ProcessContextShape } from "./ProcessSpec.ts"
import type { Timer } from "./TimerQueue.ts"
import { makeStoredKeys } from "./StoredFunctionKeys.ts"
import { makeTimers, type TimerBounds, type Timers } from "./Timers.ts"
import { entryOf, makeTurn, undoAll } from "./Turn.ts"

const nothing: ReadonlyArray<AnyRecord> = []

class RunningFunction implements KeyedOperator {
  readonly name: string
  private readonly plan: FunctionPlan
  private readonly specs: FunctionPlan["specs"]
  private readonly codec: ReturnType<typeof makeFunctionCodec>
  private readonly keys: FunctionKeys
  private readonly turn = makeTurn()
  private readonly event: Timers
  private readonly processing: Timers
  private readonly context: ProcessContextShape & { eventTime: number; watermark: number }
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
  /** The timer that fires now. */
  private firing: FiredTimer | undefined
  private watermark = Number.NEGATIVE_INFINITY
  private clock = Number.NEGATIVE_INFINITY
  private closed = false

  constructor(plan: FunctionPlan, open: OpenStore | undefined) {
    const { name, spec, specs, store } = plan
    this.name = name
    this.plan = plan
    this.specs = specs
    this.codec = makeFunctionCodec(plan)
    this.keys =
      store === undefined || open === undefined
        ? makeMemoryKeys(plan, this.codec)
        : makeStoredKeys(plan, this.codec, store, open)
    if (this.keys.stored !== undefined) this.stored = this.keys.stored
    if (this.keys.discard !== undefined) this.discard = this.keys.discard
    const bounds: TimerBounds = { operator: name, perKeyMax: spec.timersPerKeyMax, max: spec.timersMax, live: 0 }
    const timers = (domain: FiredTimer["domain"]) =>
      makeTimers({
        domain,
        bounds,
        turn: this.turn,
        wanted: spec.onTimer !== undefined,
        timersOf: this.keys.timersOf,
        after: () => this.after(domain),
        // a timer that sets the next one would never come to the end of time
        ended: () => this.closed && domain === "event" && this.firing !== undefined
      })
    this.event = timers("event")
    this.processing = timers("processing")
    const keyOf = makeKeyReader(plan.key)
    const { turn } = this
    this.context = {
      // made when it is asked for
      get key() {
        return keyOf(entryOf(turn).key)
      },
      eventTime: Number.NaN,
      watermark: Number.NEGATIVE_INFINITY,
      states: makeHandles(name, this.turn, spec.states),
      timers: { event: this.event.setter, processing: { ...this.processing.setter, now: () => this.clock } }
    }
  }

  private after(domain: FiredTimer["domain"]): number {
    if (this.firing?.domain !== domain) return Number.NEGATIVE_INFINITY
    return domain === "event" ? this.firing.time : this.clock
  }

  due(watermark: number): boolean {
    return this.event.nextAt() <= watermark
  }

  take(input: KeyedInput, host: KeyedHost, emit: EmitKeyed): void {
    const { batch, eventTime, key, record, row, watermark } = input
    this.watermark = Math.max(this.watermark, watermark)
    this.clock = host.clock.at
    if (this.keys.full(key, watermark)) {
      const latenessMs = watermark - eventTime
      host.enter(batch, row, { operator: this.name, reason: "evicted", key, eventTime, latenessMs })
      return
    }
    const made = this.call(
      key,
      eventTime,
      watermark,
      () => this.plan.spec.onRecord(record, this.context),
      (error) => host.threw(batch, row, this.name, error)
    )
    for (const each of made) emit(each, eventTime, row)
    // one that was set for a time that has come
    const until = this.closed ? Number.POSITIVE_INFINITY : watermark
    if (!this.due(until)) return
    host.firedAt = batch.source.offsets[row]!
    this.advance(until, host, emit)
  }

  /** Runs code about a key; what it gave, or nothing when it threw. */
  private call(
    key: string,
    eventTime: number,
    watermark: number,
    code: () => Iterable<AnyRecord>,
    threw: (error: unknown) => void
  ): ReadonlyArray<AnyRecord> {
    const { context, firing, keys, turn } = this
    const entry = keys.begin(key)
    // the timer that fires is gone already
    let changed = firing !== undefined
    turn.entry = entry
    turn.eventTime = eventTime
    turn.watermark = watermark
    turn.now = Math.max(eventTime, watermark)
    context.eventTime = eventTime
    context.watermark = watermark
    let made = nothing
    try {
      made = [...code()]
      changed ||= turn.undo.length > 0
      turn.undo.length = 0
    } catch (error) {
      undoAll(turn)
      threw(error)
    }
    turn.entry = undefined
    keys.end(entry, { changed, cleared: turn.cleared, at: eventTime })
    turn.cleared = false
    return made
  }

  private fire(domain: FiredTimer["domain"], { key, time }: Timer, host: KeyedHost, emit: EmitKeyed): void {
    const { onTimer } = this.plan.spec
    if (onTimer === undefined) {
      this.keys.end(this.keys.begin(key), { changed: true, cleared: true, at: Number.NEGATIVE_INFINITY })
      return
    }
    const at = domain === "event" ? time : this.watermark
    const fired = { domain, time }
    this.firing = fired
    // one that was set for a time long past sees what is there by now: more may have been forgotten
    const watermark = Math.max(at, this.watermark)
    const made = this.call(
      key,
      at,
      watermark,
      () => onTimer(fired, this.context),
      (error) => host.threw(undefined, -1, this.name, error)
    )
    this.firing = undefined
    for (const each of made) emit(each, at, -1)
  }

  advance(watermark: number, host: KeyedHost, emit: EmitKeyed): void {
    this.clock = host.clock.at
    for (let timer = this.event.take(watermark); timer !== undefined; timer = this.event.take(watermark))
      this.fire("event", timer, host, emit)
    if (watermark !== Number.POSITIVE_INFINITY) this.watermark = Math.max(this.watermark, watermark)
  }

  clockAt(): number {
    return this.processing.nextAt()
  }

  advanceClock(watermark: number, host: KeyedHost, emit: EmitKeyed): void {
    this.clock = host.clock.at
    this.watermark = Math.max(this.watermark, watermark)
    const { clock, processing } = this
    for (let timer = processing.take(clock); timer !== undefined; timer = processing.take(clock))
      this.fire("processing", timer, host, emit)
    if (this.due(this.watermark)) this.advance(this.watermark, host, emit)
  }

  close(host: KeyedHost, emit: EmitKeyed): void {
    this.closed = true
    this.advance(Number.POSITIVE_INFINITY, host, emit)
  }

  takeDelta(): unknown {
    const { changed } = this.turn
    const keys = this.keys.tell(changed)
    changed.clear()
    return this.codec.wrap(keys)
  }

  capture(kind: CaptureKind, watermark: number): Capture {
    return this.keys.capture(kind, watermark, this.codec.wrap)
  }

  load(entries: unknown): void {
    for (const encoded of this.codec.unwrap(entries).keys) {
      const entry = this.keys.begin(encoded.key)
      this.codec.apply(entry, encoded)
      this.keys.end(entry, { changed: true, cleared: true, at: Number.NEGATIVE_INFINITY })
    }
  }

  entriesOf(entries: unknown, key: string): unknown {
    const of = this.codec.unwrap(entries)
    return { ...of, keys: of.keys.filter((each) => each.key === key) }
  }

  restored(watermark: number, closed: boolean): void {
    this.watermark = watermark
    this.closed = closed
    for (const entry of this.keys.withTimers()) {
      this.event.restored(entry)
      this.processing.restored(entry)
    }
  }

  size(): number {
    return this.keys.size()
  }

  read(key: string, watermark: number): object | undefined {
    const entry = this.keys.get(key)
    if (entry === undefined) return undefined
    const cells = this.specs.map((spec, index) => alive(spec, entry.cells[index], watermark))
    const timers = (domain: FiredTimer["domain"]) => [...entry[domain]].sort((left, right) => left - right).map(isoOf)
    return {
      states: this.codec.read({ ...entry, cells }),
      timers: { event: timers("event"), processing: timers("processing") }
    }
  }
}

export const makeFunctionState = (plan: FunctionPlan, open?: OpenStore): KeyedOperator =>
  new RunningFunction(plan, open)
