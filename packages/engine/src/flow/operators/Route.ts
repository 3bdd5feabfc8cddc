/** `Flow.route`: one flow into several, each record to the first branch that takes it. */
import type { Has } from "@frazil/core"
import { computed, type Condition, type Flow, fromNode } from "../Flow.ts"
import type { Node } from "../Node.ts"
import type { Handled } from "../Refusals.ts"

/** The branch for whatever no other took. */
export interface Otherwise {
  readonly _tag: "Otherwise"
}
export const otherwise: Otherwise = Object.freeze({ _tag: "Otherwise" })

type Guard<A> = (record: A) => record is A
type Branch<A> = Condition<A> | Guard<A> | Otherwise

type Narrowed<A, B> =
  B extends Has<infer F>
    ? A & { readonly [P in F & keyof A]-?: NonNullable<A[P]> }
    : B extends ((record: A) => record is infer N extends A)
      ? A & N
      : A

/**
 * Splits a flow by conditions: the first match takes the record; without `Flow.otherwise`, a record that none takes is
 * dropped. Open failures must be handled before.
 */
export const route =
  <A, E, R, K, const B extends Readonly<Record<string, Branch<A>>>>(branches: B & Handled<E>) =>
  (self: Flow<A, E, R, K>): { readonly [P in keyof B]: Flow<Narrowed<A, B[P]>, never, R, K> } => {
    const entries = Object.entries<unknown>(branches)
    const node: Node = Object.freeze({
      op: "route",
      name: undefined,
      inputs: [self.node],
      branches: entries.map(
        ([name, condition]) => [name, condition === otherwise ? undefined : computed(condition)] as const
      )
    })
    const flows = entries.map(([branch]) => [
      branch,
      fromNode({ op: "branch", name: undefined, inputs: [node], branch })
    ])
    return Object.fromEntries(flows) as { readonly [P in keyof B]: Flow<Narrowed<A, B[P]>, never, R, K> } // one flow for each key of B
  }
