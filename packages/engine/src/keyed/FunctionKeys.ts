/**
 * The keys of a process function in one shard: their states and timers, in memory or on disk.
 *
 * `FunctionState` begins a call with `begin`, changes what that gave in place, and ends it with `end`. **Bounds**: in memory
 * `keysMax`, where keys count that are not over by the watermark. `StoredFunctionKeys.ts` has those on disk.
 */
import { type Capture, type CaptureKind, inPieces } from "../state/Capture.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import type { EncodedKey, FunctionCodec } from "./FunctionCodec.ts"
import { makeKeyBound } from "./KeyBound.ts"
import {
  addChanges,
  alive,
  type Changed,
  expiresAt,
  isEmpty,
  type KeyEntry,
  type KeyTimers,
  makeKeyEntry
} from "./KeyEntry.ts"
import type { FunctionPlan } from "./KeyedPlan.ts"

export interface FunctionKeys {
  /** What there is of the key. */
  readonly get: (key: string) => KeyEntry | undefined
  /** What there is of the key, or an entry that is empty. No other is begun before it is ended. */
  readonly begin: (key: string) => KeyEntry
  /** At event time `at` it was left as it is now. */
  readonly end: (entry: KeyEntry, how: Ended) => void
  /** The timers of a key. */
  readonly timersOf: (key: string) => KeyTimers | undefined
  /** Of each key that has some, and perhaps of others. */
  readonly withTimers: () => Iterable<KeyTimers>
  /** Whether a key that is not there would be one too many. */
  readonly full: (key: string, watermark: number) => boolean
  /** In a delta. */
  readonly tell: (changed: ReadonlyMap<string, Changed>) => ReadonlyArray<EncodedKey>
  readonly capture: (
    kind: CaptureKind,
    watermark: number,
    wrap: (keys: ReadonlyArray<EncodedKey>) => unknown
  ) => Capture
  readonly size: () => number
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

export interface Ended {
  /** Something was written, set, cleared, or fired. */
  readonly changed: boolean
  /** Something went, so that the key may be over earlier than it was. */
  readonly cleared: boolean
  readonly at: number
}

export const makeMemoryKeys = ({ spec, specs }: FunctionPlan, codec: FunctionCodec): FunctionKeys => {
  const keys = new Map<string, KeyEntry>()
  /** What changed since the capture before began. */
  let since = new Map<string, Changed>()
  const bound = makeKeyBound(keys, spec.keysMax, (entry) => expiresAt(specs, entry))
  const leastTtlMs = Math.min(...specs.map(({ ttlMs }) => ttlMs))

  /** Forgets what of a key is over; false when that was all. */
  const keeps = (entry: KeyEntry, watermark: number): boolean => {
    for (const [index, state] of specs.entries()) entry.cells[index] = alive(state, entry.cells[index], watermark)
    if (!isEmpty(entry)) return true
    keys.delete(entry.key)
    return false
  }
  return {
    get: (key) => keys.get(key),
    begin: (key) => {
      let entry = keys.get(key)
      if (entry === undefined) keys.set(key, (entry = makeKeyEntry(key)))
      return entry
    },
    end: (entry, { at, cleared }) => {
      if (isEmpty(entry)) keys.delete(entry.key)
      bound.written(cleared ? Number.NEGATIVE_INFINITY : at + leastTtlMs)
    },
    timersOf: (key) => keys.get(key),
    withTimers: () => keys.values(),
    full: (key, watermark) => !keys.has(key) && bound.full(watermark),
    tell: (changed) => {
      const told = Array.from(changed, ([key, changes]) => codec.encodeKey(key, keys.get(key), changes))
      for (const [key, changes] of changed) addChanges(since, key, changes)
      return told
    },
    capture: (kind, watermark, wrap) => {
      const changed = since
      since = new Map()
      if (kind === "increment")
        return inPieces(changed, changed.size, (some) =>
          wrap(some.map(([key, changes]) => codec.encodeKey(key, keys.get(key), changes)))
        )
      return inPieces(keys.values(), keys.size, (some) => {
        const living = some.filter((entry) => keeps(entry, watermark))
        return living.length === 0
          ? undefined
          : wrap(living.map((entry) => codec.encodeKey(entry.key, entry, undefined)))
      })
    },
    size: () => keys.size
  }
}
