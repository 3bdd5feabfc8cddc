/**
 * Records in the order of a value of theirs: what rankings and the aggregate `top` keep.
 *
 * Of equal values the earlier record by event time comes first, then the one with the lower offset; where the order is event
 * time itself, the later offset. So the order of any set of records of a partition is one, however they came.
 */
import type { AnyRecord } from "../flow/Node.ts"

export type RankOrder = "desc" | "asc"

export interface Ranked {
  readonly value: number | bigint
  /** Event time, epoch milliseconds. */
  readonly time: number
  readonly offset: number
  readonly record: AnyRecord
}

type Place = Omit<Ranked, "record">

/** Whether `left` comes before `right`. */
const ranksBefore = (left: Place, right: Place, order: RankOrder, laterFirst: boolean): boolean => {
  if (left.value > right.value) return order === "desc"
  if (left.value < right.value) return order === "asc"
  if (left.time !== right.time) return left.time < right.time
  return laterFirst ? left.offset > right.offset : left.offset < right.offset
}

/** Puts `item` where it belongs among `n` at most; its index, or −1 when it is not among them. */
export const insertRanked = (
  list: Array<Ranked>,
  item: Ranked,
  n: number,
  order: RankOrder,
  laterFirst: boolean
): number => {
  let at = list.length
  while (at > 0 && ranksBefore(item, list[at - 1]!, order, laterFirst)) at--
  if (at >= n) return -1
  list.splice(at, 0, item)
  if (list.length > n) list.pop()
  return at
}

/** A value in JSON: integers beyond a double as their digits. */
export const encodeRankValue = (value: number | bigint): number | string =>
  typeof value === "number" && Number.isFinite(value) ? value : String(value)

export const decodeRankValue = (value: number | string): number | bigint => {
  if (typeof value === "number") return value
  return /^-?[0-9]+$/.test(value) ? BigInt(value) : Number(value)
}
