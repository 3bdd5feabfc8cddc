/**
 * Repartitions to simulate: clicks of two sources, by user, judged by page: totals with late clicks, numbers that depend on
 * the order, and totals over totals through a second internal topic; judged by the oracle besides.
 */
import { Field, Topic } from "@frazil/core"
import { count, Flow, Job, last, sum, Window } from "@frazil/engine"
import { Ledger } from "@frazil/model"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import { compare } from "../oracle/Compare.ts"
import { expectNumbers, expectPageTotals, expectSections, type MergedClick } from "../oracle/MergedClicks.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

class Click extends Schema.Opaque<Click>()(
  Schema.Struct({ user: Field.text(), page: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
class PageTotal extends Schema.Opaque<PageTotal>()(
  Schema.Struct({
    page: Field.text(),
    window_end: Field.timestamp,
    revision: Field.int(),
    clicks: Field.int(),
    cents: Field.double(),
    newest: Field.text()
  })
) {}
class Numbered extends Schema.Opaque<Numbered>()(
  Schema.Struct({ page: Field.text(), nth: Field.int(), user: Field.text(), at: Field.timestamp })
) {}
class Part extends Schema.Opaque<Part>()(
  Schema.Struct({ section: Field.text(), page: Field.text(), clicks: Field.int(), cents: Field.double() })
) {}
class SectionTotal extends Schema.Opaque<SectionTotal>()(
  Schema.Struct({
    section: Field.text(),
    window_end: Field.timestamp,
    revision: Field.int(),
    windows: Field.int(),
    clicks: Field.double(),
    cents: Field.double()
  })
) {}

const Clicks = Topic.make("page-clicks", { schema: Click, key: "user", eventTime: "at", partitions: 3 })
const Taps = Topic.make("page-taps", { schema: Click, key: "user", eventTime: "at", partitions: 2 })
const PageTotals = Topic.make("page-totals", { schema: PageTotal, key: "page", partitions: 2 })
const PageNumbers = Topic.make("page-numbers", { schema: Numbered, key: "page", partitions: 2 })
const SectionTotals = Topic.make("section-totals", { schema: SectionTotal, key: "section", partitions: 2 })

const totals = { name: "page totals", sizeMs: 30_000, latenessMs: 45_000 }
const parts = { name: "page parts", sizeMs: 20_000, latenessMs: 40_000 }
const sectionsMs = 60_000

const sectionOf = (page: string): string => (page < "p3" ? "front" : "back")

const byPage = Flow.from(Clicks).pipe(
  Flow.merge(Flow.from(Taps)),
  Flow.filter(({ cents }) => cents < 90),
  Flow.keyBy("page", { name: "pages", partitions: 3 })
)

const job = Job.make("repartition", [
  byPage.pipe(
    Flow.window(
      Window.tumbling(`${totals.sizeMs}ms`, { allowedLateness: `${totals.latenessMs}ms` }),
      { clicks: count(), cents: sum("cents"), newest: last("user") },
      { name: totals.name }
    ),
    Flow.to(PageTotals)
  ),
  byPage.pipe(
    Flow.mapWithState(
      { name: "numbers", schema: Schema.Finite, initial: () => 0, ttl: "1 day" },
      (nth, { at, page, user }: Click) => [nth + 1, [{ page, nth: nth + 1, user, at }]]
    ),
    Flow.to(PageNumbers)
  ),
  byPage.pipe(
    Flow.window(
      Window.tumbling(`${parts.sizeMs}ms`, { allowedLateness: `${parts.latenessMs}ms`, once: true }),
      { clicks: count(), cents: sum("cents") },
      { name: parts.name }
    ),
    Flow.map(({ cents, clicks, page }): Part => ({ section: sectionOf(page), page, clicks, cents }), { schema: Part }),
    Flow.keyBy("section", { name: "sections", partitions: 2 }),
    Flow.window(
      Window.tumbling(`${sectionsMs}ms`, { allowedLateness: "0s" }),
      { windows: count(), clicks: sum("clicks"), cents: sum("cents") },
      { name: "sections totals" }
    ),
    Flow.to(SectionTotals)
  )
])

const startMs = Date.UTC(2026, 0, 14, 23, 50)
const stepsMs = [0, 500, 2_000, 5_000, 9_000]
/** Within the lateness of one window or both, and beyond it. */
const latesMs = [3_000, 12_000, 30_000, 44_000, 60_000, 90_000]

const click = (random: Random): (() => string) => {
  let atMs = startMs
  const pick = (values: ReadonlyArray<number>): number => values[random.below(values.length)]!
  return () => {
    atMs += pick(stepsMs)
    const late = random.below(5) === 0 ? pick(latesMs) : 0
    const text = JSON.stringify({
      user: `U${random.below(7)}`,
      page: `p${Math.min(random.below(6), random.below(6))}`,
      cents: random.below(100),
      at: new Date(atMs - late).toISOString()
    })
    return random.below(20) === 0 ? text.slice(0, -5) : text
  }
}

const recordsMin = 20
const recordsSpread = 60

const lines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, click(random))

const decoder = new TextDecoder()

const recordsOf = (topics: KeptTopics, name: string): ReadonlyArray<Record<string, string | number>> =>
  topics(name).flatMap((records) =>
    // written by the job, by the topic's contract
    records.map(({ value }) => JSON.parse(decoder.decode(value)) as Record<string, string | number>)
  )

/** Broken lines are none. */
const understood = (topics: KeptTopics): ReadonlyArray<MergedClick> =>
  [Clicks.name, Taps.name].flatMap((topic, source) =>
    topics(topic).flatMap((records, partition) =>
      records.flatMap(({ value }, offset) => {
        try {
          // what a text that parses holds: the lines above
          const line = JSON.parse(decoder.decode(value)) as Record<"user" | "page" | "at", string> & { cents: number }
          return [{ ...line, topic, source, partition, offset, at: Date.parse(line.at) }]
        } catch {
          return []
        }
      })
    )
  )

const millis = (text: unknown): number => Date.parse(String(text))

/** The last result of each window. */
const lastTotals = (topics: KeptTopics): ReadonlyArray<string> => {
  const newest = new Map<string, string>()
  for (const { cents, clicks, newest: user, page, revision, window_end } of recordsOf(topics, PageTotals.name))
    newest.set(`${page} ${window_end}`, JSON.stringify([page, millis(window_end), revision, clicks, cents, user]))
  return [...newest.values()]
}

const check = (topics: KeptTopics): ReadonlyArray<string> => {
  const all = understood(topics)
  // a click that is filtered moves its partition's time all the same: the oracle leaves it out after that
  const kept = (click: MergedClick) => click.cents < 90
  const pages = expectPageTotals(all, totals, kept)
  const sections = expectSections(all, parts, sectionsMs, sectionOf, kept)
  const numbers = recordsOf(topics, PageNumbers.name).map(({ at, nth, page, user }) =>
    JSON.stringify([page, nth, user, millis(at)])
  )
  const found = recordsOf(topics, SectionTotals.name).map(({ cents, clicks, section, window_end, windows }) =>
    JSON.stringify([section, millis(window_end), windows, clicks, cents])
  )
  const entries = recordsOf(topics, Ledger.name).map(
    ({ offset_from, operator, partition, reason, topic }) =>
      `${operator} ${reason} ${topic}/${partition}/${offset_from}`
  )
  return [
    ...compare("page totals", lastTotals(topics), pages.results),
    ...compare("page numbers", numbers, expectNumbers(all, kept)),
    ...compare("section totals", found, sections.results),
    ...compare("ledger", entries, [...pages.entries, ...sections.entries])
  ]
}

export const clicksByPage = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  run(job, { ...options, input: [input(Clicks, lines), input(Taps, lines)], check })
