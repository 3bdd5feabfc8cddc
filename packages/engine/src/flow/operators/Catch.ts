/** `Flow.catchTag`, `Flow.catchTags`, `Flow.orDeadLetter`: what becomes of per-record failures. */
import type { Topic } from "@frazil/core"
import { type Flow, fromNode, type Tags } from "../Flow.ts"
import type { AnyFailed, AnyRecord, TopicRef } from "../Node.ts"
import type { UnknownFailure } from "../Refusals.ts"

type Known<E, T> = T extends Tags<E> ? unknown : UnknownFailure<T>
type Handler = (failed: AnyFailed) => AnyRecord

/** Turns failures with one tag (or several) back into records. */
export const catchTag =
  <A, E, R, K, const T extends string, B extends object>(
    tag: (T | ReadonlyArray<T>) & Known<E, T>,
    handler: (failed: Extract<E, { readonly _tag: T }>) => B
  ) =>
  (self: Flow<A, E, R, K>): Flow<A | B, Exclude<E, { readonly _tag: T }>, R> => {
    const tags: ReadonlyArray<string> = typeof tag === "string" ? [tag] : (tag as ReadonlyArray<string>) // the other half of the union
    // failures are held untyped; the tag says which they are
    return fromNode({
      op: "catch",
      name: undefined,
      inputs: [self.node],
      handlers: new Map(tags.map((t) => [t, handler as unknown as Handler]))
    })
  }

/** Turns failures back into records, a handler for each tag. */
export const catchTags =
  <A, E, R, K, const H extends { readonly [T in Tags<E>]?: (failed: Extract<E, { readonly _tag: T }>) => object }>(
    handlers: H
  ) =>
  (
    self: Flow<A, E, R, K>
  ): Flow<
    A | { [T in keyof H]: H[T] extends (failed: never) => infer B ? B : never }[keyof H],
    Exclude<E, { readonly _tag: keyof H }>,
    R
  > =>
    fromNode({
      op: "catch",
      name: undefined,
      inputs: [self.node],
      handlers: new Map(Object.entries(handlers) as unknown as Array<[string, Handler]>) // as in catchTag
    })

interface OrDeadLetter {
  /** What is left fails into `topic`, which holds the standard dead-letter record. */
  <A, E, R, K, T extends { readonly original: string }, Name extends string>(
    topic: Topic<T, Name>
  ): (self: Flow<A, E, R, K>) => Flow<A, never, R, K>
  /** What is left fails into `topic` as the record that `make` gives. */
  <A, E, R, K, T, Name extends string, const B extends T>(
    topic: Topic<T, Name>,
    make: (failed: E) => B
  ): (self: Flow<A, E, R, K>) => Flow<A, never, R, K>
}

/** Sends every failure that is left to a topic, in the epoch of its record: each once. */
export const orDeadLetter: OrDeadLetter =
  (topic: unknown, make?: unknown) =>
  <A, E, R, K>(self: Flow<A, E, R, K>): Flow<A, never, R, K> =>
    fromNode({
      op: "orDeadLetter",
      name: undefined,
      inputs: [self.node],
      topic: topic as TopicRef, // typed by the overloads
      make: make as Handler | undefined // likewise
    })
