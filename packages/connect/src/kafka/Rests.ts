/**
 * What fetches brought and nobody took yet, for the read that goes on exactly there.
 *
 * Bounded by bytes over all partitions; readers of one partition at different places have their own.
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

const keptBytesMax = 64 * 1_048_576

export const makeRests = (): Rests => {
  const kept = new Map<string, Rest>()
  let bytes = 0
  const remove = (key: string): Rest | undefined => {
    const rest = kept.get(key)
    if (rest === undefined) return undefined
    kept.delete(key)
    bytes -= rest.batch.bytes.length
    return rest
  }
  return {
    take: (place, offset) => remove(`${place}/${offset}`),
    keep: (place, offset, rest) => {
      const key = `${place}/${offset}`
      remove(key)
      kept.set(key, rest)
      bytes += rest.batch.bytes.length
      for (const oldest of kept.keys()) {
        if (bytes <= keptBytesMax) break
        remove(oldest)
      }
    },
    forget: (topic) => {
      for (const key of kept.keys()) if (key.startsWith(`${topic}/`)) remove(key)
    }
  }
}
