/**
 * A map from keys to values, larger than memory: what is in use as live objects in front of an `EmbeddedStore`.
 *
 * Operators read and write it in their loops. What is not asked for again leaves the cache; of that, what changed since it was read
 * is frozen, sorted and spilled in slices, while it is still found. **Bounds**: `cacheBytesMax` of values and keys, by the length
 * of their text; the store's own memory beside it.
 */
import { type Capture, type CaptureKind, inPieces, inTurn } from "../state/Capture.ts"
import { ValueTexts } from "./Block.ts"
import type { EmbeddedStore, Scan, Spill, StoreCounts } from "./EmbeddedStore.ts"
import { GroupScan, makeGroups, rangeOf } from "./KeyGroups.ts"
import { jsonLength } from "./JsonLength.ts"
import { readKey } from "./KeyBytes.ts"

export interface StoredMapOptions<V> {
  readonly store: EmbeddedStore
  readonly cacheBytesMax: number
  /** As plain JSON. */
  readonly encode: (value: V) => unknown
  readonly decode: (encoded: unknown) => V
  /** Keys that begin with the same so many characters, all of ASCII, are a group: they are scanned and dropped together. */
  readonly groupLength?: number
  /** What an entry takes beside its text, when that is more than most do. */
  readonly entryBytes?: number
  /** About how long a value's JSON is, where values grow and know it. */
  readonly textLength?: (value: V) => number
}

/** A value as the cache has it. */
interface Held<V> {
  value: V
  time: number
  /** Taken for it: what its text needs, as far as that is known. */
  bytes: number
  /** The store does not have it so. */
  dirty: boolean
  /** Its JSON, when it was told since it was set. */
  encoded: unknown
  /** Captures that had begun when it was set last. */
  round: number
  /** Asked for since the hand passed it. */
  used: boolean
}

export interface StoredCounts extends StoreCounts {
  readonly cacheBytes: number
}

export interface StoredValue<V> {
  readonly value: V
  readonly time: number
}

/** Makes pieces of a capture; undefined where one would be empty. */
export interface CaptureCodec<V> {
  readonly ofStore: (entries: ReadonlyArray<readonly [key: string, value: V, time: number]>) => unknown
  /** What the store did not have when the capture began; `undefined` is in place of what the store gave of the key. */
  readonly ofCache: (entries: ReadonlyArray<readonly [key: string, value: V | undefined, time: number]>) => unknown
}

/** A live object takes about twice what its text does; its key, its entry and their places in the map come on top. */
const entryBytesDefault = 160

/** So much of the cache is let go at once. */
const letGoPart = 8
/** What is frozen is written so much faster than the cache fills. */
const spillPace = 1.5
const sliceBytes = 32_768

export class StoredMap<V> {
  private readonly store: EmbeddedStore
  private readonly options: StoredMapOptions<V>
  private readonly texts = new ValueTexts()
  private readonly hotBytesMax: number
  private readonly entryBytes: number
  /** Of `hot`. */
  private readonly groups
  private readonly hot = new Map<string, Held<V>>()
  private hotBytes = 0
  private hand = this.hot.entries()
  /** Left the cache and not in the store yet. */
  private readonly frozen = new Map<string, Held<V>>()
  private frozenKeys: Array<string> = []
  private frozenAt = 0
  private spill: Spill | undefined
  /** Taken into the cache since the last slice. */
  private debt = 0
  /** It was looked for last, and is not there. */
  private missing: string | undefined
  private averageText = 100
  private captured: Scan | undefined
  /** Captures that have begun. */
  private round = 0
  private known = 0

  constructor(options: StoredMapOptions<V>) {
    this.options = options
    this.store = options.store
    this.hotBytesMax = options.cacheBytesMax * (1 - 1 / letGoPart)
    this.entryBytes = options.entryBytes ?? entryBytesDefault
    this.groups = options.groupLength === undefined ? undefined : makeGroups(options.groupLength)
  }

  private bytesOf(key: string, textLength: number): number {
    return this.entryBytes + 2 * (key.length + textLength)
  }

  /** Keys, with those that are over but were not dropped yet. */
  get size(): number {
    return this.known
  }

  /** The key's value. It must not be changed in place. */
  get(key: string): StoredValue<V> | undefined {
    const held = this.hot.get(key)
    if (held === undefined) return this.miss(key)
    held.used = true
    return held
  }

  /** Puts a value in the place of the key's. */
  set(key: string, value: V, time: number): void {
    const before = this.hot.get(key)
    if (before !== undefined) {
      before.value = value
      before.time = time
      before.dirty = true
      before.encoded = undefined
      before.round = this.round
      before.used = true
      if (this.options.textLength !== undefined) this.resize(key, before)
      return
    }
    if (this.miss(key) === undefined) this.known++
    this.take(key, {
      value,
      time,
      bytes: this.bytesOf(key, this.options.textLength?.(value) ?? this.averageText),
      dirty: true,
      encoded: undefined,
      round: this.round,
      used: false
    })
  }

  /** What the key's value is as JSON, for whoever tells it; it is not encoded again when it is spilled. */
  told(key: string): { readonly encoded: unknown; readonly time: number } | undefined {
    const entry = this.get(key)
    if (entry === undefined) return undefined
    const encoded = this.options.encode(entry.value)
    const held = this.hot.get(key)
    if (held !== undefined) {
      held.encoded = encoded
      this.takes(held, this.bytesOf(key, jsonLength(encoded)))
    }
    return { encoded, time: entry.time }
  }

  private resize(key: string, held: Held<V>): void {
    this.takes(held, this.bytesOf(key, this.options.textLength!(held.value)))
  }

  private takes(held: Held<V>, bytes: number): void {
    this.hotBytes += bytes - held.bytes
    held.bytes = bytes
    if (this.hotBytes > this.hotBytesMax) this.letGo()
  }

  private miss(key: string): StoredValue<V> | undefined {
    if (key === this.missing) return undefined
    const frozen = this.frozen.get(key)
    if (frozen !== undefined) {
      const { bytes, time, value } = frozen
      const held = { value, time, bytes, dirty: false, encoded: undefined, round: -1, used: false }
      this.take(key, held)
      return held
    }
    const entry = this.store.find(key)
    if (entry === undefined || entry.deleted) {
      this.missing = key
      return undefined
    }
    const { time } = entry
    const text = this.texts.of(entry)
    const held = {
      value: this.options.decode(JSON.parse(text)),
      time,
      bytes: this.bytesOf(key, text.length),
      dirty: false,
      encoded: undefined,
      round: -1,
      used: false
    }
    this.take(key, held)
    return held
  }

  private take(key: string, held: Held<V>): void {
    this.missing = undefined
    const before = this.hot.get(key)
    this.hot.set(key, held)
    if (before === undefined) this.groups?.add(key)
    this.hotBytes += held.bytes - (before?.bytes ?? 0)
    this.debt += held.bytes
    if (this.spill !== undefined && this.debt >= sliceBytes) this.writeSlice(this.debt * spillPace)
    if (this.hotBytes > this.hotBytesMax) this.letGo()
  }

  /** What was not asked for since the hand passed it goes, until there is room again. */
  private letGo(): void {
    this.finishSpill()
    const target = this.hotBytesMax - this.options.cacheBytesMax / letGoPart
    while (this.hotBytes > target && this.hot.size > 0) {
      const next = this.hand.next()
      if (next.done === true) {
        this.hand = this.hot.entries()
        continue
      }
      const [key, held] = next.value
      if (held.used) {
        held.used = false
        continue
      }
      this.hot.delete(key)
      this.groups?.delete(key)
      this.hotBytes -= held.bytes
      if (held.dirty) this.frozen.set(key, held)
    }
    this.beginSpill()
  }

  private beginSpill(): void {
    if (this.frozen.size === 0) return
    this.frozenKeys = [...this.frozen.keys()].sort()
    this.frozenAt = 0
    this.debt = 0
    this.spill = this.store.spill(this.frozenKeys.length)
  }

  private writeSlice(bytesMax: number): void {
    const { frozen, frozenKeys, options, spill } = this
    if (spill === undefined) return
    this.debt = 0
    for (let written = 0; written < bytesMax;) {
      if (this.frozenAt === frozenKeys.length) {
        this.spill = undefined
        spill.end()
        frozen.clear()
        this.frozenKeys = []
        return
      }
      const key = frozenKeys[this.frozenAt++]!
      const held = frozen.get(key)
      // its group was dropped
      if (held === undefined) continue
      const { bytes, encoded, time, value } = held
      const text = JSON.stringify(encoded ?? options.encode(value))
      this.averageText += (text.length - this.averageText) / 64
      spill.add(key, time, text)
      written += bytes
    }
  }

  private finishSpill(): void {
    this.writeSlice(Number.POSITIVE_INFINITY)
  }

  /** The entries of a group in the order of their keys, as they are now; of each file so much is read at once. */
  scanGroup(group: string, readBytes: number): GroupScan<V> {
    const newer: Array<readonly [key: string, value: V]> = []
    for (const key of this.groups?.keysOf(group) ?? []) newer.push([key, this.hot.get(key)!.value]) // they are those of `hot`
    for (const key of rangeOf(this.frozenKeys, group)) {
      const held = this.hot.has(key) ? undefined : this.frozen.get(key)
      if (held !== undefined) newer.push([key, held.value])
    }
    return new GroupScan(newer, this.store.scanPrefix(group, readBytes), this.options.decode)
  }

  /** Nothing of the group is asked for again: what the cache has of it goes without being written. */
  dropGroup(group: string): void {
    for (const key of this.groups?.take(group) ?? []) {
      this.hotBytes -= this.hot.get(key)!.bytes
      this.hot.delete(key)
    }
    for (const key of rangeOf(this.frozenKeys, group)) this.frozen.delete(key)
  }

  /** Lets files go that have nothing but what is over. */
  dropOver(): void {
    this.store.dropOver()
  }

  /**
   * A base gives all entries, an increment at least those that were set since the capture before began, in pieces: those of
   * the store as they were when it began, in the order of keys, then what the store did not have yet, as it is when its piece is
   * made. So of a key that comes twice the later one counts; it has no value when it was over and is dropped by now. No keys are
   * listed for it: what was spilled since is held, but not a spill that was under way: the capture before had that from here.
   */
  capture(kind: CaptureKind, { ofCache, ofStore }: CaptureCodec<V>): Capture {
    const from = kind === "base" ? 0 : this.round
    this.round++
    const newer: Array<string> = []
    for (const [key, { round }] of this.frozen) if (round >= from) newer.push(key)
    for (const [key, { dirty, round }] of this.hot) if (dirty && round >= from) newer.push(key)
    // one is open at a time: an earlier one was given up
    this.captured?.close()
    const scan = (this.captured = kind === "base" ? this.store.scanAll() : this.store.scanRecent())
    return inTurn(
      this.captureStore(scan, ofStore),
      inPieces(newer, newer.length, (keys) =>
        ofCache(
          keys.map((key) => {
            const entry = this.get(key)
            return [key, entry?.value, entry?.time ?? Number.NEGATIVE_INFINITY]
          })
        )
      )
    )
  }

  private captureStore(scan: Scan, encode: CaptureCodec<V>["ofStore"]): Capture {
    let ended = false
    return {
      next: (entriesMax) => {
        while (!ended) {
          const taken: Array<readonly [string, V, number]> = []
          while (taken.length < entriesMax && !ended) {
            const entry = scan.next()
            if (entry === undefined) {
              ended = true
              scan.close()
              if (this.captured === scan) this.captured = undefined
            } else if (!entry.deleted) {
              const { bytes, keyFrom, keyTo, time } = entry
              const value = this.options.decode(JSON.parse(this.texts.of(entry)))
              taken.push([readKey(bytes, keyFrom, keyTo), value, time])
            }
          }
          const piece = taken.length === 0 ? undefined : encode(taken)
          if (piece !== undefined) return piece
        }
        return undefined
      }
    }
  }

  counts(): StoredCounts {
    return { ...this.store.counts(), cacheBytes: this.hotBytes }
  }

  close(): void {
    this.captured?.close()
    this.spill?.abandon()
    this.spill = undefined
    this.store.close()
  }
}
