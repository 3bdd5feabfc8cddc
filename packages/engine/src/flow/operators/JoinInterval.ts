/** `Flow.joinInterval`: pairs of records of a key whose event times are close together. */
import { durationMs, type DurationText } from "@frazil/core"
import type { IntervalSpec, JoinKind } from "../../join/Join.ts"
import { type Flow, fromNode } from "../Flow.ts"
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

/** A duration, or one that goes back: `"-5 minutes"`. */
export type OffsetText = DurationText | `-${DurationText}`

export type IntervalOptions<Kind> = JoinOptions<Kind> & {
  /** `left.time + lower <= right.time <= left.time + upper`; both ends belong to it. */
  readonly lower: OffsetText
  readonly upper: OffsetText
}

const offsetMs = (text: OffsetText): number =>
  // what follows the sign is a duration, by the type
  text.startsWith("-") ? -durationMs(text.slice(1) as DurationText) : durationMs(text as DurationText)

const specOf = <Kind extends JoinKind>(options: IntervalOptions<Kind>): IntervalSpec => ({
  _tag: "Interval",
  kind: options.kind ?? "inner",
  lowerMs: offsetMs(options.lower),
  upperMs: offsetMs(options.upper),
  ...commonOf(options)
})

interface JoinInterval {
  <A, E, R, K, B, E2, R2, K2, C extends object, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: IntervalOptions<Kind>,
    make: (left: LeftOf<A, Kind>, right: RightOf<B, Kind>) => C
  ): (self: Flow<A, E, R, K>) => Flow<C, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const F extends JoinedFields<A, B>, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2>,
    options: IntervalOptions<Kind>,
    fields: F
  ): (self: Flow<A, E, R, K>) => Flow<FieldsOf<F>, E | E2, R | R2>
  <A, E, R, K, B, E2, R2, K2, const Kind extends JoinKind = "inner">(
    right: Flow<B, E2, R2, K2> & SameKey<K, K2> & Apart<A, B, K>,
    options: IntervalOptions<Kind>
  ): (self: Flow<A, E, R, K>) => Flow<Joined<A, B, K, Kind>, E | E2, R | R2>
}

/**
 * Joins each record with the records of the right flow under its key that are no earlier than `lower` and no later than
 * `upper` from it (Flink's interval join; Kafka Streams' stream–stream join). The result is what `make` gives, or the fields
 * of both. The flows may come from different topics: both then go through one internal topic. With `kind` "left" or "full", a record without a partner gives one result, once none can come any more.
 *
 * **Delivery**: each pair once, in the epoch of its second record, at the later of its times; a record without a partner once,
 * at its own time, in the epoch that moves the watermark beyond the interval and the lateness. **Order**: of pairs by the
 * record that completes them, then by their partners' times; the set is the same whatever the order. **Bounds**: records are
 * held until no partner can come; `recordsPerKeyMax`, `recordsHeldMax`: one more meets the partners that are there, is not
 * held for later ones, is not told as having none, and is `evicted` in the ledger. **Gotchas**: a record that comes after the
 * watermark and the lateness is `late` in the ledger, and no partner of anything. Expressions for each field, over `left` and `right`, make the result
 * from those fields alone, and no records. `make` must be a pure function; what it
 * throws sends the record that brought the pair to the dead letter.
 */
export const joinInterval: JoinInterval =
  <A, E, R, K, B, E2, R2, K2, Kind extends JoinKind>(
    right: Flow<B, E2, R2, K2>,
    options: IntervalOptions<Kind>,
    make?: ((left: never, right: never) => object) | JoinedFields
  ) =>
  (self: Flow<A, E, R, K>): Flow<never, E | E2, R | R2> => {
    const { name, store } = options
    return fromNode(joinNode(self.node, right.node, { name, join: specOf(options), make, store }))
  }
