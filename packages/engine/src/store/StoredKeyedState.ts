/**
 * Keyed value state that may be larger than memory: `KeyedState` over a `StoredMap`, with the same answers.
 *
 * `makeKeyedState` makes it for an operator that declares `store: "disk"`. What is over is judged when read, as in memory; merges
 * drop what was over when the last snapshot was taken.
 */
import type { StateDeclaration } from "../flow/Node.ts"
import { isoOf, plainJson } from "../state/PlainJson.ts"
import type { EncodedEntry, KeyedState } from "../state/KeyedState.ts"
import { makeValueCodec } from "../state/ValueCodec.ts"
import { EmbeddedStore } from "./EmbeddedStore.ts"
import type { OpenStore } from "./OpenStore.ts"
import { StoredMap } from "./StoredMap.ts"

export const makeStoredKeyedState = (
  name: string,
  declaration: StateDeclaration,
  cacheBytesMax: number,
  open: OpenStore
): KeyedState => {
  const { initial, ttlMs } = declaration
  const codec = makeValueCodec(name, declaration.schema)
  let forgottenAt = Number.NEGATIVE_INFINITY
  const over = (time: number, now: number) => now - time >= ttlMs
  const store = new EmbeddedStore({ ...open(name), over: (time) => over(time, forgottenAt) })
  const entries = new StoredMap<unknown>({
    store,
    cacheBytesMax,
    encode: codec.encode,
    decode: codec.reread
  })
  const changed = new Set<string>()
  /** What an entry that is over replaced is over as well, so nothing is said of it. */
  const encodeLiving = (some: ReadonlyArray<readonly [string, unknown, number]>, watermark: number) => {
    const living = some.filter(([key, , time]) => !over(time, watermark) || (changed.has(key) && Number.isFinite(time)))
    return living.length === 0
      ? undefined
      : living.map(([key, value, time]): EncodedEntry => [key, codec.encode(value), time])
  }
  return {
    name,
    get: (key, now) => {
      const entry = entries.get(key)
      return entry === undefined || over(entry.time, now) ? initial() : entry.value
    },
    set: (key, value, eventTime) => {
      const before = entries.get(key)
      entries.set(key, value, before === undefined ? eventTime : Math.max(before.time, eventTime))
      changed.add(key)
    },
    takeDelta: () => {
      const delta: Array<EncodedEntry> = []
      for (const key of changed) {
        const told = entries.told(key)
        // a merge drops only what is over, which nobody reads again
        if (told !== undefined) delta.push([key, told.encoded, told.time])
      }
      changed.clear()
      return delta
    },
    capture: (kind, watermark) => {
      forgottenAt = watermark
      const encode = (some: ReadonlyArray<readonly [string, unknown, number]>) => encodeLiving(some, watermark)
      return entries.capture(kind, { ofStore: encode, ofCache: encode })
    },
    load: (loaded) => {
      // made by takeDelta or a capture, here or in memory
      for (const [key, value, writtenAt] of loaded as ReadonlyArray<EncodedEntry>)
        entries.set(key, codec.decode(value), writtenAt)
    },
    size: () => entries.size,
    read: (key, watermark) => {
      const entry = entries.get(key)
      if (entry === undefined || over(entry.time, watermark)) return undefined
      return { value: plainJson(codec.encode(entry.value)), written_at: isoOf(entry.time) }
    },
    stored: () => entries.counts(),
    discard: () => entries.close()
  }
}
