/**
 * How many keys a state may have: those whose time is over by the watermark do not count, whether or not they were forgotten.
 *
 * So what is one too many depends on the records alone. Where all are alive, a sweep is not tried again before the first of
 * them may be over.
 */
export interface KeyBound<A> {
  /** Whether no further key may be added. */
  readonly full: (watermark: number) => boolean
  /** Something was written that is over at `expiresAt`. */
  readonly written: (expiresAt: number) => void
  /** Forgets what is over, as far as it may be. */
  readonly sweep: (watermark: number, may: (entry: A) => boolean) => void
}

export const makeKeyBound = <A>(
  keys: Map<string, A>,
  keysMax: number,
  expiresAt: (entry: A) => number
): KeyBound<A> => {
  /** None of the keys is over before. */
  let nextAt = Number.NEGATIVE_INFINITY
  const sweep = (watermark: number, may: (entry: A) => boolean) => {
    nextAt = Number.POSITIVE_INFINITY
    for (const [key, entry] of keys) {
      const at = expiresAt(entry)
      if (at <= watermark && may(entry)) keys.delete(key)
      else nextAt = Math.min(nextAt, at)
    }
  }
  return {
    full: (watermark) => {
      if (keys.size < keysMax) return false
      if (nextAt <= watermark) sweep(watermark, () => true)
      return keys.size >= keysMax
    },
    written: (at) => {
      nextAt = Math.min(nextAt, at)
    },
    sweep
  }
}
