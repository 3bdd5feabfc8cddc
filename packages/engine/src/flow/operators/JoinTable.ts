/** `Flow.joinTable`: records with what a table says of them now. */
import type { Topic } from "@frazil/core"
import { type Flow, fromNode } from "../Flow.ts"
import type { TopicRef } from "../Node.ts"
import type { TakesAgain } from "../Refusals.ts"
import { diskStoreOf, type StateStore } from "../Store.ts"

/** Fields of `A` that may hold a table's key. */
type OnField<A> = {
  [F in keyof A]-?: NonNullable<A[F]> extends string | number ? F : never
}[keyof A] &
  string

/**
 * Adds fields of the table's latest record under the key that `on` holds; null where there is none (a left join). A table
 * is a topic of which the latest record of a key counts; a record with an empty value deletes its key.
 *
 * **Delivery**: each record once. **Order**: what a table held before a record was committed, its join sees: a table is
 * read to its end before the source is, and in a bounded run only once it is complete, so that the answer is the same
 * every time. **Bounds**: the state is the table's keys, each with the fields that are taken and no others, in memory or on disk; it has no TTL.
 * **Gotchas**: both topics must be partitioned alike by the key; `Job.make` says where they are not. Joins of one topic's records
 * with a table share its rows, so all of them say the same `store`.
 */
export const joinTable =
  <A, E, R, K, T, Name extends string, const F extends keyof T & string>(
    table: Topic<T, Name>,
    options: {
      readonly on: OnField<A>
      readonly take: ReadonlyArray<F> & TakesAgain<A, F>
      readonly name?: string
      /** Where the table's rows are: in memory unless it says "disk". */
      readonly store?: StateStore
    }
  ) =>
  (self: Flow<A, E, R, K>): Flow<A & { readonly [P in F]: Exclude<T[P], undefined> | null }, E, R, K> => {
    const store = diskStoreOf(options.store)
    return fromNode({
      op: "joinTable",
      name: options.name,
      inputs: [self.node],
      table: table as unknown as TopicRef, // the engine holds records untyped
      on: options.on,
      take: [...options.take],
      ...(store === undefined ? {} : { store })
    })
  }
