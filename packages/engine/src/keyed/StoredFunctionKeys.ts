/**
 * The keys of a process function on disk: their states in an `ExpiringMap`, each key's read and written whole; timers in memory.
 *
 * What is due next is asked after every record, so timers are a heap in memory and `timersMax` bounds them. **Bounds**: the
 * store's, and timers.
 */
import { ExpiringMap } from "../store/ExpiringMap.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { DiskStore } from "../flow/Node.ts"
import type { FunctionCodec } from "./FunctionCodec.ts"
import type { FunctionKeys } from "./FunctionKeys.ts"
import { alive, type Cell, expiresAt, hasTimers, type KeyEntry, type KeyTimers, makeKeyEntry } from "./KeyEntry.ts"
import type { FunctionPlan } from "./KeyedPlan.ts"

/** The states of a key as the cache has them. */
interface StoredKey {
  readonly cells: Array<Cell>
  /** From this watermark on nothing of them counts, or from an earlier one. */
  overAt: number
}

export const makeStoredKeys = (
  { name, specs }: FunctionPlan,
  codec: FunctionCodec,
  store: DiskStore,
  open: OpenStore
): FunctionKeys => {
  const mostTtlMs = Math.max(...specs.map(({ ttlMs }) => ttlMs))
  const timers = new Map<string, KeyTimers>()
  const overAtOf = (cells: Array<Cell>) => expiresAt(specs, { ...makeKeyEntry(""), cells })
  const states = new ExpiringMap<StoredKey>({
    name,
    store,
    open,
    encode: ({ cells }) => codec.encodeCells(cells),
    decode: (encoded) => {
      const cells = codec.decodeCells(encoded)
      return { cells, overAt: overAtOf(cells) }
    }
  })
  /** Of the call that runs; its states are found again when it ends. */
  let begun: KeyEntry | undefined
  let begunStates: StoredKey = { cells: [], overAt: Number.NEGATIVE_INFINITY }

  const entryOf = (key: string, cells: Array<Cell>): KeyEntry => {
    const set = timers.get(key)
    return set === undefined ? { ...makeKeyEntry(key), cells } : { ...set, cells }
  }
  const living = (cells: ReadonlyArray<Cell>, watermark: number) =>
    cells.map((cell, index) => alive(specs[index]!, cell, watermark))

  return {
    get: (key) => {
      const found = states.get(key)
      return found === undefined && !timers.has(key) ? undefined : entryOf(key, found?.cells ?? [])
    },
    begin: (key) => {
      begunStates = states.get(key) ?? { cells: [], overAt: Number.NEGATIVE_INFINITY }
      return (begun = entryOf(key, begunStates.cells))
    },
    end: (entry, { at, changed, cleared }) => {
      begun = undefined
      if (!changed) return
      const { key } = entry
      if (hasTimers(entry)) timers.set(key, { key, event: entry.event, processing: entry.processing })
      else timers.delete(key)
      const { cells } = begunStates
      begunStates.overAt = cleared ? overAtOf(cells) : Math.max(begunStates.overAt, at + mostTtlMs)
      // a key with timers is given by every base
      states.set(key, begunStates, hasTimers(entry) ? Number.POSITIVE_INFINITY : begunStates.overAt)
    },
    timersOf: (key) => (begun?.key === key ? begun : timers.get(key)),
    withTimers: () => timers.values(),
    full: () => false,
    tell: (changed) =>
      Array.from(changed, ([key, changes]) => {
        states.told(key)
        return codec.encodeKey(key, entryOf(key, states.get(key)?.cells ?? []), changes)
      }),
    capture: (kind, watermark, wrap) =>
      states.capture(kind, watermark, (some, first) =>
        wrap(
          some.flatMap(([key, found]) => {
            const entry = entryOf(key, living(found?.cells ?? [], watermark))
            return first ? [codec.encodeKey(key, entry, undefined)] : codec.encodeWhole(entry)
          })
        )
      ),
    size: () => states.size,
    stored: () => states.counts(),
    discard: () => states.close()
  }
}
