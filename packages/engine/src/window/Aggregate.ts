/**
 * What a window computes of its records: `count()`, `sum("amount")` and the others, as values.
 *
 * `Flow.window` takes them by name. Null values are left out, as in SQL: over nothing but nulls the answer is null.
 * Decimals stay exact, whatever their size; doubles are added in the order of the log. What computes them is
 * `Accumulator.ts`.
 */
import type { CalendarDate, Decimal, Timestamp } from "@frazil/core"

export type AggregateDeclaration =
  | { readonly kind: "count" }
  | { readonly kind: "offsets"; readonly offsetsMax: number }
  | { readonly kind: "sum" | "avg" | "min" | "max"; readonly field: string }
  | { readonly kind: "countDistinct"; readonly field: string; readonly valuesMax: number }

/** Reads fields of `A`, gives a `V`. */
export interface Aggregate<in A, out V> {
  readonly declaration: AggregateDeclaration
  /** Types only. */
  readonly types?: { readonly record: (record: A) => void; readonly value: () => V }
}

/** Of these a window's record also has `<name>_capped`. */
export interface DistinctAggregate<in A> extends Aggregate<A, number> {
  readonly declaration: Extract<AggregateDeclaration, { readonly kind: "countDistinct" }>
}

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

/**
 * How many different values: exact up to `valuesMax`, which is the answer when there are more; then the window's record
 * says `<name>_capped: true`. **Bounds**: so many values are kept for each pane of a key.
 */
export const countDistinct = <A, F extends Fields<A, string | number>>(
  field: F,
  { valuesMax }: { readonly valuesMax: number }
): DistinctAggregate<A> => {
  if (!Number.isInteger(valuesMax) || valuesMax < 1) {
    throw new RangeError(`countDistinct("${field}"): valuesMax must be an integer of at least 1, found ${valuesMax}`)
  }
  return Object.freeze({ declaration: { kind: "countDistinct", field, valuesMax } as const })
}
