/** `Flow.merge`: two flows as one. */
import { type Flow, fromNode } from "../Flow.ts"
import type { SameRecords } from "../Refusals.ts"

/**
 * The records of both flows, as `union` has it in Flink. Both hold records of one type; expressions may follow when their
 * fields are the same. The key is lost: where state follows, `Flow.keyBy` brings the records of a key together, and with
 * them the time of both sources.
 *
 * **Delivery**: each record once. **Order**: inside each flow; between two sources none, until a `keyBy` that state needs.
 */
export const merge =
  <B, E2, R2, K2>(that: Flow<B, E2, R2, K2>) =>
  <A, E, R, K>(self: Flow<A, E, R, K> & SameRecords<A, B>): Flow<A, E | E2, R | R2> =>
    fromNode({ op: "merge", name: undefined, inputs: [self.node, that.node] })
