/** `Flow.extend` and `Flow.stamp`: records with more fields. */
import type { Expr, Timestamp } from "@frazil/core"
import { computed, type Flow, fromNode } from "../Flow.ts"

type FieldValue<A> = Expr<NoInfer<A>, unknown> | ((record: A) => unknown)
type ValueOf<V> = V extends Expr<never, infer T> ? T : V extends (record: never) => infer T ? T : never

/** Adds fields computed by expressions or code; a field of the same name is replaced. */
export const extend =
  <A, E, R, K, const F extends Readonly<Record<string, FieldValue<A>>>>(fields: F) =>
  (
    self: Flow<A, E, R, K>
  ): Flow<
    Omit<A, keyof F> extends A
      ? A & { readonly [P in keyof F]: ValueOf<F[P]> }
      : Omit<A, keyof F> & { readonly [P in keyof F]: ValueOf<F[P]> },
    E,
    R,
    K
  > =>
    fromNode({
      op: "extend",
      name: undefined,
      inputs: [self.node],
      fields: Object.entries(fields).map(([name, value]) => [name, computed(value)] as const)
    })

/** Writes the present time (Clock, once per batch) into `field`: the only way to do so. Left out of parity hashes. */
export const stamp =
  <A, E, R, K, const F extends string>(field: F) =>
  (self: Flow<A, E, R, K>): Flow<A & { readonly [P in F]: Timestamp }, E, R, K> =>
    fromNode({ op: "stamp", name: undefined, inputs: [self.node], field })
