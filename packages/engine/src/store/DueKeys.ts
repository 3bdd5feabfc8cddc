/**
 * When each key of an operator on disk is looked at next: a store of its own, by pieces of time.
 *
 * The piece that time comes to is read into memory; nothing else is looked at until then. Who lists a key keeps with the key when it
 * is due, and passes over what is taken for another time: it was put in again since. **Bounds**: the store's; the keys that are due
 * within one piece of time, and a number for each piece.
 */
import { DueHeap } from "../lookup/DueHeap.ts"
import { Heap } from "../state/Heap.ts"
import { EmbeddedStore } from "./EmbeddedStore.ts"
import type { OpenStore } from "./OpenStore.ts"
import { type StoredCounts, StoredMap } from "./StoredMap.ts"
import { restOfKey, timeKey, timeKeyLength } from "./TimeKeys.ts"

const readBytes = 131_072
/** Of an operator's cache, for when keys are due. */
const duePart = 8

/** What of the cache is for when keys are due, and for the keys themselves. */
export const shareOfDue = (cacheBytesMax: number) => {
  const due = Math.floor(cacheBytesMax / duePart)
  return { due, keys: cacheBytesMax - due }
}

export interface DueKeysOptions {
  readonly name: string
  readonly open: OpenStore
  readonly cacheBytesMax: number
  readonly pieceMs: number
}

/** Keys that are due at one moment, in their order. */
export interface TakenKeys {
  readonly at: number
  readonly keys: ReadonlyArray<string>
}

export interface DueKeys {
  readonly add: (key: string, at: number) => void
  /** Nothing is due before. */
  readonly nextAt: () => number
  /** Takes the keys that are due first; undefined: none is at `to` or earlier, and before `before`. */
  readonly take: (to: number, before?: number) => TakenKeys | undefined
  readonly counts: () => StoredCounts
  readonly close: () => void
}

export const makeDueKeys = ({ cacheBytesMax, name, open, pieceMs }: DueKeysOptions): DueKeys => {
  let forgottenAt = Number.NEGATIVE_INFINITY
  const store = new EmbeddedStore({ ...open(name), over: (time) => time <= forgottenAt, timesStay: true })
  const times = new StoredMap<number>({
    store,
    cacheBytesMax,
    encode: (at) => at,
    decode: Number,
    groupLength: timeKeyLength
  })
  const heap = new DueHeap<string>()
  /** Pieces of time that have keys on disk, by their starts. */
  const pieces = new Heap<number>((left, right) => left < right)
  const listed = new Set<number>()
  let readTo = Number.NEGATIVE_INFINITY

  const read = (start: number) => {
    const group = timeKey("d", start)
    const scan = times.scanGroup(group, readBytes)
    for (let next = scan.next(); next !== undefined; next = scan.next()) heap.add(restOfKey(next[0]), next[1])
    scan.close()
    pieces.shift()
    listed.delete(start)
    readTo = start + pieceMs
    times.dropGroup(group)
    forgottenAt = readTo
    store.dropOver()
  }
  return {
    add: (key, at) => {
      if (at < readTo) return heap.add(key, at)
      const start = Math.floor(at / pieceMs) * pieceMs
      if (!listed.has(start)) {
        listed.add(start)
        pieces.add(start)
      }
      times.set(timeKey("d", start) + key, at, start + pieceMs)
    },
    nextAt: () => Math.min(heap.nextAtMs(), pieces.first() ?? Number.POSITIVE_INFINITY),
    take: (to, before = Number.POSITIVE_INFINITY) => {
      for (let start = pieces.first(); start !== undefined; start = pieces.first()) {
        if (start > Math.min(to, heap.nextAtMs())) break
        read(start)
      }
      const at = heap.nextAtMs()
      if (!(at <= to && at < before) || heap.length() === 0) return undefined
      const keys = new Set<string>()
      for (let key = heap.take(at); key !== undefined; key = heap.take(at)) keys.add(key)
      return { at, keys: Array.from(keys).sort() }
    },
    counts: () => times.counts(),
    close: () => times.close()
  }
}

export const sumOfCounts = (left: StoredCounts, right: StoredCounts): StoredCounts => ({
  bytes: left.bytes + right.bytes,
  segments: left.segments + right.segments,
  memoryBytes: left.memoryBytes + right.memoryBytes,
  spilledBytes: left.spilledBytes + right.spilledBytes,
  mergedBytes: left.mergedBytes + right.mergedBytes,
  reads: left.reads + right.reads,
  cacheBytes: left.cacheBytes + right.cacheBytes
})
