/**
 * Expressions as values: CEL text, and the type its result must have.
 *
 * Flows, patterns and rules hold them as data. Nothing is parsed here: `checkExpr` reads an expression against a record's
 * shape when a job is declared, and `Interpret.ts` and `Compile.ts` run what it returns.
 */
import type { Types } from "effect"
import type { Decimal } from "../Decimal.ts"

declare const TypeId: unique symbol

/** The result type an expression states, which the checker then proves. */
export type ExprResult =
  | { readonly _tag: "Boolean" }
  | { readonly _tag: "Text" }
  /** An int or a double. */
  | { readonly _tag: "Number" }
  | { readonly _tag: "Decimal"; readonly scale: number }

/**
 * A computation over records of `A` that gives a `T`.
 *
 * `A` is what it may read: an expression over fewer fields fits more records. One made outside of an operator reads
 * `unknown` until its job is declared.
 */
export interface Expr<in A, out T> {
  readonly [TypeId]: { readonly record: Types.Contravariant<A>; readonly result: Types.Covariant<T> }
  /** The text as written; shown in plans and explanations. */
  readonly source: string
  readonly result: ExprResult
  /** The field that must not be null, when `has` made the expression. */
  readonly field?: string
}

/** A condition that also narrows: in its branch, `F` is neither absent nor null. */
export interface Has<out F extends string> extends Expr<{ readonly [K in F]?: unknown }, boolean> {
  readonly field: F
}

const make = <A, T>(source: string, result: ExprResult): Expr<A, T> =>
  // the type id exists in types only
  Object.freeze({ source, result: Object.freeze(result) }) as Expr<A, T>

const condition = <A = unknown, const S extends string = string>(source: S): Expr<A, boolean> =>
  make(source, { _tag: "Boolean" })

const string = <A = unknown, const S extends string = string>(source: S): Expr<A, string> =>
  make(source, { _tag: "Text" })

const number = <A = unknown, const S extends string = string>(source: S): Expr<A, number> =>
  make(source, { _tag: "Number" })

const decimal = <const N extends number, A = unknown, const S extends string = string>(
  scale: N,
  source: S
): Expr<A, Decimal<N>> => make(source, { _tag: "Decimal", scale })

/**
 * An expression in CEL. `expr("…")` is a condition; a result of another type is stated: `expr.string("…")`,
 * `expr.number("…")`, `expr.decimal(2, "…")`.
 *
 * **Gotchas**: a comparison or computation with null, one that overflows and a division by zero have no result; a
 * condition without a result does not hold, and neither does its negation. `x == null` and `has(x)` ask for null.
 */
export const expr = Object.assign(condition, { string, number, decimal })

/** The condition that a field is neither absent nor null; narrows the record in its branch of `route`. */
export const has = <const F extends string>(field: F): Has<F> =>
  // the type id exists in types only
  Object.freeze({ source: `has(${field})`, result: Object.freeze({ _tag: "Boolean" }), field }) as unknown as Has<F>
