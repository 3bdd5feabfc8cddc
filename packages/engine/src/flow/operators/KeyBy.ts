/** `Flow.keyBy`: which fields keyed state is held by. */
import { type Flow, fromNode } from "../Flow.ts"

type KeyField<A> = {
  [F in keyof A]-?: A[F] extends string | number | boolean ? F : never
}[keyof A] &
  string

export interface KeyByOptions {
  /** The operator's, and with it the internal topic's: what is on its way is found again by it. */
  readonly name?: string
  /** Of the internal topic, for life: 4, or as many as a table has that is joined behind it. */
  readonly partitions?: number
  /** Go through an internal topic though the source has that key: its producers may partition otherwise, or it may grow. */
  readonly repartition?: true
}

interface KeyByOperator {
  <A, E, R, K0, F extends KeyField<A>>(
    ...fields: ReadonlyArray<F> & readonly [F, ...Array<F>]
  ): (self: Flow<A, E, R, K0>) => Flow<A, E, R, { readonly [P in F]: A[P] }>
  <A, E, R, K0, F extends KeyField<A>>(
    ...fields: readonly [F, ...Array<F>, KeyByOptions]
  ): (self: Flow<A, E, R, K0>) => Flow<A, E, R, { readonly [P in F]: A[P] }>
}

/**
 * Keys the flow by fields that cannot be null.
 *
 * Where state, a join with a table, or a window behind another one needs the records of a key in one place and they are not,
 * the records go through an internal topic, `<job>.<operator>.repartition`, which is partitioned by that key; elsewhere
 * nothing is written. The two sides of a join whose records come from different topics go through one, which the first side's
 * `keyBy` names. Time travels with them: what is late behind it is what was late before it.
 *
 * **Delivery**: each record once. **Order**: the records of one source partition keep theirs; those of several are put in
 * the order of the watermarks that they met where they were read, then by source and partition, whatever the run. **Bounds**:
 * 50,000 records wait in a partition for the slowest of those that write it; what is further ahead is read again later.
 * **Gotchas**: behind it nothing happens before every source partition had a record, has ended, or is idle.
 */
export const keyBy: KeyByOperator =
  (...args: ReadonlyArray<string | KeyByOptions>) =>
  <A, E, R, K>(self: Flow<A, E, R, unknown>): Flow<A, E, R, K> => {
    const options = args.find((each) => typeof each === "object")
    const { name, partitions, repartition } = options ?? {}
    const said =
      partitions === undefined && repartition === undefined ? {} : { repartition: { forced: true, partitions } }
    return fromNode({
      op: "keyBy",
      name,
      inputs: [self.node],
      fields: args.filter((each) => typeof each === "string"),
      ...said
    })
  }
