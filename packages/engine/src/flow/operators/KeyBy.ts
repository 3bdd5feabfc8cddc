/** `Flow.keyBy`: which fields keyed state is held by. */
import { type Flow, fromNode } from "../Flow.ts"

type KeyField<A> = {
  [F in keyof A]-?: A[F] extends string | number | boolean ? F : never
}[keyof A] &
  string

/** Keys the flow by fields that cannot be null. So far they must be the key of the topic that the flow came from. */
export const keyBy =
  <A, E, R, K0, F extends KeyField<A>>(...fields: ReadonlyArray<F> & readonly [F, ...Array<F>]) =>
  (self: Flow<A, E, R, K0>): Flow<A, E, R, { readonly [P in F]: A[P] }> =>
    fromNode({ op: "keyBy", name: undefined, inputs: [self.node], fields: [...fields] })
