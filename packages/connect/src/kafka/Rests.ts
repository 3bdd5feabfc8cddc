/**
 * What fetches brought and nobody took yet, for the read that goes on exactly there.
 *
 * **Bounds**: `readAheadBytesMax` over all partitions, columns included; the oldest go first, the newest stays whatever it
 * has. Readers of one partition at different places have their own.
 */
import type { ReadRecords } from "@frazil/engine"

/** A fetch's records from row `from` on. */
export interface Rest {
  readonly batch: ReadRecords
  readonly from: number
}

export interface Rests {
  /** Gives a rest away. */
  readonly take: (place: string, offset: number) => Rest | undefined
  readonly keep: (place: string, offset: number, rest: Rest) => void
  /** Of all places that begin with the topic's name. */
  readonly forget: (topic: string) => void
}

/** Where values and keys begin and end, offset and time. */
const columnBytes = 4 * Int32Array.BYTES_PER_ELEMENT + 2 * Float64Array.BYTES_PER_ELEMENT

/** What a rest keeps from being freed: all that its fetch brought, whatever of it was taken. */
const bytesOf = ({ batch }: Rest): number => batch.bytes.length + batch.length * columnBytes

export const makeRests = (readAheadBytesMax: number): Rests => {
  const kept = new Map<string, Rest>()
  let bytes = 0
  const remove = (key: string): Rest | undefined => {
    const rest = kept.get(key)
    if (rest === undefined) return undefined
    kept.delete(key)
    bytes -= bytesOf(rest)
    return rest
  }
  return {
    take: (place, offset) => remove(`${place}/${offset}`),
    keep: (place, offset, rest) => {
      const key = `${place}/${offset}`
      remove(key)
      kept.set(key, rest)
      bytes += bytesOf(rest)
      for (const oldest of kept.keys()) {
        // a rest that is dropped at once would be fetched again for each piece of it
        if (bytes <= readAheadBytesMax || oldest === key) break
        remove(oldest)
      }
    },
    forget: (topic) => {
      for (const key of kept.keys()) if (key.startsWith(`${topic}/`)) remove(key)
    }
  }
}
