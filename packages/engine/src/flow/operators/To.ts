/** `Flow.to`, `Flow.validate`, `Flow.total`, `Flow.named`: how a flow ends, and what its operators are called. */
import type { Decimal, Topic } from "@frazil/core"
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

type Summed<A> = { [F in keyof A]-?: [NonNullable<A[F]>] extends [Decimal<number> | number] ? F : never }[keyof A] &
  string

/**
 * Ends a flow in a control total: how many records came, and the exact sum of a decimal or whole field, since the job's
 * first start; nulls add nothing. `Job.monitor` and `Job.progress` tell it by its name.
 *
 * **Delivery**: each record once, committed with the epoch of the source record.
 */
export const total =
  <A, E, R, K>(name: string, options?: { readonly sum?: Summed<A> }) =>
  (self: Flow<A, E, R, K>): Output<R> =>
    outputFromNode({ op: "validate", name, inputs: [self.node], total: { sum: options?.sum } })

/** Names the operator before it; a stateful one is found by its name after a restart. */
export const named =
  (name: string) =>
  <A, E, R, K>(self: Flow<A, E, R, K>): Flow<A, E, R, K> =>
    fromNode({ ...self.node, name })
