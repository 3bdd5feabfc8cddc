/**
 * What one lookup holds in one shard: the records in flight in the order they came, and which of them may leave.
 *
 * The stage's program lets records in, the asker gives them outcomes, the task takes out those whose turn it is. An epoch
 * writes which came and which went since the last one; a restart asks again whatever had not left (protocol, rule 18).
 * **Bounds**: the policy's capacity, which the task keeps by not reading on.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { type Capture, inPieces, inTurn } from "../state/Capture.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import type { Asker, AskerRecord } from "./Asker.ts"
import type { InFlight, Origin, Outcome } from "./InFlight.ts"
import { Line } from "./Line.ts"
import { decodeRecord, encodeRecord } from "./RecordText.ts"

/** A record in flight in its durable form. */
interface EncodedInFlight {
  readonly id: number
  readonly offset: number
  /** Absent: the first. */
  readonly port?: number
  /** The source record: it decoded, so it is UTF-8. */
  readonly text: string
  /** Absent: the record is still as it was read. */
  readonly record?: unknown
  /** Absent: none. */
  readonly eventTime?: number
  readonly watermark?: number
}

/** A delta, or, with everything in flight as what came, a piece of a snapshot. */
interface EncodedLookup {
  /** What was in flight before is not any more. */
  readonly anew?: true
  readonly next: number
  readonly came: ReadonlyArray<EncodedInFlight>
  readonly went: ReadonlyArray<number>
  /** Absent before the lookup ran. */
  readonly asker?: AskerRecord
}

/** Reads source records back: the record of bytes that came by a port, and whether it has wide decimals. */
export type ReadOrigin = (bytes: Uint8Array, port: number) => { readonly read: AnyRecord; readonly wide: boolean }

/** Who gives records their outcome: the part of an `Asker` that is told of them. */
export type LookupAsker = Pick<Asker, "left" | "nowMs" | "record" | "status" | "take">

export interface LookupState extends OperatorState {
  /** A record comes in; its key is known. */
  readonly enter: (origin: Origin, record: AnyRecord, key: unknown) => void
  /** A record whose turn it is: the first one, or in any order the first that has its outcome; it has left. */
  readonly takeSettled: () => InFlight | undefined
  /** The least watermark of the records in flight; infinite when there are none. */
  readonly leastWatermark: () => number
  /** What the restored epoch says of the asker. */
  readonly restoredAsker: () => AskerRecord | undefined
  /** Where the records in flight came from. */
  readonly offsets: () => ReadonlyArray<number>
  /** From now on records are given to `asker`, those that were restored first. */
  readonly attach: (asker: LookupAsker, read: ReadOrigin) => void
  /** Undefined before `attach`. */
  readonly asker: () => LookupAsker | undefined
}

const encoder = new TextEncoder()
// a mark at the beginning is part of the record
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const encodeEntry = (entry: InFlight): EncodedInFlight => ({
  id: entry.id,
  offset: entry.offset,
  ...(entry.port === 0 ? {} : { port: entry.port }),
  text: decoder.decode(entry.bytes),
  ...(entry.record === entry.read ? {} : { record: encodeRecord(entry.record) }),
  ...(Number.isFinite(entry.eventTime) ? { eventTime: entry.eventTime } : {}),
  ...(Number.isFinite(entry.watermark) ? { watermark: entry.watermark } : {})
})

const decodeEntry = (encoded: EncodedInFlight, read: ReadOrigin): { origin: Origin; record: AnyRecord } => {
  const bytes = encoder.encode(encoded.text)
  const port = encoded.port ?? 0
  const source = read(bytes, port)
  const origin: Origin = {
    ...source,
    bytes,
    port,
    offset: encoded.offset,
    eventTime: encoded.eventTime ?? Number.NaN,
    watermark: encoded.watermark ?? Number.NEGATIVE_INFINITY
  }
  return { origin, record: encoded.record === undefined ? source.read : decodeRecord(encoded.record) }
}

class RunningLookup implements LookupState {
  readonly name: string
  private readonly ordered: boolean
  private readonly keyOf: (record: AnyRecord) => unknown
  /** By id, in that order. */
  private readonly held = new Map<number, InFlight>()
  /** The order in which records leave: as they came, or as they got their outcome. */
  private readonly line = new Line<InFlight>()
  private next = 0
  /** Ids below were told by an epoch. */
  private told = 0
  private went: Array<number> = []
  private readonly restored = new Map<number, EncodedInFlight>()
  private askerRecord: AskerRecord | undefined
  private running: LookupAsker | undefined

  constructor(name: string, ordered: boolean, keyOf: (record: AnyRecord) => unknown) {
    this.name = name
    this.ordered = ordered
    this.keyOf = keyOf
  }

  private readonly settled = (entry: InFlight): boolean => {
    if (!this.ordered) this.line.push(entry)
    return !this.ordered || this.line.first() === entry
  }

  enter(origin: Origin, record: AnyRecord, key: unknown): void {
    this.hold(this.next++, origin, record, key, undefined)
  }

  private hold(id: number, origin: Origin, record: AnyRecord, key: unknown, outcome: Outcome | undefined): void {
    const asker = this.running! // attached before the first record
    const entry: InFlight = {
      id,
      offset: origin.offset,
      port: origin.port,
      bytes: origin.bytes,
      read: origin.read,
      wide: origin.wide,
      eventTime: origin.eventTime,
      watermark: origin.watermark,
      record,
      key,
      enteredAtMs: asker.nowMs(),
      settled: this.settled,
      outcome
    }
    this.held.set(id, entry)
    if (this.ordered) this.line.push(entry)
    asker.take(entry)
  }

  takeSettled(): InFlight | undefined {
    const entry = this.line.first()
    if (entry?.outcome === undefined) return undefined
    this.line.shift()
    this.held.delete(entry.id)
    if (entry.id < this.told) this.went.push(entry.id)
    this.running!.left()
    return entry
  }

  leastWatermark(): number {
    let least = Number.POSITIVE_INFINITY
    for (const { watermark } of this.held.values()) least = Math.min(least, watermark)
    return least
  }

  takeDelta(): EncodedLookup {
    const came: Array<EncodedInFlight> = []
    for (const entry of this.held.values()) if (entry.id >= this.told) came.push(encodeEntry(entry))
    const { went } = this
    this.went = []
    this.told = this.next
    return { next: this.next, came, went, ...this.askerPart() }
  }

  /** All that is in flight, in either kind: the policy's capacity bounds it. */
  capture(): Capture {
    const { next } = this
    const head: EncodedLookup = { anew: true, next, came: [], went: [], ...this.askerPart() }
    const held = [...this.held.values()]
    return inTurn(
      inPieces([head], 1, ([only]) => only),
      inPieces(held, held.length, (some): EncodedLookup => ({ next, came: some.map(encodeEntry), went: [] }))
    )
  }

  private askerPart(): { readonly asker?: AskerRecord } {
    const asker = this.running?.record() ?? this.askerRecord
    return asker === undefined ? {} : { asker }
  }

  load(entries: unknown): void {
    const { anew, asker, came, next, went } = entries as EncodedLookup // made by takeDelta or a capture above
    if (anew === true) this.restored.clear()
    for (const id of went) this.restored.delete(id)
    for (const entry of came) this.restored.set(entry.id, entry)
    this.next = next
    this.told = next
    this.askerRecord = asker ?? this.askerRecord
  }

  restoredAsker(): AskerRecord | undefined {
    return this.askerRecord
  }

  attach(asker: LookupAsker, read: ReadOrigin): void {
    this.running = asker
    for (const [id, encoded] of this.restored) {
      const { origin, record } = decodeEntry(encoded, read)
      const key = this.keyAgain(record)
      this.hold(id, origin, record, key.key, key.outcome)
    }
    this.restored.clear()
  }

  /** Code gave this record a key before; a new version of it may throw. */
  private keyAgain(record: AnyRecord): { readonly key?: unknown; readonly outcome?: Outcome } {
    try {
      return { key: this.keyOf(record) }
    } catch (error) {
      return { outcome: { _tag: "Threw", error } }
    }
  }

  asker(): LookupAsker | undefined {
    return this.running
  }

  offsets(): ReadonlyArray<number> {
    return [...this.restored.values(), ...this.held.values()].map(({ offset }) => offset)
  }

  size(): number {
    return this.held.size + this.restored.size
  }
}

/** An empty one; `keyOf` gives a restored record's key again. */
export const makeLookupState = (name: string, ordered: boolean, keyOf: (record: AnyRecord) => unknown): LookupState =>
  new RunningLookup(name, ordered, keyOf)
