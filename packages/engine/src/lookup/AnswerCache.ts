/**
 * Answers that were given lately, by key: bounded in number and in age.
 *
 * The asker looks here first; a hit costs two reads of a map, no effect and no fiber. The one used longest ago goes first.
 * Memory only: a restart begins with an empty one.
 */
import type { LookupFailure } from "./Lookup.ts"
import type { AskPolicy } from "./LookupPolicy.ts"

/** An answer, or the failure that says there is none. */
export type Known = { readonly answer: object } | { readonly absent: LookupFailure }

interface Entry {
  readonly known: Known
  readonly untilMs: number
}

export interface AnswerCache {
  readonly get: (key: unknown, nowMs: number) => Known | undefined
  readonly set: (key: unknown, known: Known, nowMs: number) => void
  readonly size: () => number
}

export const makeAnswerCache = ({ entriesMax, negativeTtlMs, ttlMs }: NonNullable<AskPolicy["cache"]>): AnswerCache => {
  // in the order of their last use
  const entries = new Map<unknown, Entry>()
  return {
    get: (key, nowMs) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (nowMs >= entry.untilMs) return undefined
      entries.set(key, entry)
      return entry.known
    },
    set: (key, known, nowMs) => {
      const livesMs = "absent" in known ? negativeTtlMs : ttlMs
      if (livesMs <= 0) return
      entries.delete(key)
      entries.set(key, { known, untilMs: nowMs + livesMs })
      // a map gives its keys in the order they were set
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value)
    },
    size: () => entries.size
  }
}
