/** `Flow.lookup`, `Flow.lookupAs`: records enriched with what another system answers. */
import { type FailedOf, type Flow, fromNode } from "../Flow.ts"
import type { AnyRecord, LookupService } from "../Node.ts"
import type { Repeats } from "../Refusals.ts"
import type { LookupTag } from "../../lookup/Lookup.ts"
import type { LookupPolicy } from "../../lookup/LookupPolicy.ts"

/** Fields of `A` whose value is a key. */
type KeyField<A, Key> = { [F in keyof A]-?: A[F] extends Key ? F : never }[keyof A] & string

/** What to ask, and how. */
export interface LookupOptions<A, Key> {
  /** The field that holds the key, or a function of the record. One that throws dead-letters its record. */
  readonly key: KeyField<A, Key> | ((record: NoInfer<A>) => NoInfer<Key>)
  readonly policy?: LookupPolicy
  /** The operator's stable name: records in flight are found again by it after a restart. */
  readonly name?: string
}

const lookupNode = <A, B, E, R, K, Key>(
  self: Flow<A, never, never, unknown> | Flow<A, E, R, K>,
  service: unknown,
  options: LookupOptions<A, Key>,
  as: string | undefined
): Flow<B, never, never, K> => {
  const { key } = options
  return fromNode({
    op: "lookup",
    name: options.name,
    inputs: [self.node],
    service: service as LookupService, // a LookupTag: the engine holds keys and answers untyped
    key: typeof key === "function" ? "code" : key,
    keyOf:
      typeof key === "function"
        ? (key as (record: never) => unknown as (record: AnyRecord) => unknown)
        : (record) => record[key], // typed by LookupOptions
    as,
    policy: options.policy ?? {}
  })
}

/**
 * Asks a service about each record and adds the answer's fields to it. Failures travel beside, typed, until they are
 * caught; each holds the record as it was here.
 *
 * **Delivery**: each record's answer or failure once; after a restart what was in flight is asked again, so the service
 * may be asked more than once. **Order**: as the policy says, per partition. **Bounds**: the policy's; while `capacity`
 * records are in flight the source is not read. What is in flight is part of the epoch: nothing is drained to commit.
 * **Gotchas**: a service that throws dead-letters its record, like every operator's code.
 */
export const lookup =
  <A, E, R, K, Id, Key, Answer extends object, Err>(
    service: LookupTag<Id, Key, Answer, Err> & Repeats<A, Answer>,
    options: LookupOptions<A, Key>
  ) =>
  (self: Flow<A, E, R, K>): Flow<A & Answer, E | FailedOf<Err, A>, R | Id, K> =>
    lookupNode(self, service, options, undefined)

/** As `lookup`, with the answer in a field of its own: for answers that repeat a field of the record. */
export const lookupAs =
  <A, E, R, K, const F extends string, Id, Key, Answer extends object, Err>(
    as: F,
    service: LookupTag<Id, Key, Answer, Err>,
    options: LookupOptions<A, Key>
  ) =>
  (self: Flow<A, E, R, K>): Flow<A & { readonly [P in F]: Answer }, E | FailedOf<Err, A>, R | Id, K> =>
    lookupNode(self, service, options, as)
