/**
 * States of a process function as values: one value, a list, a map or an aggregate for each key, each with a schema, a TTL and,
 * where it grows, a bound.
 *
 * `Flow.process` takes them by name. What is read is what was written within the TTL of event time, judged when read: of lists
 * and maps entry by entry.
 */
import { durationMs, type DurationText } from "@frazil/core"
import type { Schema } from "effect"

export interface StateSpec {
  readonly kind: "value" | "list" | "map" | "aggregate"
  readonly schema: Schema.Codec<unknown, unknown>
  readonly ttlMs: number
  /** Of a list or map. */
  readonly entriesMax: number
  readonly initial: () => unknown
  /** Of an aggregate. */
  readonly add: (state: unknown, input: unknown) => unknown
  readonly result: (state: unknown) => unknown
}

/** A declared state; `H` is what a process function reads and writes it by. */
export interface State<out H> {
  readonly spec: StateSpec
  /** Types only. */
  readonly types?: { readonly handle: () => H }
}

/** One value of the key. Values are replaced, never changed in place. */
export interface ValueHandle<S> {
  /** The initial value when there is none. */
  readonly get: () => S
  readonly set: (value: S) => void
  readonly clear: () => void
}

/** Values of the key in the order they were added. */
export interface ListHandle<S> {
  readonly get: () => ReadonlyArray<S>
  /** Throws when that would be one more than `entriesMax`, which sends the record to the dead letter. */
  readonly add: (value: S) => void
  readonly clear: () => void
}

/** Values of the key by names. */
export interface MapHandle<S> {
  readonly get: (name: string) => S | undefined
  /** Throws when that would be one more than `entriesMax`, which sends the record to the dead letter. */
  readonly set: (name: string, value: S) => void
  readonly delete: (name: string) => void
  /** In the order of the names. */
  readonly entries: () => ReadonlyArray<readonly [name: string, value: S]>
  readonly clear: () => void
}

/** What was added of the key, gathered by a function. */
export interface AggregateHandle<In, Out> {
  readonly get: () => Out
  readonly add: (input: In) => void
  readonly clear: () => void
}

interface Common<S> {
  readonly schema: Schema.Codec<S, unknown>
  /** What was not written for so long by event time is forgotten. */
  readonly ttl: DurationText
}

interface Growing<S> extends Common<S> {
  /** Entries of a key. */
  readonly entriesMax: number
}

export interface AggregateOptions<S, In, Out> extends Common<S> {
  readonly initial: () => S
  /** The state with an input more; leaves what it is given as it is. */
  readonly add: (state: S, input: In) => S
  readonly result: (state: S) => Out
}

const nothing = (): undefined => undefined

const make = <H>(
  kind: StateSpec["kind"],
  { schema, ttl }: Common<never>,
  more: Partial<Pick<StateSpec, "entriesMax" | "initial" | "add" | "result">>
): State<H> =>
  Object.freeze({
    spec: {
      kind,
      schema,
      ttlMs: durationMs(ttl),
      entriesMax: 1,
      initial: nothing,
      add: nothing,
      result: nothing,
      ...more
    }
  })

// the engine holds states untyped; the handle's type says what they are
type Untyped = Common<never>

const value = <S>(options: Common<S> & { readonly initial: () => S }): State<ValueHandle<S>> =>
  make("value", options as unknown as Untyped, { initial: options.initial }) // see Untyped

const list = <S>(options: Growing<S>): State<ListHandle<S>> =>
  make("list", options as unknown as Untyped, { entriesMax: options.entriesMax }) // see Untyped

const map = <S>(options: Growing<S>): State<MapHandle<S>> =>
  make("map", options as unknown as Untyped, { entriesMax: options.entriesMax }) // see Untyped

const gathered = <S, In, Out>(options: AggregateOptions<S, In, Out>): State<AggregateHandle<In, Out>> => {
  const { add, initial, result } = options as unknown as AggregateOptions<unknown, unknown, unknown> // see Untyped
  return make("aggregate", options as unknown as Untyped, { initial, add, result }) // see Untyped
}

export const State = { value, list, map, aggregate: gathered } as const
