/**
 * The oracle of joins: what must come of the records of one key that came to the two sides of a join, recomputed from all of
 * them, without any state and without code of the engine.
 *
 * `capped` alone goes through them in their order: what a bound refuses depends on it.
 */

/** A record of a side. Records of both sides are numbered in the order in which they came. */
export interface Come<R> {
  readonly record: R
  readonly at: number
  readonly index: number
  /** How far time, less what it may be late, had come before it. */
  readonly horizon: number
  /** It says that its key has no record from its time on. */
  readonly deleted: boolean
}

export interface Joined<R> {
  readonly left: R | undefined
  readonly right: R | undefined
  readonly retracted: boolean
}

export interface Recomputed<R> {
  readonly results: ReadonlyArray<Joined<R>>
  readonly ledger: ReadonlyArray<readonly [reason: "late" | "dropped" | "evicted", record: R]>
}

type Kind = "inner" | "left" | "full"
type Sides<R> = readonly [lefts: ReadonlyArray<Come<R>>, rights: ReadonlyArray<Come<R>>]

const isLate = ({ at, horizon }: Come<unknown>) => at < horizon
const both = <R>(left: R | undefined, right: R | undefined): Joined<R> => ({ left, right, retracted: false })

export interface Interval {
  readonly kind: Kind
  readonly lowerMs: number
  readonly upperMs: number
}

const meets = ({ lowerMs, upperMs }: Interval, left: Come<unknown>, right: Come<unknown>) =>
  right.at >= left.at + lowerMs && right.at <= left.at + upperMs

/** Every pair that the interval lets meet, and what is left of either side. */
export const intervalJoin = <R>(of: Interval, [allLefts, allRights]: Sides<R>): Recomputed<R> => {
  const lefts = allLefts.filter((come) => !isLate(come))
  const rights = allRights.filter((come) => !isLate(come))
  const results = lefts.flatMap((left) =>
    rights.filter((right) => meets(of, left, right)).map((right) => both(left.record, right.record))
  )
  for (const left of lefts) {
    if (of.kind !== "inner" && !rights.some((right) => meets(of, left, right)))
      results.push(both<R>(left.record, undefined))
  }
  for (const right of rights) {
    if (of.kind === "full" && !lefts.some((left) => meets(of, left, right)))
      results.push(both<R>(undefined, right.record))
  }
  const ledger = [...allLefts, ...allRights].filter(isLate).map(({ record }) => ["late", record] as const)
  return { results, ledger }
}

/** The same, inner, when at most `max` records of the key are held: one more meets those that are, and is not. */
export const cappedJoin = <R>(of: Interval, max: number, [lefts, rights]: Sides<R>): Recomputed<R> => {
  const results: Array<Joined<R>> = []
  const ledger: Array<readonly ["late" | "evicted", R]> = []
  const comes = [
    ...lefts.map((come) => ({ come, left: true, over: come.at + Math.max(0, of.upperMs) })),
    ...rights.map((come) => ({ come, left: false, over: come.at + Math.max(0, -of.lowerMs) }))
  ].toSorted((one, other) => one.come.index - other.come.index)
  let held: typeof comes = []
  for (const each of comes) {
    const { come, left } = each
    // what is over went before this record came
    held = held.filter(({ over }) => over >= come.horizon)
    if (isLate(come)) {
      ledger.push(["late", come.record])
      continue
    }
    for (const other of held) {
      if (other.left === left) continue
      const [one, two] = left ? [come, other.come] : [other.come, come]
      if (meets(of, one, two)) results.push(both(one.record, two.record))
    }
    if (held.length >= max) ledger.push(["evicted", come.record])
    else held.push(each)
  }
  return { results, ledger }
}

/** The latest of records, by time and then as they came. */
const newest = <R>(comes: ReadonlyArray<Come<R>>): Come<R> | undefined =>
  comes.toSorted((one, other) => one.at - other.at || one.index - other.index).at(-1)

/** Each left record with the version that was there at its time. */
export const asOfJoin = <R>(
  of: { readonly kind: "inner" | "left"; readonly ttlMs: number },
  [lefts, rights]: Sides<R>
): Recomputed<R> => {
  const ledger: Array<readonly ["late" | "dropped", R]> = []
  const versions: Array<Come<R>> = []
  for (const come of rights) {
    const newer = versions.some(({ at }) => at <= come.horizon && at > come.at)
    const over = isLate(come) && (newer || come.at + of.ttlMs <= come.horizon)
    if (isLate(come)) ledger.push([over ? "late" : "dropped", come.record])
    if (!over) versions.push(come)
  }
  const results: Array<Joined<R>> = []
  for (const come of lefts) {
    if (isLate(come)) {
      ledger.push(["late", come.record])
      continue
    }
    // a version that came late does not change what was given before
    const known = versions.filter((version) => !isLate(version) || come.at >= version.horizon)
    const found = newest(known.filter(({ at }) => at <= come.at))
    const there = found !== undefined && !found.deleted && come.at - found.at < of.ttlMs
    if (there || of.kind === "left") results.push(both(come.record, there ? found.record : undefined))
  }
  return { results, ledger }
}

/** A moment at which a key's rows may change: `order` tells those of one time apart. */
interface Moment {
  readonly time: number
  /** Of a change that came late: its number; of all others of this time, which come after those: infinite. */
  readonly order: number
}

const compare = (one: Moment, other: Moment): number => {
  if (one.time !== other.time) return one.time - other.time
  return one.order === other.order ? 0 : one.order - other.order
}

const momentOf = (come: Come<unknown>): Moment =>
  isLate(come) ? { time: come.horizon, order: come.index } : { time: come.at, order: Number.POSITIVE_INFINITY }

const upTo = <R>(comes: ReadonlyArray<Come<R>>, moment: Moment) =>
  comes.filter((come) => compare(momentOf(come), moment) <= 0)

/** The row that changes have made of a side by then. */
const rowAt = <R>(comes: ReadonlyArray<Come<R>>, moment: Moment, ttlMs: number): R | undefined => {
  const row = newest(upTo(comes, moment))
  if (row === undefined || row.deleted) return undefined
  const end = row.at + ttlMs
  // what is over at a time is so after changes of it that came late
  const over = end < moment.time || (end === moment.time && moment.order === Number.POSITIVE_INFINITY)
  return over ? undefined : row.record
}

/** The latest records of both sides, whenever one changes; `told`: whether the end of a row at that time is. */
export const latestJoin = <R>(
  { kind, ttlMs }: { readonly kind: Kind; readonly ttlMs: number },
  [lefts, rights]: Sides<R>,
  told: (end: number) => boolean
): Recomputed<R> => {
  const ledger: Array<readonly ["late" | "dropped", R]> = []
  const applied: readonly [Array<Come<R>>, Array<Come<R>>] = [[], []]
  const sides = [...lefts.map((come) => [0, come] as const), ...rights.map((come) => [1, come] as const)]
  for (const [side, come] of sides.toSorted(([, one], [, other]) => one.index - other.index)) {
    const rows = upTo(applied[side], { time: come.horizon, order: come.index })
    const newer = rows.some(({ at }) => at > come.at && at + ttlMs > come.horizon)
    const over = isLate(come) && (newer || come.at + ttlMs <= come.horizon)
    if (isLate(come)) ledger.push([over ? "late" : "dropped", come.record])
    if (!over) applied[side].push(come)
  }
  const all = [...applied[0], ...applied[1]]
  const ends = all.map(({ at }) => at + ttlMs).filter(told)
  const moments = [...all.map(momentOf), ...ends.map((time) => ({ time, order: Number.POSITIVE_INFINITY }))]
  const has = (left: R | undefined, right: R | undefined) =>
    (left !== undefined && right !== undefined) ||
    (kind !== "inner" && left !== undefined) ||
    (kind === "full" && right !== undefined)
  const results: Array<Joined<R>> = []
  let before = both<R>(undefined, undefined)
  for (const moment of moments.sort(compare)) {
    const now = both(rowAt(applied[0], moment, ttlMs), rowAt(applied[1], moment, ttlMs))
    if (now.left === before.left && now.right === before.right) continue
    if (has(now.left, now.right)) results.push(now)
    else if (has(before.left, before.right)) results.push({ ...before, retracted: true })
    before = now
  }
  return { results, ledger }
}
