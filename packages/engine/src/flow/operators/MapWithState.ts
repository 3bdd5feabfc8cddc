/** `Flow.mapWithState`: keyed value state. */
import { durationMs, type DurationText } from "@frazil/core"
import type { Schema } from "effect"
import { type Flow, fromNode } from "../Flow.ts"
import type { StateDeclaration, TimeContext } from "../Node.ts"
import type { Keyed } from "../Refusals.ts"
import { diskStoreOf, type StateStore } from "../Store.ts"

/** How a key's value is declared. */
export interface ValueState<S> {
  /** The operator's stable name: its state is found again by it after a restart. */
  readonly name: string
  readonly schema: Schema.Codec<S, unknown>
  readonly initial: () => S
  /** Forgotten when not written for so long, by event time. Every state needs one. */
  readonly ttl: DurationText
  /** In memory unless it says "disk". */
  readonly store?: StateStore
}

/**
 * One value per key, updated by each record of that key in order; what `update` lists flows on.
 *
 * **Bounds**: `ttl`, judged when read by event time. **Gotcha**: `update` must not change the state it is given in
 * place, and must be a pure function of its arguments, or a replay will not give the same answers.
 */
export const mapWithState =
  <A, E, R, K, S, B extends object>(
    state: ValueState<S> & Keyed<K>,
    update: (state: S, record: A, time: TimeContext) => readonly [S, ReadonlyArray<B>]
  ) =>
  (self: Flow<A, E, R, K>): Flow<B, E, R> => {
    const store = diskStoreOf(state.store)
    return fromNode({
      op: "mapWithState",
      name: state.name,
      inputs: [self.node],
      state: {
        schema: state.schema as unknown as Schema.Codec<unknown, unknown>, // the engine holds state untyped
        initial: state.initial,
        ttlMs: durationMs(state.ttl),
        ...(store === undefined ? {} : { store }),
        update: update as unknown as StateDeclaration["update"] // as above, and records likewise
      }
    })
  }
