/** `Flow.window`: aggregates over the records of a key in windows of event time. */
import type { Timestamp } from "@frazil/core"
import type { Types } from "effect"
import type { Aggregate, CappedAggregate } from "../../window/Aggregate.ts"
import type { Results, Window } from "../../window/Window.ts"
import { type Flow, fromNode } from "../Flow.ts"
import type { Node } from "../Node.ts"
import type { Keyed } from "../Refusals.ts"
import { diskStoreOf, type StateStore } from "../Store.ts"

type Values<G> = { readonly [P in keyof G]: G[P] extends Aggregate<never, infer V> ? V : never }
type Caps<G> = {
  readonly [P in keyof G as G[P] extends CappedAggregate<never, unknown> ? `${P & string}_capped` : never]: boolean
}

interface Marks {
  readonly final: unknown
  readonly early: {
    /** The window has not ended; its next result is a revision of this one. */
    readonly early: boolean
  }
  readonly retractable: {
    /** The result is taken back: the window that begins here changed, or became part of another, whose result follows. */
    readonly retracted: boolean
  }
}

/** A window's result: the key, the window (end exclusive), which result of it this is, and the aggregates by their names. */
export type WindowResult<K, G, W extends Results = "final"> = Types.Simplify<
  K & {
    readonly window_start: Timestamp
    readonly window_end: Timestamp
    /** 0 is the first; a record inside the allowed lateness gives the next. */
    readonly revision: number
  } & Values<G> &
    Caps<G> &
    Marks[W]
>

export interface WindowOptions {
  readonly name?: string
  /** In memory unless it says "disk". */
  readonly store?: StateStore
}

/** The fields that the flow is keyed by here. */
const keyOf = (node: Node): ReadonlyArray<string> =>
  node.op === "keyBy" ? node.fields : node.inputs[0] === undefined ? [] : keyOf(node.inputs[0])

/**
 * Aggregates the records of each key in each window. A window without records gives nothing.
 *
 * A result comes when the watermark passes the window's end, in (end, key) order, and a further one, its `revision` one
 * higher, for each record inside the allowed lateness. What is later goes to the ledger, counted. The last revision of a
 * window is the same whatever the batching, restarts and interleaving.
 *
 * Sessions are named by their key and start. A record that prolongs a session which gave a result, or joins it with another,
 * takes that result back (`retracted: true`, with the values it had), unless its next revision can follow at once; the
 * session as it is now gives a result when the watermark passes its end.
 *
 * **Delivery**: each result once, in the epoch of the record that brought it. **Bounds**: panes or sessions a key and in all
 * (`WindowBounds`), on disk those that are written; a record costs the same however many windows overlap.
 */
export const window =
  <A, E, R, K, const G extends Readonly<Record<string, Aggregate<A, unknown>>>, W extends Results>(
    window: Window<"event", W> & Keyed<K>,
    aggregates: G,
    options?: WindowOptions
  ) =>
  (self: Flow<A, E, R, K>): Flow<WindowResult<K, G, W>, E, R> => {
    const store = diskStoreOf(options?.store)
    return fromNode({
      op: "window",
      name: options?.name,
      inputs: [self.node],
      key: keyOf(self.node),
      window: window.spec,
      aggregates: Object.entries(aggregates).map(([name, { declaration }]) => [name, declaration] as const),
      ...(store === undefined ? {} : { store })
    })
  }
