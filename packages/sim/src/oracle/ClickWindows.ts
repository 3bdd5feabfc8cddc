/**
 * The oracle of windows: which sessions and rolling totals clicks must come to, and what the ledger must hold.
 *
 * From clicks in the order of their offsets, with the engine's promises read once more (packages/engine/OPERATORS.md) and no
 * code of it: sessions are kept as lists of their clicks, totals are added up anew from all clicks.
 */

/** A click that was understood. */
export interface OracleClick {
  readonly partition: number
  readonly offset: number
  readonly user: string
  readonly page: string
  readonly cents: number
  /** Epoch milliseconds. */
  readonly at: number
}

export interface OracleSessions {
  readonly name: string
  readonly gapMs: number
  readonly maxMs: number
  readonly latenessMs: number
}

export interface OracleTotals {
  readonly name: string
  readonly sizeMs: number
  readonly everyMs: number
  readonly latenessMs: number
}

/** What must stand in the end, and the entries `operator reason partition/offset`. */
export interface ExpectedWindows {
  readonly results: ReadonlyArray<string>
  readonly entries: ReadonlyArray<string>
}

const outOfOrdernessMs = 5_000
const pagesMax = 3

type Session = ReadonlyArray<OracleClick>

const inTime = (a: OracleClick, b: OracleClick): number => a.at - b.at || a.offset - b.offset
const startOf = (session: Session): number => session[0]!.at
const lastOf = (session: Session): number => session.at(-1)!.at

/** Clicks with the watermark before each, partition by partition. */
const withWatermarks = (clicks: ReadonlyArray<OracleClick>) => {
  const highest = new Map<number, number>()
  return clicks
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map((click) => {
      const before = highest.get(click.partition) ?? Number.NEGATIVE_INFINITY
      highest.set(click.partition, Math.max(before, click.at))
      return { click, watermark: before - outOfOrdernessMs }
    })
}

/**
 * The user's sessions with one click more. It belongs to the one that it lies in; else it joins those that are no further
 * away than the gap, the earlier one first, as long as none becomes longer than it may.
 */
const withClick = (sessions: ReadonlyArray<Session>, click: OracleClick, { gapMs, maxMs }: OracleSessions) => {
  const near = sessions.filter((each) => startOf(each) - gapMs <= click.at && click.at <= lastOf(each) + gapMs)
  const around = near.find((each) => startOf(each) <= click.at && click.at <= lastOf(each))
  if (around !== undefined) {
    return sessions.map((each) => (each === around ? [...each, click].sort(inTime) : each))
  }
  let joined: Session = [click]
  const apart = sessions.filter((each) => !near.includes(each))
  for (const each of near.toSorted((a, b) => startOf(a) - startOf(b))) {
    const both = [...each, ...joined].sort(inTime)
    if (lastOf(both) - startOf(both) <= maxMs) joined = both
    else apart.push(each)
  }
  return [...apart, joined]
}

/** Results as texts: what `textOfSession` of the job makes of those that were not taken back. */
export const expectSessions = (clicks: ReadonlyArray<OracleClick>, options: OracleSessions): ExpectedWindows => {
  const users = new Map<string, ReadonlyArray<Session>>()
  const entries: Array<string> = []
  for (const { click, watermark } of withWatermarks(clicks)) {
    if (click.at < watermark - options.latenessMs) {
      entries.push(`${options.name} late ${click.partition}/${click.offset}`)
    } else users.set(click.user, withClick(users.get(click.user) ?? [], click, options))
  }
  const results = [...users.values()].flat().map((session) => {
    const pages = [...new Set(session.map(({ page }) => page))]
    return JSON.stringify([
      session[0]!.user,
      startOf(session),
      lastOf(session) + options.gapMs,
      session.length,
      session[0]!.page,
      session.at(-1)!.page,
      pages.slice(0, pagesMax),
      pages.length > pagesMax,
      lastOf(session) - startOf(session)
    ])
  })
  return { results, entries }
}

/** Likewise for totals, as `textOfTotal` makes them of the last result of each window. */
export const expectTotals = (clicks: ReadonlyArray<OracleClick>, options: OracleTotals): ExpectedWindows => {
  const { everyMs, latenessMs, name, sizeMs } = options
  const windows = new Map<string, { readonly end: number; readonly clicks: Array<OracleClick> }>()
  const entries: Array<string> = []
  for (const { click, watermark } of withWatermarks(clicks)) {
    const first = (Math.floor(click.at / everyMs) + 1) * everyMs
    const ends = Array.from({ length: sizeMs / everyMs }, (_, index) => first + index * everyMs)
    const open = ends.filter((end) => end + latenessMs > watermark)
    if (open.length < ends.length) {
      entries.push(`${name} ${open.length === 0 ? "late" : "dropped"} ${click.partition}/${click.offset}`)
    }
    for (const end of open) {
      const window = windows.get(`${click.user} ${end}`) ?? { end, clicks: [] }
      windows.set(`${click.user} ${end}`, window)
      window.clicks.push(click)
    }
  }
  const given = [...windows.values()].filter(({ clicks: inside, end }) => inside.some(({ at }) => at >= end - everyMs))
  const results = given.map(({ clicks: inside, end }) =>
    JSON.stringify([
      inside[0]!.user,
      end,
      inside.length,
      inside.reduce((sum, { cents }) => sum + cents, 0),
      inside.toSorted(inTime).at(-1)!.page
    ])
  )
  return { results, entries }
}
