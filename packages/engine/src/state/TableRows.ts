/**
 * The rows of a table in one shard, in memory or on disk: what `TableState` reads and writes by key.
 *
 * Epochs ask `tell` for the keys that changed, snapshots capture all rows or those that were told since the capture before.
 */
import type { AnyRecord, DiskStore } from "../flow/Node.ts"
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { EmbeddedStore } from "../store/EmbeddedStore.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { type StoredCounts, StoredMap } from "../store/StoredMap.ts"
import { type Capture, type CaptureKind, inPieces } from "./Capture.ts"

/** Null: the key was deleted. */
export type EncodedRow = readonly [key: string, row: unknown]

type EncodeRows = (rows: ReadonlyArray<EncodedRow>) => unknown

export interface TableRows {
  readonly get: (key: string) => AnyRecord | undefined
  readonly set: (key: string, row: AnyRecord) => void
  readonly delete: (key: string) => void
  /** Before anything was captured. */
  readonly clear: () => void
  /** In a delta; the keys that changed since the last one. */
  readonly tell: (keys: Iterable<string>) => ReadonlyArray<EncodedRow>
  readonly capture: (kind: CaptureKind, encode: EncodeRows) => Capture
  readonly size: () => number
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

export const makeTableRows = (name: string, store: DiskStore | undefined, open: OpenStore | undefined): TableRows =>
  store === undefined || open === undefined ? inMemory() : onDisk(name, store, open)

const encodeRow = (row: AnyRecord | null | undefined): unknown =>
  row === undefined || row === null ? null : encodeRecord(row)

const inMemory = (): TableRows => {
  const rows = new Map<string, AnyRecord>()
  let since = new Set<string>()
  const rowsOf = (keys: Iterable<string>) => Array.from(keys, (key): EncodedRow => [key, encodeRow(rows.get(key))])
  return {
    get: (key) => rows.get(key),
    set: (key, row) => void rows.set(key, row),
    delete: (key) => void rows.delete(key),
    clear: () => rows.clear(),
    tell: (keys) => {
      for (const key of keys) since.add(key)
      return rowsOf(keys)
    },
    capture: (kind, encode) => {
      const keys = kind === "base" ? rows : since
      since = new Set()
      return inPieces(keys.keys(), keys.size, (some) => encode(rowsOf(some)))
    },
    size: () => rows.size
  }
}

/** In place of the time from which an entry is over: that of a key that was deleted, which merges drop. */
const deleted = -1

const onDisk = (name: string, store: DiskStore, open: OpenStore): TableRows => {
  /** Of the rows that count, in place of a time: how often the table was begun anew. */
  let begun = 0
  let size = 0
  const over = (time: number) => time < begun
  const entries = new StoredMap<AnyRecord | null>({
    store: new EmbeddedStore({ ...open(name), over }),
    cacheBytesMax: store.cacheBytesMax,
    encode: encodeRow,
    decode: (encoded) => (encoded === null ? null : decodeRecord(encoded))
  })
  const get = (key: string): AnyRecord | undefined => {
    const entry = entries.get(key)
    return entry === undefined || over(entry.time) ? undefined : (entry.value ?? undefined)
  }
  const encodeAll = (
    some: ReadonlyArray<readonly [key: string, row: AnyRecord | null | undefined, time: number]>
  ): ReadonlyArray<EncodedRow> => some.map(([key, row, time]) => [key, over(time) ? null : encodeRow(row)])
  return {
    get,
    set: (key, row) => {
      if (get(key) === undefined) size++
      entries.set(key, row, begun)
    },
    delete: (key) => {
      if (get(key) === undefined) return
      size--
      entries.set(key, null, deleted)
    },
    clear: () => {
      begun++
      size = 0
    },
    tell: (keys) =>
      Array.from(keys, (key): EncodedRow => {
        const told = entries.told(key)
        return [key, told === undefined || over(told.time) ? null : told.encoded]
      }),
    capture: (kind, encode) =>
      entries.capture(kind, {
        ofStore: (some) => {
          const given = kind === "base" ? some.filter(([, , time]) => !over(time)) : some
          return given.length === 0 ? undefined : encode(encodeAll(given))
        },
        ofCache: (some) => encode(encodeAll(some))
      }),
    size: () => size,
    stored: () => entries.counts(),
    discard: () => entries.close()
  }
}
