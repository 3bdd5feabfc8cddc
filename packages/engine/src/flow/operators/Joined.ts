/** What the joins of two flows share: the types of their results, and the nodes that they are made of. */
import { durationMs, type DurationText, type Expr } from "@frazil/core"
import type { Types } from "effect"
import {
  type JoinBounds,
  type JoinKind,
  type JoinSpec,
  left,
  type MakeJoined,
  recordsHeldMaxDefault,
  recordsPerKeyMaxDefault,
  right,
  type Side
} from "../../join/Join.ts"
import { computed } from "../Flow.ts"
import type { Computed, Node } from "../Node.ts"
import { diskStoreOf, type StateStore } from "../Store.ts"

/** The left record as a join's function takes it. */
export type LeftOf<A, Kind> = Kind extends "full" ? A | undefined : A
/** The right record. */
export type RightOf<B, Kind> = Kind extends "inner" ? B : B | undefined

type OrNull<B, K> = { readonly [P in Exclude<keyof B, keyof K>]: Exclude<B[P], undefined> | null }

/** Fields of both records, those of a side that may be missing null. */
export type Joined<A, B, K, Kind> = Types.Simplify<
  Kind extends "inner"
    ? A & Omit<B, keyof K>
    : Kind extends "left"
      ? A & OrNull<B, K>
      : { readonly [P in keyof A & keyof K]: A[P] } & OrNull<A, K> & OrNull<B, K>
>

/** Expressions over both records, by the fields that they make: `{ paid: expr.decimal(2, "left.amount") }`. */
export type JoinedFields<A = never, B = never> = Readonly<
  Record<string, Expr<{ readonly left: A; readonly right: B }, unknown>>
>

/** The result of expressions. */
export type FieldsOf<F> = Types.Simplify<{ readonly [P in keyof F]: F[P] extends Expr<never, infer T> ? T : never }>

/** Where what a join holds is kept, and how much of it: in memory a partition has a bound, on disk time and the key's bound alone. */
type JoinKept =
  | ({ readonly store?: "memory" } & Pick<JoinBounds, "recordsHeldMax">)
  | { readonly store: Exclude<StateStore, "memory">; readonly recordsHeldMax?: never }

/** What every join may say. */
export type JoinOptions<Kind> = JoinKept & JoinCommon<Kind>

interface JoinCommon<Kind> extends Pick<JoinBounds, "recordsPerKeyMax"> {
  /** Whose records are told that have no partner: "inner" (the default) none, "left" the left side's, "full" both. */
  readonly kind?: Kind
  /** How long after the watermark a record is still taken; nothing unless it is said. */
  readonly allowedLateness?: DurationText
  readonly name?: string
}

/** What all specs have, with what was left out. */
export const commonOf = <Kind extends JoinKind>({
  allowedLateness = "0s",
  recordsHeldMax,
  recordsPerKeyMax = recordsPerKeyMaxDefault,
  store
}: JoinOptions<Kind>) => ({
  allowedLatenessMs: durationMs(allowedLateness),
  recordsPerKeyMax,
  recordsHeldMax:
    diskStoreOf(store) === undefined ? (recordsHeldMax ?? recordsHeldMaxDefault) : Number.POSITIVE_INFINITY
})

/** The fields that the flow is keyed by here. */
const keyOf = (node: Node): ReadonlyArray<string> =>
  node.op === "keyBy" ? node.fields : node.inputs[0] === undefined ? [] : keyOf(node.inputs[0])

export interface JoinParts {
  readonly name: string | undefined
  readonly join: JoinSpec
  /** A function of both records, or an expression for each field. */
  readonly make: ((left: never, right: never) => object) | JoinedFields | undefined
  /** By side. */
  readonly deleted?: readonly [Computed | undefined, Computed | undefined]
  readonly store: StateStore | undefined
}

/** A join of two nodes, which may be the same one. */
export const joinNode = (one: Node, other: Node, { deleted, join, make, name, store }: JoinParts): Node => {
  const disk = diskStoreOf(store)
  const sideOf = (side: Side, input: Node): Node =>
    Object.freeze({
      op: "joinSide",
      name: name === undefined ? undefined : `${side === left ? "left" : "right"} of ${name}`,
      inputs: [input],
      side,
      of: join._tag,
      deleted: deleted?.[side]
    })
  return {
    op: "join",
    name,
    inputs: [sideOf(left, one), sideOf(right, other)],
    key: keyOf(one),
    join,
    // the engine holds records untyped; the operator's types say what the function takes and gives
    make: typeof make === "function" ? (make as unknown as MakeJoined) : undefined,
    fields:
      typeof make === "object"
        ? Object.entries(make).map(([name, value]) => [name, computed(value)] as const)
        : undefined,
    ...(disk === undefined ? {} : { store: disk })
  }
}
