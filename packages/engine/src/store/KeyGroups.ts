/**
 * Keys that begin with the same characters, scanned together: of a window, the panes of one start.
 *
 * Part of `StoredMap.ts`, whose cache has no order: which of its keys are in a group is kept beside it, and they are sorted when
 * the group is scanned. **Bounds**: a place in a set for each key of the cache.
 */
import { type Entry, ValueTexts } from "./Block.ts"
import type { Scan } from "./EmbeddedStore.ts"
import { readKey } from "./KeyBytes.ts"

export interface Groups {
  readonly add: (key: string) => void
  readonly delete: (key: string) => void
  readonly keysOf: (group: string) => Iterable<string>
  /** Its keys, which are in none from here on. */
  readonly take: (group: string) => Iterable<string>
}

/** `length`: characters that say which group a key is in. */
export const makeGroups = (length: number): Groups => {
  const groups = new Map<string, Set<string>>()
  return {
    add: (key) => {
      const group = key.slice(0, length)
      const keys = groups.get(group)
      if (keys === undefined) groups.set(group, new Set([key]))
      else keys.add(key)
    },
    delete: (key) => {
      const group = key.slice(0, length)
      const keys = groups.get(group)
      keys?.delete(key)
      if (keys?.size === 0) groups.delete(group)
    },
    keysOf: (group) => groups.get(group) ?? [],
    take: (group) => {
      const keys = groups.get(group) ?? []
      groups.delete(group)
      return keys
    }
  }
}

/** Those of sorted keys that begin with the group. */
export const rangeOf = (sorted: ReadonlyArray<string>, group: string): ReadonlyArray<string> => {
  let from = 0
  for (let end = sorted.length; from < end;) {
    const middle = (from + end) >> 1
    if (sorted[middle]! < group) from = middle + 1
    else end = middle
  }
  let to = from
  while (to < sorted.length && sorted[to]!.startsWith(group)) to++
  return sorted.slice(from, to)
}

/** The entries of a group as they were when it began, in the order of their keys. Holds segments until it is closed. */
export class GroupScan<V> {
  private readonly newer: Array<readonly [key: string, value: V]>
  private readonly scan: Scan
  private readonly decode: (encoded: unknown) => V
  private readonly texts = new ValueTexts()
  private at = 0
  private entry: Entry | undefined
  private entryKey = ""

  /** `newer`: what the store may not have so. */
  constructor(newer: Array<readonly [key: string, value: V]>, scan: Scan, decode: (encoded: unknown) => V) {
    this.newer = newer.sort(([left], [right]) => (left < right ? -1 : 1))
    this.scan = scan
    this.decode = decode
    this.readOn()
  }

  next(): readonly [key: string, value: V] | undefined {
    for (;;) {
      const newer = this.newer[this.at]
      const { entry, entryKey } = this
      if (newer !== undefined && (entry === undefined || newer[0] <= entryKey)) {
        this.at++
        if (entry !== undefined && newer[0] === entryKey) this.readOn()
        return newer
      }
      if (entry === undefined) return undefined
      const value = entry.deleted ? undefined : this.decode(JSON.parse(this.texts.of(entry)))
      this.readOn()
      if (value !== undefined) return [entryKey, value]
    }
  }

  private readOn(): void {
    this.entry = this.scan.next()
    if (this.entry !== undefined) this.entryKey = readKey(this.entry.bytes, this.entry.keyFrom, this.entry.keyTo)
  }

  close(): void {
    this.scan.close()
  }
}
