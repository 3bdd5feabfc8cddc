/** `Flow.joinLatest`: the latest records of a key on both sides, whenever either changes. */
import { durationMs, type DurationText } from "@frazil/core"
import type { Types } from "effect"
import type { JoinKind } from "../../join/Join.ts"
import { computed, type Condition, type Flow, fromNode } from "../Flow.ts"
import type { Apart, SameKey } from "../Refusals.ts"
import {
  commonOf,
  type FieldsOf,
  type Joined,
  type JoinedFields,
  joinNode,
  type JoinOptions,
  type LeftOf,
  type RightOf
} from "./Joined.ts"

export type LatestOptions<A, B, Kind> = JoinOptions<Kind> & {
  /** A record counts for so long, by event time, unless another takes its place. Every state needs one. */
  readonly ttl: DurationText
  /** Records that say that their key has none any more. */
  readonly leftDeleted?: Condition<A>
  readonly rightDeleted?: Condition<B>
}

/** A result; `retracted`: its key has none any more, and these were its values. */
type Retractable<C> = Types.Simplify<C & { readonly retracted: boolean }>

interface JoinLatest {
  <A, E, R, K, B, E2, R2, K2, C extends object, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: LatestOptions<A, B, Kind>,
    make: (left: LeftOf<A, Kind>, right: RightOf<B, Kind>) => C
  ): (self: Flow<A, E, R, K>) => Flow<Retractable<C>, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const F extends JoinedFields<A, B>, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: LatestOptions<A, B, Kind>,
    fields: F
  ): (self: Flow<A, E, R, K>) => Flow<Retractable<FieldsOf<F>>, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2> & Apart<A, B, K>,
    options: LatestOptions<A, B, Kind>
  ): (self: Flow<A, E, R, K>) => Flow<Retractable<Joined<A, B, K, Kind>>, E | E2, R | R2>
}

/**
 * Joins the latest record of each key with the latest record of the key in the right flow (Kafka Streams' table–table join;
 * Flink's regular join of two upsert streams). Both flows are changes of tables; so is the result: the last one of a key
 * counts. A key that has no result any more is told once with `retracted: true` and the values it had: a topic that cannot
 * say `retracted` is refused.
 *
 * **Delivery**: a result for each time at which one side of a key changed, in the epoch that moves the watermark (less the
 * lateness) beyond it; changes of one key and time together. **Order**: by event time over all keys of a partition. **Bounds**: a
 * key keeps one record a side for `ttl`, whose end is a change like a deletion; changes wait for the watermark.
 * `recordsPerKeyMax`, `recordsHeldMax`: one more is `evicted` in the ledger and changes nothing. **Gotchas**: a change that
 * comes after the watermark is applied at the watermark's time and is `dropped` in the ledger, or `late` when there is a newer
 * one already. At the end of a bounded run rows stay. Expressions for each field, over `left` and `right`, make the result
 * from those fields alone, and no records. `make` must be a pure function; what it throws sends the record that
 * changed something to the dead letter.
 */
export const joinLatest: JoinLatest =
  <A, E, R, K, B, E2, R2, K2, Kind extends JoinKind>(
    right: Flow<B, E2, R2, K2>,
    options: LatestOptions<A, B, Kind>,
    make?: ((left: never, right: never) => object) | JoinedFields
  ) =>
  (self: Flow<A, E, R, K>): Flow<never, E | E2, R | R2> => {
    const { kind = "inner", leftDeleted, name, rightDeleted, store, ttl } = options
    const join = { _tag: "Latest", kind, ttlMs: durationMs(ttl), ...commonOf(options) } as const
    const deleted = [
      leftDeleted === undefined ? undefined : computed(leftDeleted),
      rightDeleted === undefined ? undefined : computed(rightDeleted)
    ] as const
    return fromNode(joinNode(self.node, right.node, { name, join, make, deleted, store }))
  }
