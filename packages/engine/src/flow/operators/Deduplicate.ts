/** `Flow.deduplicate`: one record of each key, the first or the last by event time. */
import { durationMs, type DurationText } from "@frazil/core"
import { type Flow, fromNode } from "../Flow.ts"
import type { Keyed, Repeated } from "../Refusals.ts"
import { type KeysKept, keysKept } from "../Store.ts"

interface DeduplicateOptions<A> {
  /** How long by event time a record is remembered: from the first one, or since a key's last one came. */
  readonly ttl: DurationText
  /** Tell records of a key apart by these besides: an account's events by their ids. Texts or integers. */
  readonly fields?: ReadonlyArray<keyof A & string>
  readonly name?: string
}

interface KeepFirst<A> extends DeduplicateOptions<A> {
  readonly keep: "first"
  /** Records of a partition that wait for the watermark; one more goes to the ledger as `evicted`. Default 1,000,000. */
  readonly recordsHeldMax?: number
}

interface KeepLast<A> extends DeduplicateOptions<A> {
  readonly keep: "last"
}

interface Revised {
  /** 0 is the first; each further one takes the place of those before it. Begins anew when the key was forgotten. */
  readonly revision: number
}

/** A last record is told again by the next; a first one stands. */
export type Deduplicated<A, P> = P extends "first" ? A : A & Revised

const recordsHeldMaxDefault = 1_000_000

/**
 * Passes on one record of each key.
 *
 * `keep: "first"`: the first record by event time, those of one time in the order of the log; records of its key in the `ttl`
 * from it on are dropped, the next one is a first again. A record waits until the watermark has passed it, so that what was
 * told stands. One that comes later goes to the ledger as `late`, unless it is a duplicate anyway.
 *
 * `keep: "last"`: each record that is the key's last by event time, of one time by the order of the log, at once; its
 * `revision` says how often before it another was. What is earlier than the last one is dropped. A key is forgotten when no
 * last one came for the `ttl`.
 *
 * **Delivery**: each once, in the epoch of the record, or for `first` in that of the record that moved the watermark beyond
 * it. **Order**: `first`, by event time; `last`, that of the log. **Bounds**: `keysMax`, or on disk as many keys as come; `recordsHeldMax` in
 * memory; `ttl`.
 */
export const deduplicate =
  <A, E, R, K, const P extends "first" | "last">(
    options: { readonly keep: P } & (P extends "first" ? KeepFirst<NoInfer<A>> : KeepLast<NoInfer<A>>) &
      KeysKept &
      Keyed<K> &
      (P extends "last" ? Repeated<A, "revision"> : unknown)
  ) =>
  (self: Flow<A, E, R, K>): Flow<Deduplicated<A, P>, E, R, K> => {
    const { fields, keep, name, ttl } = options as DeduplicateOptions<A> & { readonly keep: P } // both have these
    const { recordsHeldMax } = options as { readonly recordsHeldMax?: number } // of a first one
    return fromNode({
      op: "deduplicate",
      name,
      inputs: [self.node],
      keep,
      fields: fields ?? [],
      ttlMs: durationMs(ttl),
      ...keysKept(options),
      recordsHeldMax: recordsHeldMax ?? recordsHeldMaxDefault
    })
  }
