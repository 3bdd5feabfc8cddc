/**
 * What a window computes of its records: `count()`, `sum("amount")` and the others, as values.
 *
 * `Flow.window` takes them by name. Null values are left out, as in SQL: over nothing but nulls the answer is null.
 * Decimals stay exact, whatever their size; doubles are added in the order of the log. What computes them is
 * `Accumulator.ts`.
 */
import type { CalendarDate, Decimal, Timestamp } from "@frazil/core"
import type { Schema } from "effect"

export type AggregateDeclaration =
  | { readonly kind: "count" }
  | { readonly kind: "offsets"; readonly offsetsMax: number }
  | { readonly kind: "sum" | "avg" | "min" | "max"; readonly field: string }
  | { readonly kind: "first" | "last"; readonly field: string }
  | { readonly kind: "top"; readonly field: string; readonly n: number; readonly order: "desc" | "asc" }
  | { readonly kind: "collect"; readonly field: string; readonly valuesMax: number; readonly distinct: boolean }
  | {
      readonly kind: "countDistinct"
      readonly field: string
      readonly valuesMax: number
      /** Beyond the cap the answer is an estimate. */
      readonly estimate?: true
    }
  | { readonly kind: "custom"; readonly definition: CustomAggregate }

/** An aggregate of somebody's own, whose types only its flow knows. */
export interface CustomAggregate {
  readonly name: string
  readonly schema: Schema.Codec<unknown, unknown>
  readonly initial: () => unknown
  readonly add: (state: unknown, record: Readonly<Record<string, unknown>>) => unknown
  readonly merge: (left: unknown, right: unknown) => unknown
  readonly result: (state: unknown) => unknown
}

/** Reads fields of `A`, gives a `V`. */
export interface Aggregate<in A, out V> {
  readonly declaration: AggregateDeclaration
  /** Types only. */
  readonly types?: { readonly record: (record: A) => void; readonly value: () => V }
}

type CappedDeclaration = Extract<AggregateDeclaration, { readonly kind: "countDistinct" | "collect" }>

/** Of these a window's record also has `<name>_capped`. */
export interface CappedAggregate<in A, out V> extends Aggregate<A, V> {
  readonly declaration: CappedDeclaration
}

/** Whether a window's record also has `<name>_capped`. */
export const tellsCap = (declaration: AggregateDeclaration): declaration is CappedDeclaration =>
  declaration.kind === "countDistinct" || declaration.kind === "collect"

type Fields<A, V, Not = never> = {
  [F in keyof A]-?: [NonNullable<A[F]>] extends [V] ? ([NonNullable<A[F]>] extends [Not] ? never : F) : never
}[keyof A] &
  string

/** Null where all values may have been. */
type OrNull<V> = null extends V ? null : undefined extends V ? null : never

type ValueOf<A, F> = F extends keyof A ? NonNullable<A[F]> | OrNull<A[F]> : never
type SumOf<V> = V extends Decimal<infer S> ? Decimal<S> : V extends number ? number : V

type Dated = Timestamp | CalendarDate

const make = <A, V>(declaration: AggregateDeclaration): Aggregate<A, V> => Object.freeze({ declaration })

/** How many records. */
export const count = (): Aggregate<unknown, number> => make({ kind: "count" })

/** The offsets of the window's records in their partition, ascending: the first `offsetsMax` of them. */
export const offsets = ({ offsetsMax }: { readonly offsetsMax: number }): Aggregate<unknown, ReadonlyArray<number>> => {
  if (!Number.isInteger(offsetsMax) || offsetsMax < 1) {
    throw new RangeError(`offsets(): offsetsMax must be an integer of at least 1, found ${offsetsMax}`)
  }
  return make({ kind: "offsets", offsetsMax })
}

/** The sum. Of a `Decimal<S>` it is a `Decimal<S>`; of integers it is exact up to 2^53, and rounded once beyond. */
export const sum = <A, F extends Fields<A, number | Decimal, Dated>>(field: F): Aggregate<A, SumOf<ValueOf<A, F>>> =>
  make({ kind: "sum", field })

/** The mean. Of a `Decimal<S>` it is a `Decimal<S>`, a half rounded to the even neighbour. */
export const avg = <A, F extends Fields<A, number | Decimal, Dated>>(field: F): Aggregate<A, SumOf<ValueOf<A, F>>> =>
  make({ kind: "avg", field })

/** The least value. */
export const min = <A, F extends Fields<A, number | Decimal, CalendarDate>>(field: F): Aggregate<A, ValueOf<A, F>> =>
  make({ kind: "min", field })

/** The greatest value. */
export const max = <A, F extends Fields<A, number | Decimal, CalendarDate>>(field: F): Aggregate<A, ValueOf<A, F>> =>
  make({ kind: "max", field })

/** The value of the first record by event time, then offset; records in which it is null are passed over. */
export const first = <A, F extends Fields<A, string | number | Decimal>>(field: F): Aggregate<A, ValueOf<A, F>> =>
  make({ kind: "first", field })

/** The value of the last record by event time, then offset; records in which it is null are passed over. */
export const last = <A, F extends Fields<A, string | number | Decimal>>(field: F): Aggregate<A, ValueOf<A, F>> =>
  make({ kind: "last", field })

/**
 * The `n` records with the greatest values of a field, or the least with `order: "asc"`, in that order; of equal values the
 * earlier by event time, then offset. Records in which it is null are passed over. **Bounds**: so many whole records are kept
 * for each pane of a key. `Flow.topN` gives them one by one with their ranks.
 */
export const top = <A, F extends Fields<A, number | Decimal, CalendarDate>>(
  n: number,
  { by, order = "desc" }: { readonly by: F; readonly order?: "desc" | "asc" }
): Aggregate<A, ReadonlyArray<A>> => make({ kind: "top", field: by, n, order })

const checkedMax = (what: string, valuesMax: number): number => {
  if (Number.isInteger(valuesMax) && valuesMax >= 1) return valuesMax
  throw new RangeError(`${what}: valuesMax must be an integer of at least 1, found ${valuesMax}`)
}

/**
 * The values in the order of event time, then offset: the first `valuesMax` of them; with `distinct` each once, where it
 * came first. When there are more, the window's record says `<name>_capped: true`. **Bounds**: so many values are kept for
 * each pane of a key.
 */
export const collect = <A, F extends Fields<A, string | number, Dated>>(
  field: F,
  { distinct = false, valuesMax }: { readonly valuesMax: number; readonly distinct?: boolean }
): CappedAggregate<A, ReadonlyArray<F extends keyof A ? NonNullable<A[F]> : never>> =>
  Object.freeze({
    declaration: { kind: "collect", field, valuesMax: checkedMax(`collect("${field}")`, valuesMax), distinct } as const
  })

/**
 * How many different values: exact up to `valuesMax`. When there are more, the window's record says `<name>_capped: true`,
 * and the answer is `valuesMax` or, with `beyond: "estimate"`, a HyperLogLog's: within 5 % in 99 of 100 windows.
 * **Bounds**: so many values, or 4 KB, are kept for each pane of a key.
 */
export const countDistinct = <A, F extends Fields<A, string | number>>(
  field: F,
  { beyond, valuesMax }: { readonly valuesMax: number; readonly beyond?: "estimate" }
): CappedAggregate<A, number> => {
  const common = {
    kind: "countDistinct",
    field,
    valuesMax: checkedMax(`countDistinct("${field}")`, valuesMax)
  } as const
  return Object.freeze({ declaration: beyond === undefined ? common : { ...common, estimate: true as const } })
}

/** An aggregate of your own. */
export interface AggregateDefinition<A, S, V> {
  /** Its state is found again by it: another name, and the window's state must start empty. */
  readonly name: string
  readonly schema: Schema.Codec<S, unknown>
  readonly initial: () => S
  /** The state with a record more. What it throws at is dead-lettered, and counts for the window's other aggregates. */
  readonly add: (state: S, record: A) => S
  /** The state of two panes, or of two sessions that became one. It must not matter which is which, nor in what order. */
  readonly merge: (left: S, right: S) => S
  readonly result: (state: S) => V
}

/**
 * An aggregate of your own. **Gotchas**: `add` and `merge` leave what they are given as it is and return anew; a throw in
 * `merge` or `result`, or a state that does not fit the schema, stops the job. Code can read what it gives, expressions
 * cannot. **Bounds**: what the state holds is kept for each pane of a key.
 */
export const aggregate = <A, S, V>(definition: AggregateDefinition<A, S, V>): Aggregate<A, V> =>
  // its types are those of the flow, which gives it records of `A` and keeps its states apart
  make({ kind: "custom", definition: definition as unknown as CustomAggregate })
