/** `Flow.decide`: rules over records. */
import type { Decider } from "../Decider.ts"
import { type Flow, fromNode } from "../Flow.ts"
import type { AnyRecord } from "../Node.ts"

/**
 * The decisions of every condition that holds, in the order of the conditions; nothing for records where none does.
 *
 * **Delivery**: each decision once, in the epoch of its record. **Bounds**: one pass over the columns however many
 * conditions there are; a record object is made only where one holds.
 */
export const decide =
  <A, E, R, K, D extends object>(rules: Decider<A, D>) =>
  (self: Flow<A, E, R, K>): Flow<D, E, R> =>
    fromNode({
      op: "decide",
      name: undefined,
      inputs: [self.node],
      decider: rules as unknown as Decider<AnyRecord, AnyRecord> // `self` says that records are of A
    })
