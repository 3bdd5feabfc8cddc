/** `Flow.filter`: keeps the records for which a condition is true. */
import { computed, type Condition, type Flow, fromNode } from "../Flow.ts"

/**
 * Keeps records for which `condition` is true; an expression that is unknown (a null was compared) counts as false.
 *
 * **Order** kept. A function that throws sends its record to the dead letter as `operator_failed`.
 */
export const filter =
  <A, E, R, K>(condition: Condition<A>) =>
  (self: Flow<A, E, R, K>): Flow<A, E, R, K> =>
    fromNode({ op: "filter", name: undefined, inputs: [self.node], condition: computed(condition) })
