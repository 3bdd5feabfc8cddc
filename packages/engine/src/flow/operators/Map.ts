/** `Flow.map`, `Flow.flatMap`, `Flow.mapResult`: records made by code. The key is lost. */
import type { Result } from "effect"
import { type FailedOf, type Flow, fromNode } from "../Flow.ts"
import type { AnyRecord, MapResult } from "../Node.ts"

/** One record for each. A function that throws sends its record to the dead letter as `operator_failed`. */
export const map =
  <A, B extends object, E, R, K>(fn: (record: A) => B) =>
  (self: Flow<A, E, R, K>): Flow<B, E, R> =>
    // the engine holds records untyped; `self` says that they are of A
    fromNode({
      op: "map",
      name: undefined,
      inputs: [self.node],
      fn: fn as (record: never) => AnyRecord as (record: AnyRecord) => AnyRecord
    })

/** Any number of records for each, in the order given. **Bounds**: what one record makes is held until the epoch ends. */
export const flatMap =
  <A, B extends object, E, R, K>(fn: (record: A) => Iterable<B>) =>
  (self: Flow<A, E, R, K>): Flow<B, E, R> =>
    fromNode({
      op: "flatMap",
      name: undefined,
      inputs: [self.node],
      fn: fn as (record: never) => Iterable<AnyRecord> as (record: AnyRecord) => Iterable<AnyRecord> // as in map
    })

/** One record for each, or a typed failure that must be caught or sent to a dead letter further down. */
export const mapResult =
  <A, B extends object, Err extends { readonly _tag: string; readonly message: string }, E, R, K>(
    fn: (record: A) => Result.Result<B, Err>
  ) =>
  (self: Flow<A, E, R, K>): Flow<B, E | FailedOf<Err, A>, R> =>
    fromNode({
      op: "mapResult",
      name: undefined,
      inputs: [self.node],
      fn: fn as (record: never) => unknown as (record: AnyRecord) => MapResult // as in map; a Result has this shape
    })
