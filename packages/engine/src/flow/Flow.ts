/**
 * A flow: records of `A` on their way, the per-record failures `E` that travel beside them, the services `R` needed to
 * run it, and the key record `K` (unknown = not keyed).
 *
 * A flow is a value: immutable, pipeable, declared once and then run, drawn, checked or simulated. Operators live one to
 * a file in `operators/`; `index.ts` gathers them as the namespace `Flow`.
 */
import { Pipeable } from "effect"
import type { AnyRecord, Computed, Failed, Node } from "./Node.ts"
import type { Expr } from "@frazil/core"

const TypeId = "~@frazil/engine/Flow"

export interface Flow<out A, out E = never, out R = never, out K = unknown> extends Pipeable.Pipeable {
  readonly [TypeId]: {
    readonly record: () => A
    readonly failure: () => E
    readonly services: () => R
    readonly key: () => K
  }
  readonly node: Node
}

/** A flow that ended: a topic takes its records. Jobs are made of outputs. */
export interface Output<out R = never> {
  readonly "ends in Flow.to": { readonly services: () => R }
  readonly node: Node
}

/** The record of a flow. */
export type RecordOf<F> = F extends Flow<infer A, infer _E, infer _R, infer _K> ? A : never
/** The failures of a flow. */
export type FailureOf<F> = F extends Flow<infer _A, infer E, infer _R, infer _K> ? E : never
/** The services a flow or an output needs. */
export type ServicesOf<F> =
  F extends Flow<infer _A, infer _E, infer R, infer _K> ? R : F extends Output<infer R> ? R : never
/** The tags of a flow's failures. */
export type Tags<E> = E extends { readonly _tag: infer Tag extends string } ? Tag : never

/** A boolean expression over the record, or a function of it. */
export type Condition<A> = Expr<NoInfer<A>, boolean> | ((record: A) => boolean)

// The phantom fields are never called: they carry types only.
const phantom = (): never => {
  throw new Error("a flow's type parameters have no values")
}
const variance = { record: phantom, failure: phantom, services: phantom, key: phantom }

const Proto = { [TypeId]: variance, ...Pipeable.Prototype }

/** A flow over `node`. */
export const fromNode = <A, E, R, K>(node: Node): Flow<A, E, R, K> =>
  Object.assign(Object.create(Proto) as Flow<A, E, R, K>, { node: Object.freeze(node) }) // the prototype has the rest

/** An output over `node`. */
export const outputFromNode = <R>(node: Node): Output<R> =>
  Object.freeze({ "ends in Flow.to": { services: phantom }, node: Object.freeze(node) })

/** Whether a condition or value is an expression; everything else is code. */
export const computed = (value: unknown): Computed =>
  typeof value === "function"
    ? { _tag: "Code", fn: value as (record: AnyRecord) => unknown } // typed by the operator that took it
    : { _tag: "Expr", expr: value as Expr<never, unknown> } // not a function: the operators' types leave only Expr

/** What a per-record failure is. */
export type FailedOf<Err, In> = Err extends { readonly _tag: string } ? Failed<Err, In> : never
