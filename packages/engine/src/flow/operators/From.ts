/** `Flow.from`: where a flow starts. */
import type { Topic } from "@frazil/core"
import { type Flow, fromNode } from "../Flow.ts"
import type { TopicRef } from "../Node.ts"

// One node for each topic, so that two flows from one topic read it once.
const sources = new WeakMap<object, Flow<unknown>>()

/**
 * Reads a topic. Records that do not decode go to the dead letter before `A` exists.
 *
 * **Delivery**: each record's effect once. **Order**: by offset inside a partition.
 */
export const from = <A, Name extends string>(topic: Topic<A, Name>): Flow<A> => {
  const known = sources.get(topic)
  if (known !== undefined) return known as Flow<A> // made below for this very topic
  const flow = fromNode<A, never, never, unknown>({
    op: "source",
    name: undefined,
    inputs: [],
    topic: topic as TopicRef
  }) // the record type stays in the flow
  sources.set(topic, flow)
  return flow
}
