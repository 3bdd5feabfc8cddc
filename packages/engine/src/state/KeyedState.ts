/**
 * Keyed value state of one operator in one shard: a map from key to value, with what changed since the last epoch.
 *
 * The running stage reads and writes it; epochs take its delta, snapshots its whole. An entry is forgotten when it was
 * not written for the operator's TTL of event time, judged when read, so that the answer does not depend on when memory
 * was swept.
 */
import { Result, Schema } from "effect"
import type { StateDeclaration } from "../flow/Node.ts"
import type { OperatorState } from "./OperatorState.ts"

interface Entry {
  readonly value: unknown
  /** Highest event time written at. */
  readonly writtenAt: number
}

/** A change or an entry in its durable form: key, encoded value, time written. */
export type EncodedEntry = readonly [key: string, value: unknown, writtenAt: number]

export interface KeyedState extends OperatorState {
  /** The value, or the initial one. `now` is max(event time, watermark) of the record that asks. */
  readonly get: (key: string, now: number) => unknown
  readonly set: (key: string, value: unknown, eventTime: number) => void
  /** What changed since the last call. */
  readonly takeDelta: () => ReadonlyArray<EncodedEntry>
  /** Every entry still alive at `watermark`; forgets the others. */
  readonly sweepAndEncode: (watermark: number) => ReadonlyArray<EncodedEntry>
}

export const makeKeyedState = (name: string, declaration: StateDeclaration): KeyedState => {
  const entries = new Map<string, Entry>()
  const changed = new Set<string>()
  // whatever the schema's values are, JSON holds them: bigints, dates, infinities
  const codec = Schema.toCodecJson(declaration.schema)
  const encodeResult = Schema.encodeResult(codec)
  const decode = Schema.decodeUnknownSync(codec)
  const encode = (value: unknown) => {
    const encoded = encodeResult(value)
    if (Result.isSuccess(encoded)) return encoded.success
    // a bug of the job's author; the schema's own message would quote the state
    throw new TypeError(`state ${name}: a value that its update returned does not fit the state's schema`)
  }
  const expired = (entry: Entry, now: number) => now - entry.writtenAt >= declaration.ttlMs
  return {
    name,
    get: (key, now) => {
      const entry = entries.get(key)
      return entry === undefined || expired(entry, now) ? declaration.initial() : entry.value
    },
    set: (key, value, eventTime) => {
      const before = entries.get(key)
      entries.set(key, { value, writtenAt: before === undefined ? eventTime : Math.max(before.writtenAt, eventTime) })
      changed.add(key)
    },
    takeDelta: () => {
      const delta: Array<EncodedEntry> = []
      for (const key of changed) {
        const entry = entries.get(key)
        if (entry !== undefined) delta.push([key, encode(entry.value), entry.writtenAt])
      }
      changed.clear()
      return delta
    },
    sweepAndEncode: (watermark) => {
      const all: Array<EncodedEntry> = []
      for (const [key, entry] of entries) {
        if (expired(entry, watermark) && !changed.has(key)) entries.delete(key)
        else all.push([key, encode(entry.value), entry.writtenAt])
      }
      return all
    },
    load: (loaded) => {
      // made by takeDelta or sweepAndEncode above
      for (const [key, value, writtenAt] of loaded as ReadonlyArray<EncodedEntry>)
        entries.set(key, { value: decode(value), writtenAt })
    },
    size: () => entries.size
  }
}
