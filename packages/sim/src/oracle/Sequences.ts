/**
 * The oracle of patterns: every match of a pattern among the records of a key, by looking ahead from each record.
 *
 * Written from what the engine promises (packages/engine/OPERATORS.md), with no code of it: a way on takes the first later
 * record that fits; `next` and consecutive records leave nothing between; what `notFollowedBy` names ends the way there; a
 * match's records are less than `within` apart. Slow, and all in memory.
 */

/** One step's record of a match: the step's index, and the record's among its key's, in event-time order. */
export type Path = ReadonlyArray<readonly [step: number, record: number]>

export interface OracleStep<R> {
  readonly name: string
  /** Of the first step: followedBy. */
  readonly how: "next" | "followedBy" | "notFollowedBy"
  /** `path`: what the steps took before. */
  readonly fits: (record: R, path: Path, records: ReadonlyArray<R>) => boolean
  readonly min: number
  readonly max: number
  readonly consecutive: boolean
  readonly optional: boolean
}

export type OracleSkip =
  | "noSkip"
  | "skipToNext"
  | "skipPastLastEvent"
  | { readonly skipToFirst: string }
  | { readonly skipToLast: string }

export interface OraclePattern<R> {
  readonly steps: ReadonlyArray<OracleStep<R>>
  readonly withinMs: number
  readonly skip: OracleSkip
}

export interface OracleSequences {
  readonly matches: ReadonlyArray<Path>
  /** What began and could still have become a match when `within` was over; means nothing with a strategy that skips. */
  readonly timeouts: ReadonlyArray<Path>
}

interface Walk {
  readonly matches: Array<{ readonly path: Path; readonly doneAt: number }>
  readonly timeouts: Array<Path>
}

/** A step that may come next, and the negative ones that may not come before it. */
type Way = readonly [step: number, strict: boolean, nots: ReadonlyArray<number>]

/** What may follow a step's last record; `ends`: nothing has to, unless one of `nots` comes. */
const waysOn = <R>({ steps }: OraclePattern<R>, at: number, count: number) => {
  const ways: Array<Way> = []
  if (count < steps[at]!.max) ways.push([at, steps[at]!.consecutive, []])
  let nots: Array<number> = []
  let ends = count >= steps[at]!.min
  for (let step = at + 1; step < steps.length && ends; step++) {
    const { how, optional } = steps[step]!
    if (how === "notFollowedBy") nots.push(step)
    else {
      ways.push([step, how === "next", nots])
      nots = []
      ends = optional
    }
  }
  return { ways, ends, nots }
}

/** Every match that goes on from `path`. */
const walk = <R extends { readonly at: number }>(
  pattern: OraclePattern<R>,
  records: ReadonlyArray<R>,
  path: Path,
  found: Walk
): void => {
  const { steps, withinMs } = pattern
  const [at, last] = path.at(-1)!
  const end = records[path[0]![1]]!.at + withinMs
  const inTime = (index: number) => index < records.length && records[index]!.at < end
  const fits = (step: number, index: number) => steps[step]!.fits(records[index]!, path, records)
  const { ends, nots, ways } = waysOn(pattern, at, path.filter(([step]) => step === at).length)
  if (ends && nots.length === 0) found.matches.push({ path, doneAt: last })
  else if (ends) {
    let spoiled = false
    for (let index = last + 1; inTime(index); index++) spoiled ||= nots.some((not) => fits(not, index))
    if (!spoiled) found.matches.push({ path, doneAt: Number.POSITIVE_INFINITY })
  }
  let waits = false
  for (const [step, strict, between] of ways) {
    let open = true
    for (let index = last + 1; open && inTime(index); index++) {
      if (fits(step, index)) {
        walk(pattern, records, [...path, [step, index]], found)
        open = false
      } else if (strict || between.some((not) => fits(not, index))) open = false
    }
    waits ||= open
  }
  if (!ends && waits) found.timeouts.push(path)
}

/** The one that took the earlier record first, or, of one record, the earlier step. */
const comparePaths = (left: Path, right: Path): number => {
  for (const [index, [step, record]] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    if (record !== other[1]) return record - other[1]
    if (step !== other[0]) return step - other[0]
  }
  return left.length - right.length
}

/** Those that are left when each match discards what its strategy says, given in the order of their first records. */
const skipped = <R>({ skip, steps }: OraclePattern<R>, { matches }: Walk): ReadonlyArray<Path> => {
  const inOrder = matches.toSorted(
    (left, right) =>
      left.path[0]![1] - right.path[0]![1] ||
      (left.doneAt === right.doneAt ? 0 : left.doneAt - right.doneAt) ||
      comparePaths(left.path, right.path)
  )
  let from = Number.NEGATIVE_INFINITY
  return inOrder.flatMap(({ path }) => {
    const first = path[0]![1]
    if (first < from) return []
    if (skip === "skipToNext") from = first + 1
    else if (skip === "skipPastLastEvent") from = path.at(-1)![1] + 1
    else if (skip !== "noSkip") {
      const name = "skipToFirst" in skip ? skip.skipToFirst : skip.skipToLast
      const own = path.filter(([step]) => steps[step]!.name === name)
      from = Math.max(from, ("skipToFirst" in skip ? own[0] : own.at(-1))?.[1] ?? from)
    }
    return [path]
  })
}

/** All matches among the records of one key, which are in the order of event time. */
export const findSequences = <R extends { readonly at: number }>(
  pattern: OraclePattern<R>,
  records: ReadonlyArray<R>
): OracleSequences => {
  const found: Walk = { matches: [], timeouts: [] }
  for (const [index, record] of records.entries())
    if (pattern.steps[0]!.fits(record, [], records)) walk(pattern, records, [[0, index]], found)
  return { matches: skipped(pattern, found), timeouts: found.timeouts }
}
