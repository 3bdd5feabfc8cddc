/**
 * What a join of two flows is, as data: `flow/operators/Join*.ts` make it, plan, state and checks read it.
 *
 * Both sides are flows of one key. `interval`: a pair of records whose times are no further apart than it says. `asOf`: a
 * record with the version of its key that was there at its time. `latest`: the latest records of a key on both sides.
 */
import type { AnyRecord } from "../flow/Node.ts"

/** Which records without a partner are told: none, the left side's, or those of both. */
export type JoinKind = "inner" | "left" | "full"

/** The sides of a join, by index. */
export const left = 0
export const right = 1
export type Side = typeof left | typeof right

/** How much a join may hold in one partition, both sides together. */
export interface JoinBounds {
  /** Records of one key; one more is evicted. */
  readonly recordsPerKeyMax?: number
  /** Records of all keys; one more is evicted. */
  readonly recordsHeldMax?: number
}

interface CommonSpec extends Required<JoinBounds> {
  readonly kind: JoinKind
  readonly allowedLatenessMs: number
}

/** `left.time + lowerMs <= right.time <= left.time + upperMs`. */
export interface IntervalSpec extends CommonSpec {
  readonly _tag: "Interval"
  readonly lowerMs: number
  readonly upperMs: number
}

/** A version, or the latest record of a key, counts for so long. */
export interface AsOfSpec extends CommonSpec {
  readonly _tag: "AsOf"
  readonly kind: "inner" | "left"
  readonly ttlMs: number
}

export interface LatestSpec extends CommonSpec {
  readonly _tag: "Latest"
  readonly ttlMs: number
}

export type JoinSpec = IntervalSpec | AsOfSpec | LatestSpec

/** The result of two records; undefined is a side without one. */
export type MakeJoined = (left: AnyRecord | undefined, right: AnyRecord | undefined) => AnyRecord

export const recordsPerKeyMaxDefault = 10_000
export const recordsHeldMaxDefault = 1_000_000

/** Whether records of that side are told without a partner. */
export const isOuter = ({ kind }: JoinSpec, side: Side): boolean =>
  kind === "full" || (kind === "left" && side === left)

/** How far a result's time may be behind the watermark that brings it: what comes behind a join's results is held back by it. */
export const resultsBehindMs = (spec: JoinSpec): number => {
  const { allowedLatenessMs, kind } = spec
  // a record is told alone when no partner can come any more
  if (spec._tag === "Interval" && kind !== "inner") return allowedLatenessMs + Math.max(0, spec.upperMs, -spec.lowerMs)
  return allowedLatenessMs
}
