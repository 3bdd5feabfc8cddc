/**
 * When the first record of each key was: what a deduplication remembers of a shard, in memory or on disk.
 *
 * Whether a time still counts its reader judges, so that the answer does not depend on when one was forgotten.
 * **Bounds**: in memory `keysMax`; on disk the TTL alone.
 */
import { type Capture, type CaptureKind, inPieces } from "../state/Capture.ts"
import { ExpiringMap } from "../store/ExpiringMap.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import type { FirstPlan } from "./KeyedPlan.ts"

export type KeyTime = readonly [key: string, time: number]

export interface FirstTimes {
  readonly get: (key: string) => number | undefined
  /** Of the key it is the latest: times are set in their order. */
  readonly set: (key: string, time: number) => void
  /** Whether the key would be one too many. */
  readonly full: (key: string) => boolean
  /** Forgets those that no record from `time` on is a duplicate of. */
  readonly forget: (time: number) => void
  /** In a delta; what of them is still there. */
  readonly tell: (keys: Iterable<string>) => ReadonlyArray<KeyTime>
  readonly capture: (
    kind: CaptureKind,
    watermark: number,
    encode: (times: ReadonlyArray<KeyTime>) => unknown
  ) => Capture
  /** After the last `set` of what was loaded, in any order. */
  readonly restored: () => void
  readonly size: () => number
  /** Of all keys; only in memory, where people look at it. */
  readonly all?: () => Iterable<KeyTime>
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

export const makeFirstTimes = (plan: FirstPlan, open: OpenStore | undefined): FirstTimes =>
  plan.store === undefined || open === undefined
    ? inMemory(plan)
    : onDisk(
        plan,
        new ExpiringMap({ name: plan.name, store: plan.store, open, encode: (time) => time, decode: Number })
      )

const inMemory = ({ keysMax, ttlMs }: FirstPlan): FirstTimes => {
  /** In the order of times. */
  const times = new Map<string, number>()
  let since = new Set<string>()
  const timesOf = (keys: Iterable<string>): ReadonlyArray<KeyTime> =>
    Array.from(keys).flatMap((key): ReadonlyArray<KeyTime> => {
      const time = times.get(key)
      return time === undefined ? [] : [[key, time]]
    })
  return {
    get: (key) => times.get(key),
    set: (key, time) => {
      times.delete(key)
      times.set(key, time)
    },
    full: (key) => times.size >= keysMax && !times.has(key),
    forget: (now) => {
      for (const [key, time] of times) {
        if (time + ttlMs > now) return
        times.delete(key)
      }
    },
    tell: (keys) => {
      for (const key of keys) since.add(key)
      return timesOf(keys)
    },
    capture: (kind, _, encode) => {
      const keys = kind === "base" ? times : since
      since = new Set()
      return inPieces(keys.keys(), keys.size, (some) => encode(timesOf(some)))
    },
    restored: () => {
      const inOrder = [...times].sort(([, left], [, right]) => left - right)
      times.clear()
      for (const [key, time] of inOrder) times.set(key, time)
    },
    size: () => times.size,
    all: () => times
  }
}

const onDisk = ({ ttlMs }: FirstPlan, times: ExpiringMap<number>): FirstTimes => ({
  get: (key) => times.get(key),
  set: (key, time) => times.set(key, time, time + ttlMs),
  full: () => false,
  forget: () => {},
  tell: (keys) =>
    Array.from(keys).flatMap((key): ReadonlyArray<KeyTime> => {
      const time = times.get(key)
      return time === undefined ? [] : [[key, time]]
    }),
  capture: (kind, watermark, encode) =>
    // a time that is over replaced one that is over as well
    times.capture(kind, watermark, (some) => encode(some.filter((each): each is KeyTime => each[1] !== undefined))),
  restored: () => {},
  size: () => times.size,
  stored: () => times.counts(),
  discard: () => times.close()
})
