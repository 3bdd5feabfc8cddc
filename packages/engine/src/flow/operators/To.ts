/** `Flow.to`, `Flow.validate`, `Flow.named`: how a flow ends, and what its operators are called. */
import type { Topic } from "@frazil/core"
import { type Flow, fromNode, outputFromNode, type Output } from "../Flow.ts"
import type { TopicRef } from "../Node.ts"
import type { FitsTopic } from "../Refusals.ts"

/**
 * Ends a flow in a topic. Only fields that the topic declares are written; a record that passed unchanged into a topic
 * of its own shape is written as the bytes it came in.
 *
 * **Delivery**: exactly once, in the epoch of the source record.
 */
export const to =
  <A, E, R, K, T, Name extends string>(
    topic: Topic<T, Name> & FitsTopic<A, E, T>,
    options?: { readonly name?: string }
  ) =>
  (self: Flow<A, E, R, K>): Output<R> =>
    outputFromNode({ op: "to", name: options?.name, inputs: [self.node], topic: topic as unknown as TopicRef }) // FitsTopic only adds refusals

/** Ends a flow whose records only had to be checked: what does not decode was dead-lettered, the rest needs nothing more. */
export const validate = <A, R, K>(self: Flow<A, never, R, K>): Output<R> =>
  outputFromNode({ op: "validate", name: undefined, inputs: [self.node] })

/** Names the operator before it; a stateful one is found by its name after a restart. */
export const named =
  (name: string) =>
  <A, E, R, K>(self: Flow<A, E, R, K>): Flow<A, E, R, K> =>
    fromNode({ ...self.node, name })
