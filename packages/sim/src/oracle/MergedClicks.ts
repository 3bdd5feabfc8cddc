/**
 * The oracle of repartitions: in which order clicks of several sources are judged by another key, and what totals, numbers and
 * totals of totals they must come to.
 *
 * From clicks in the order of their offsets, with the engine's promises read once more (packages/engine/OPERATORS.md) and no
 * code of it: where the engine merges while it reads, all is sorted here once, by the watermark that each click met where it
 * came from.
 */

/** A click that was understood, where it stood. */
export interface MergedClick {
  /** The order of the sources in the job. */
  readonly source: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly user: string
  readonly page: string
  readonly cents: number
  /** Epoch milliseconds. */
  readonly at: number
}

export interface MergedTotals {
  readonly name: string
  readonly sizeMs: number
  readonly latenessMs: number
}

export interface ExpectedMerged {
  /** Sorted by nothing. */
  readonly results: ReadonlyArray<string>
  /** `operator late topic/partition/offset`. */
  readonly entries: ReadonlyArray<string>
}

const outOfOrdernessMs = 5_000

interface Met {
  readonly click: MergedClick
  readonly watermark: number
}

const inOrder = ({ click: a, ...left }: Met, { click: b, ...right }: Met): number => {
  if (left.watermark !== right.watermark) return left.watermark < right.watermark ? -1 : 1
  return a.source - b.source || a.partition - b.partition || a.offset - b.offset
}

/** Which clicks a filter lets through: the others move time all the same. */
export type Keeps = (click: MergedClick) => boolean

/** Clicks with the watermark that each met in its own partition, in the order in which they are judged. */
const merged = (clicks: ReadonlyArray<MergedClick>, keeps: Keeps): ReadonlyArray<Met> => {
  const highest = new Map<string, number>()
  return clicks
    .toSorted((a, b) => a.source - b.source || a.partition - b.partition || a.offset - b.offset)
    .map((click) => {
      const place = `${click.source}/${click.partition}`
      const before = highest.get(place) ?? Number.NEGATIVE_INFINITY
      highest.set(place, Math.max(before, click.at))
      return { click, watermark: before - outOfOrdernessMs }
    })
    .filter(({ click }) => keeps(click))
    .toSorted(inOrder)
}

interface Kept {
  readonly page: string
  readonly end: number
  readonly clicks: Array<MergedClick>
  /** Results that were given. */
  given: number
}

/** Windows of a page by their ends, with the results that each gives when it takes late clicks, and what none takes. */
const windowsOf = (clicks: ReadonlyArray<MergedClick>, { latenessMs, name, sizeMs }: MergedTotals, keeps: Keeps) => {
  const windows = new Map<string, Kept>()
  const entries: Array<string> = []
  for (const { click, watermark } of merged(clicks, keeps)) {
    for (const each of windows.values()) if (each.end <= watermark && each.given === 0) each.given = 1
    const end = (Math.floor(click.at / sizeMs) + 1) * sizeMs
    if (end + latenessMs <= watermark) {
      entries.push(`${name} late ${click.topic}/${click.partition}/${click.offset}`)
      continue
    }
    const kept = windows.get(`${click.page} ${end}`) ?? { page: click.page, end, clicks: [], given: 0 }
    windows.set(`${click.page} ${end}`, kept)
    kept.clicks.push(click)
    if (end <= watermark) kept.given++
  }
  return { windows: [...windows.values()], entries }
}

const centsOf = (clicks: ReadonlyArray<MergedClick>): number => clicks.reduce((sum, { cents }) => sum + cents, 0)

/** By time; those of one time by source, partition, offset. */
const newestOf = (clicks: ReadonlyArray<MergedClick>): string =>
  clicks
    .toSorted((a, b) => a.at - b.at || a.source - b.source || a.partition - b.partition || a.offset - b.offset)
    .at(-1)!.user

/** The last result of each window: page, end, revision, clicks, cents, newest user. */
export const expectPageTotals = (
  clicks: ReadonlyArray<MergedClick>,
  options: MergedTotals,
  keeps: Keeps
): ExpectedMerged => {
  const { entries, windows } = windowsOf(clicks, options, keeps)
  const results = windows.map(({ clicks: inside, end, given, page }) =>
    JSON.stringify([page, end, Math.max(1, given) - 1, inside.length, centsOf(inside), newestOf(inside)])
  )
  return { results, entries }
}

/** Each click numbered by page, in the order in which they are judged: page, number, user, time. */
export const expectNumbers = (clicks: ReadonlyArray<MergedClick>, keeps: Keeps): ReadonlyArray<string> => {
  const last = new Map<string, number>()
  return merged(clicks, keeps).map(({ click: { at, page, user } }) => {
    last.set(page, (last.get(page) ?? 0) + 1)
    return JSON.stringify([page, last.get(page), user, at])
  })
}

/** Totals over the results of windows that each give one, by section and the window that they end in; none is late. */
export const expectSections = (
  clicks: ReadonlyArray<MergedClick>,
  inner: MergedTotals,
  sizeMs: number,
  sectionOf: (page: string) => string,
  keeps: Keeps
): ExpectedMerged => {
  const { entries, windows } = windowsOf(clicks, inner, keeps)
  const sections = new Map<string, { results: number; clicks: number; cents: number }>()
  for (const { clicks: inside, end, page } of windows) {
    const name = JSON.stringify([sectionOf(page), Math.ceil(end / sizeMs) * sizeMs])
    const section = sections.get(name) ?? { results: 0, clicks: 0, cents: 0 }
    sections.set(name, section)
    section.results++
    section.clicks += inside.length
    section.cents += centsOf(inside)
  }
  const results = Array.from(sections, ([name, { cents, clicks: inside, results: windowsIn }]) =>
    // made above
    JSON.stringify([...(JSON.parse(name) as ReadonlyArray<unknown>), windowsIn, inside, cents])
  )
  return { results, entries }
}
