/**
 * What a join on disk holds: the records of a key as one entry, and when each key is looked at next.
 *
 * `StoredIntervalState.ts`, `StoredAsOfState.ts` and `StoredLatestState.ts` say what becomes of them. What is over follows from
 * the watermark, so it goes when its key is looked at for another reason, or with its entry when the store merges what is over:
 * nothing is written for it. **Bounds**: the stores'; what came since the last delta; keys that are due within one piece of time.
 */
import type { ColumnBatch } from "@frazil/core"
import type { DiskStore } from "../flow/Node.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { noBytes, textOfRange } from "../state/KeptRecord.ts"
import { type DueKeys, makeDueKeys, shareOfDue, sumOfCounts } from "../store/DueKeys.ts"
import { EmbeddedStore } from "../store/EmbeddedStore.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { type StoredCounts, StoredMap } from "../store/StoredMap.ts"
import { isOuter, type Side } from "./Join.ts"
import {
  checkShape,
  decodeSideRecord,
  type EncodedJoin,
  type EncodedMatch,
  encodeSideRecord,
  matchOf
} from "./JoinCodec.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import type { JoinInput } from "./JoinRecord.ts"
import {
  decodeStoredKey,
  encodeStoredKey,
  type EncodedStoredKey,
  findRecord,
  keyBytes,
  makeStoredKey,
  recordsOf,
  type StoredKey,
  storedRecord,
  type StoredRecord
} from "./StoredKey.ts"

/** Where the operator's state is. */
export interface OpenJoin {
  readonly store: DiskStore
  readonly open: OpenStore
}

export interface StoredJoinOptions extends OpenJoin {
  /** How far ahead keys become due: what is due together is read in a small part of it. */
  readonly spanMs: number
}

const piecesPerSpan = 256
const pieceMsMin = 1000

export class StoredJoinKeys {
  /** Of the watermark less the lateness, as far as it is known. */
  horizon = Number.NEGATIVE_INFINITY
  private readonly plan: JoinPlan
  private readonly keys: StoredMap<StoredKey>
  private readonly due: DueKeys
  /** The number of the next record. */
  private next = 0
  /** Those that came since the last delta and are held, by their numbers. */
  private came = new Map<number, StoredRecord>()
  /** Those that had come before and have met a partner since. */
  private matched: Array<EncodedMatch> = []
  /** Records with lower numbers are in the capture before. */
  private capturedTo = 0
  private readonly pieceMs: number
  /** Keys by the piece of time in which the last of each is over. */
  private readonly counts = new Map<number, number>()
  private forgottenPiece = Number.NEGATIVE_INFINITY

  constructor(plan: JoinPlan, { open, spanMs, store }: StoredJoinOptions) {
    this.plan = plan
    const share = shareOfDue(store.cacheBytesMax)
    this.pieceMs = Math.max(pieceMsMin, Math.floor(spanMs / piecesPerSpan))
    this.keys = new StoredMap<StoredKey>({
      store: new EmbeddedStore({ ...open(plan.name), over: (time) => time < this.horizon }),
      cacheBytesMax: share.keys,
      encode: encodeStoredKey,
      decode: (encoded) => decodeStoredKey(encoded as EncodedStoredKey), // of encodeStoredKey
      entryBytes: keyBytes,
      textLength: ({ textLength }) => textLength
    })
    this.due = makeDueKeys({ name: `${plan.name} due`, open, cacheBytesMax: share.due, pieceMs: this.pieceMs })
  }

  /** Nothing becomes due before. */
  nextAt(): number {
    return this.due.nextAt()
  }

  /** The key's entry; whoever changes it calls `put` before the next call, but for what is over, which may go at any time. */
  get(key: string): StoredKey | undefined {
    const entry = this.keys.get(key)
    if (entry === undefined) return undefined
    entry.value.overAt = entry.time
    return entry.value
  }

  /** Writes the entry, which is over from `overAt` on: never earlier than what it replaces. */
  put(keyed: StoredKey, overAt: number): void {
    const before = keyed.overAt
    if (overAt > before) {
      keyed.overAt = overAt
      this.count(before, overAt)
    }
    this.keys.set(keyed.key, keyed, keyed.overAt)
  }

  private count(before: number, after: number): void {
    const [from, to] = [this.pieceOf(before), this.pieceOf(after)]
    if (from === to) return
    const left = this.counts.get(from)
    if (left !== undefined) this.counts.set(from, left - 1)
    this.counts.set(to, (this.counts.get(to) ?? 0) + 1)
  }

  private pieceOf(time: number): number {
    return Math.floor(time / this.pieceMs)
  }

  /** The key is looked at then, if not before. */
  schedule(keyed: StoredKey, at: number): void {
    if (at >= keyed.dueAt || at === Number.POSITIVE_INFINITY) return
    keyed.dueAt = at
    this.due.add(keyed.key, at)
  }

  /**
   * Visits the keys that are due before a time, in the order of times; `after` is called when all of one time were. A visit
   * changes the entry in place and tells when it is due next.
   */
  visitDue(before: number, visit: (keyed: StoredKey, at: number) => number, after: (at: number) => void): void {
    while (this.due.nextAt() < before) this.visitFirst(visit, after)
  }

  /** Those that are due first, or none: then it is known better when that is. */
  visitFirst(visit: (keyed: StoredKey, at: number) => number, after: (at: number) => void): void {
    const taken = this.due.take(this.due.nextAt())
    if (taken === undefined) return
    const { at, keys } = taken
    for (const key of keys) {
      const keyed = this.get(key)
      // it was put in again for an earlier time, or is gone
      if (keyed === undefined || keyed.dueAt !== at) continue
      keyed.dueAt = Number.POSITIVE_INFINITY
      this.schedule(keyed, visit(keyed, at))
      this.put(keyed, keyed.overAt)
    }
    after(at)
  }

  /** Nothing that is over by then is asked for again. */
  forget(horizon: number): void {
    this.horizon = Math.max(this.horizon, horizon)
    const piece = this.pieceOf(this.horizon)
    if (piece === this.forgottenPiece) return
    this.forgottenPiece = piece
    for (const each of this.counts.keys()) if (each < piece) this.counts.delete(each)
  }

  /** A record that came, which is not held yet. */
  make(input: JoinInput, batch: ColumnBatch, row: number): StoredRecord {
    const { bytes, offsets, valueEnds, valueStarts } = batch.source
    const { cells, changed, deleted, key, port, record, side, time } = input
    const text = textOfRange(bytes, valueStarts[row]!, valueEnds[row]!)
    const place = { id: this.next++, key, time, offset: offsets[row]!, port, bytes: noBytes, start: 0, end: 0, text }
    return storedRecord({ ...place, side, changed, record, cells, deleted, matched: false })
  }

  /** It is held from here on, for the next delta to tell. */
  hold(held: StoredRecord): void {
    this.came.set(held.id, held)
  }

  /** It is not held any more. */
  gone({ id }: StoredRecord): void {
    this.came.delete(id)
  }

  /** It has met a partner; its entry is written by whoever calls. */
  match(held: StoredRecord): void {
    if (held.matched) return
    held.matched = true
    held.metAt = this.next
    // an entry that left the cache meanwhile has another object for it
    const came = this.came.get(held.id)
    if (came !== undefined) came.matched = true
    else if (isOuter(this.plan.spec, held.side)) this.matched.push(matchOf(held))
  }

  takeDelta(): EncodedJoin {
    const { came, matched, next } = this
    this.came = new Map()
    this.matched = []
    return { shape: this.plan.shape, next, records: Array.from(came.values(), encodeSideRecord), matched }
  }

  /** `prune`: lets go what of an entry is over. */
  capture(kind: CaptureKind, prune: (keyed: StoredKey) => void): Capture {
    const { next: to, plan } = this
    const from = kind === "base" ? 0 : this.capturedTo
    this.capturedTo = to
    const give = (entries: ReadonlyArray<readonly [key: string, keyed: StoredKey | undefined, time: number]>) => {
      const { horizon } = this
      const records: Array<StoredRecord> = []
      const matched: Array<EncodedMatch> = []
      for (const [, keyed] of entries) {
        if (keyed === undefined) continue
        prune(keyed)
        for (const held of recordsOf(keyed)) {
          // what came since is in the deltas
          if (held.id >= to) continue
          if (held.id >= from) records.push(held)
          else if (held.metAt >= from && isOuter(plan.spec, held.side)) matched.push(matchOf(held))
        }
      }
      if (records.length + matched.length === 0) return undefined
      const keyed = { before: Number.isFinite(horizon) ? horizon : null }
      return { shape: plan.shape, next: to, records: records.map(encodeSideRecord), matched, keyed }
    }
    return this.keys.capture(kind, { ofStore: give, ofCache: give })
  }

  /** `place` puts a record that is not there yet into its key's entry, and tells until when that counts. */
  load(entries: unknown, place: (keyed: StoredKey, held: StoredRecord, before: number) => number): void {
    const { keyed: piece, matched, next, records } = checkShape(this.plan, entries)
    const before = piece?.before ?? Number.NEGATIVE_INFINITY
    this.next = next
    for (const encoded of records) {
      const held = storedRecord(decodeSideRecord(encoded))
      const keyed = this.get(held.key) ?? makeStoredKey(held.key)
      const there = findRecord(keyed, held)
      if (there === undefined) this.put(keyed, place(keyed, held, before))
      else if (held.matched && !there.matched) {
        there.matched = true
        this.put(keyed, keyed.overAt)
      }
    }
    for (const [side, key, id, time] of matched) this.loadMatch(side, key, id, time)
  }

  private loadMatch(side: Side, key: string, id: number, time: number): void {
    const keyed = this.get(key)
    const held = keyed && findRecord(keyed, { side, id, time })
    // one that was over before the snapshot's piece was made is not in it, and is over by the record in force, too
    if (held === undefined || held.matched) return
    held.matched = true
    this.put(keyed!, keyed!.overAt)
  }

  size(): number {
    let keys = 0
    for (const count of this.counts.values()) keys += count
    return keys
  }

  stored(): StoredCounts {
    return sumOfCounts(this.keys.counts(), this.due.counts())
  }

  discard(): void {
    this.keys.close()
    this.due.close()
  }
}
