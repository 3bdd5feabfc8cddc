/** `Flow.map`, `Flow.flatMap`, `Flow.mapResult`: records made by code. The key is lost. */
import { RecordShape } from "@frazil/core"
import type { Result, Schema } from "effect"
import { type FailedOf, type Flow, fromNode } from "../Flow.ts"
import type { AnyRecord, MapResult } from "../Node.ts"

interface FlatMapOperator {
  <A, B extends object, E, R, K>(fn: (record: A) => Iterable<B>): (self: Flow<A, E, R, K>) => Flow<B, E, R>
  <A, B extends object, E, R, K>(
    fn: (record: A) => Iterable<NoInfer<B>>,
    options: { readonly schema: Schema.Codec<B, unknown> }
  ): (self: Flow<A, E, R, K>) => Flow<B, E, R>
}

interface MapOperator {
  <A, B extends object, E, R, K>(fn: (record: A) => B): (self: Flow<A, E, R, K>) => Flow<B, E, R>
  <A, B extends object, E, R, K>(
    fn: (record: A) => NoInfer<B>,
    options: { readonly schema: Schema.Codec<B, unknown> }
  ): (self: Flow<A, E, R, K>) => Flow<B, E, R>
}

/**
 * One record for each. A function that throws sends its record to the dead letter as `operator_failed`.
 *
 * With a schema, a struct of `Field`s as topics have, expressions and rules may follow: they read the fields that it names.
 * It says what `fn` makes and is not run; a topic checks what it takes.
 */
export const map: MapOperator =
  (fn: (record: never) => object, options?: { readonly schema: Schema.Top }) =>
  <A, B, E, R, K>(self: Flow<A, E, R, K>): Flow<B, E, R> =>
    fromNode({
      op: "map",
      name: undefined,
      inputs: [self.node],
      shape: options === undefined ? undefined : RecordShape.of(options.schema),
      ...(options === undefined ? {} : { schema: options.schema }),
      // the engine holds records untyped; `self` says that they are of A
      fn: fn as (record: never) => AnyRecord as (record: AnyRecord) => AnyRecord
    })

/**
 * Any number of records for each, in the order given; with a schema as `map`. **Bounds**: what one record makes is held until
 * the epoch ends.
 */
export const flatMap: FlatMapOperator =
  (fn: (record: never) => Iterable<object>, options?: { readonly schema: Schema.Top }) =>
  <A, B, E, R, K>(self: Flow<A, E, R, K>): Flow<B, E, R> =>
    fromNode({
      op: "flatMap",
      name: undefined,
      inputs: [self.node],
      shape: options === undefined ? undefined : RecordShape.of(options.schema),
      ...(options === undefined ? {} : { schema: options.schema }),
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
