/**
 * Keyed value state of one operator in one shard: a map from key to value, with what changed since the last epoch.
 *
 * The running stage reads and writes it; epochs take its delta, snapshots its whole. An entry is forgotten when it was
 * not written for the operator's TTL of event time, judged when read, so that the answer does not depend on when memory
 * was swept.
 */
import type { StateDeclaration } from "../flow/Node.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { makeStoredKeyedState } from "../store/StoredKeyedState.ts"
import { ChangeList, gone, inPieces, type Listed } from "./Capture.ts"
import { isoOf, plainJson } from "./PlainJson.ts"
import type { OperatorState } from "./OperatorState.ts"
import { makeValueCodec } from "./ValueCodec.ts"

interface Entry extends Listed {
  readonly key: string
  value: unknown
  /** Highest event time written at. */
  writtenAt: number
  /** Since the last delta. */
  changed: boolean
}

/** A change or an entry in its durable form: key, encoded value, time written. */
export type EncodedEntry = readonly [key: string, value: unknown, writtenAt: number]

export interface KeyedState extends OperatorState {
  /** The value, or the initial one. `now` is max(event time, watermark) of the record that asks. */
  readonly get: (key: string, now: number) => unknown
  readonly set: (key: string, value: unknown, eventTime: number) => void
  /** What changed since the last call. */
  readonly takeDelta: () => ReadonlyArray<EncodedEntry>
}

/** `open` makes the store of an operator that keeps its state on disk; without it state is in memory whatever is declared. */
export const makeKeyedState = (name: string, declaration: StateDeclaration, open?: OpenStore): KeyedState =>
  declaration.store === undefined || open === undefined
    ? makeMemoryState(name, declaration)
    : makeStoredKeyedState(name, declaration, declaration.store.cacheBytesMax, open)

const makeMemoryState = (name: string, declaration: StateDeclaration): KeyedState => {
  const entries = new Map<string, Entry>()
  const since = new ChangeList<Entry>()
  let changed: Array<Entry> = []
  const { decode, encode } = makeValueCodec(name, declaration.schema)
  const expired = (entry: Entry, now: number) => now - entry.writtenAt >= declaration.ttlMs
  const encodeEntry = ({ key, value, writtenAt }: Entry): EncodedEntry => [key, encode(value), writtenAt]
  const put = (key: string, value: unknown, eventTime: number): Entry => {
    const before = entries.get(key)
    if (before === undefined) {
      const entry = { key, value, writtenAt: eventTime, changed: false, listedIn: 0 }
      entries.set(key, entry)
      return entry
    }
    before.value = value
    before.writtenAt = Math.max(before.writtenAt, eventTime)
    return before
  }
  /** Forgets an entry that is over; false when it did, or had. */
  const keeps = (entry: Entry, watermark: number): boolean => {
    if (entry.listedIn === gone) return false
    if (entry.changed || !expired(entry, watermark)) return true
    entries.delete(entry.key)
    entry.listedIn = gone
    return false
  }
  return {
    name,
    get: (key, now) => {
      const entry = entries.get(key)
      return entry === undefined || expired(entry, now) ? declaration.initial() : entry.value
    },
    set: (key, value, eventTime) => {
      const entry = put(key, value, eventTime)
      if (entry.changed) return
      entry.changed = true
      changed.push(entry)
    },
    takeDelta: () => {
      const delta = changed.map(encodeEntry)
      for (const entry of changed) {
        entry.changed = false
        since.add(entry)
      }
      changed = []
      return delta
    },
    capture: (kind, watermark) => {
      const listed = since.take()
      const from = kind === "base" ? entries.values() : listed
      return inPieces(from, kind === "base" ? entries.size : listed.length, (some) => {
        const living = some.filter((entry) => keeps(entry, watermark))
        return living.length === 0 ? undefined : living.map(encodeEntry)
      })
    },
    load: (loaded) => {
      // made by takeDelta or a capture above
      for (const [key, value, writtenAt] of loaded as ReadonlyArray<EncodedEntry>) {
        const entry = put(key, decode(value), writtenAt)
        entry.writtenAt = writtenAt
      }
    },
    // as in load
    entriesOf: (loaded, key) => (loaded as ReadonlyArray<EncodedEntry>).filter(([of]) => of === key),
    size: () => entries.size,
    read: (key, watermark) => {
      const entry = entries.get(key)
      if (entry === undefined || expired(entry, watermark)) return undefined
      return { value: plainJson(encode(entry.value)), written_at: isoOf(entry.writtenAt) }
    }
  }
}
