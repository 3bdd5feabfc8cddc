/** `Flow.joinAsOf`: records with the version of their key that was there at their event time. */
import { durationMs, type DurationText } from "@frazil/core"
import { computed, type Condition, type Flow, fromNode } from "../Flow.ts"
import type { Apart, SameKey } from "../Refusals.ts"
import {
  commonOf,
  type FieldsOf,
  type Joined,
  type JoinedFields,
  joinNode,
  type JoinOptions,
  type RightOf
} from "./Joined.ts"

export type AsOfOptions<B, Kind> = JoinOptions<Kind> & {
  /** A version counts for so long, by event time. Every state needs one. */
  readonly ttl: DurationText
  /** Versions that say that their key has none from then on. */
  readonly deleted?: Condition<B>
}

interface JoinAsOf {
  <A, E, R, K, B, E2, R2, K2, C extends object, const Kind extends "inner" | "left" = "inner">(
    versions: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: AsOfOptions<B, Kind>,
    make: (left: A, version: RightOf<B, Kind>) => C
  ): (self: Flow<A, E, R, K>) => Flow<C, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const F extends JoinedFields<A, B>, const Kind extends "inner" | "left" = "inner">(
    versions: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: AsOfOptions<B, Kind>,
    fields: F
  ): (self: Flow<A, E, R, K>) => Flow<FieldsOf<F>, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const Kind extends "inner" | "left" = "inner">(
    versions: Flow<B, E2, R2, K2> & SameKey<K, K2> & Apart<A, B, K>,
    options: AsOfOptions<B, Kind>
  ): (self: Flow<A, E, R, K>) => Flow<Joined<A, B, K, Kind>, E | E2, R | R2>
}

/**
 * Joins each record with the latest version under its key whose event time is not after its own (Flink's temporal join, `FOR
 * SYSTEM_TIME AS OF`); of versions of one time, the last one in the log. The versions are a flow of changes: each record
 * says how things are from its time on. With `kind` "left", a record without a version is told too.
 *
 * **Delivery**: each record's result once, at its own time, in the epoch that moves the watermark (less the lateness) beyond it.
 * **Order**: by event time over all keys of a partition. **Bounds**: records wait for the watermark; of versions a key keeps
 * the last one before it and those after, each for `ttl`. `recordsPerKeyMax`, `recordsHeldMax`: one more is `evicted` in the
 * ledger; a record then gives no result, a version counts for none. **Gotchas**: a record that comes after the watermark is
 * `late` in the ledger and gives no result; a version that does counts for what is still to come, and is `dropped` there, or
 * `late` when there is a newer one already. Expressions for each field, over `left` and `right`, make the result
 * from those fields alone, and no records. `make` must be a pure function; what it throws sends the left record to the dead
 * letter.
 */
export const joinAsOf: JoinAsOf =
  <A, E, R, K, B, E2, R2, K2, Kind extends "inner" | "left">(
    versions: Flow<B, E2, R2, K2>,
    options: AsOfOptions<B, Kind>,
    make?: ((left: never, version: never) => object) | JoinedFields
  ) =>
  (self: Flow<A, E, R, K>): Flow<never, E | E2, R | R2> => {
    const { deleted, kind = "inner", name, store, ttl } = options
    const join = { _tag: "AsOf", kind, ttlMs: durationMs(ttl), ...commonOf(options) } as const
    const deletes = deleted === undefined ? undefined : computed(deleted)
    return fromNode(joinNode(self.node, versions.node, { name, join, make, deleted: [undefined, deletes], store }))
  }
