/**
 * Windows to simulate: sessions, sessions that are cut when they become too long, rolling totals with early results, and of
 * many panes, with aggregates that depend on where records lie, in memory and on disk; judged by the oracle besides.
 */
import { Field, Topic } from "@frazil/core"
import { aggregate, collect, count, countDistinct, first, Flow, Job, last, sum, Window } from "@frazil/engine"
import { days, Landing } from "@frazil/lake"
import { DeadLetters, Ledger } from "@frazil/model"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import { expectSessions, expectTotals, type OracleClick } from "../oracle/ClickWindows.ts"
import { compare } from "../oracle/Compare.ts"
import { type Kept, runOnDisk } from "../world/SimStateFolder.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"
import type { KeptTopics } from "../world/Scenario.ts"

const Click = Schema.Struct({ user: Field.text(), page: Field.text(), cents: Field.int(), at: Field.timestamp })
class Visit extends Schema.Opaque<Visit>()(
  Schema.Struct({
    user: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    retracted: Field.boolean,
    clicks: Field.int(),
    opened: Field.text(),
    left: Field.text(),
    pages: Field.json(Schema.Array(Schema.String)),
    pages_capped: Field.boolean,
    lasted: Field.int()
  })
) {}
class Total extends Schema.Opaque<Total>()(
  Schema.Struct({
    user: Field.text(),
    window_end: Field.timestamp,
    revision: Field.int(),
    early: Field.boolean,
    clicks: Field.int(),
    cents: Field.double(),
    newest: Field.text(),
    pages: Field.int()
  })
) {}

class Sum extends Schema.Opaque<Sum>()(
  Schema.Struct({
    user: Field.text(),
    window_end: Field.timestamp,
    revision: Field.int(),
    clicks: Field.int(),
    cents: Field.double()
  })
) {}

const Clicks = Topic.make("clicks", { schema: Click, key: "user", eventTime: "at", partitions: 3 })
const Visits = Topic.make("visits", { schema: Visit, key: "user", partitions: 2 })
const ShortVisits = Topic.make("short-visits", { schema: Visit, key: "user", partitions: 2 })
const Totals = Topic.make("click-totals", { schema: Total, key: "user", partitions: 2 })
const Sums = Topic.make("click-sums", { schema: Sum, key: "user", partitions: 2 })

const long = { name: "visits", gapMs: 20_000, maxMs: 7_200_000, latenessMs: 60_000 }
const short = { name: "short visits", gapMs: 15_000, maxMs: 30_000, latenessMs: 40_000 }
const totals = { name: "totals", sizeMs: 300_000, everyMs: 60_000, latenessMs: 45_000 }
/** Of so many panes that they are merged as the windows slide. */
const sums = { name: "sums", sizeMs: 300_000, everyMs: 15_000, latenessMs: 45_000 }

const Span = Schema.NullOr(Schema.Struct({ from: Schema.Finite, to: Schema.Finite }))
type Span = typeof Span.Type

const spanOf = (left: Span, right: Span): Span => {
  if (left === null || right === null) return left ?? right
  return { from: Math.min(left.from, right.from), to: Math.max(left.to, right.to) }
}

const clicks = Flow.from(Clicks).pipe(Flow.keyBy("user"))

const visits = ({ gapMs, latenessMs, maxMs, name }: typeof long, kept: Kept) =>
  clicks.pipe(
    Flow.window(
      Window.session(`${gapMs}ms`, { allowedLateness: `${latenessMs}ms`, max: `${maxMs}ms` }),
      {
        clicks: count(),
        opened: first("page"),
        left: last("page"),
        pages: collect("page", { valuesMax: 3, distinct: true }),
        lasted: aggregate({
          name: "span",
          schema: Span,
          initial: () => null,
          add: (span, { at }: typeof Click.Type) => spanOf(span, { from: at, to: at }),
          merge: spanOf,
          result: (span) => (span === null ? 0 : span.to - span.from)
        })
      },
      { name, ...kept }
    )
  )

const makeJob = (kept: Kept) =>
  Job.make("windows", [
    visits(long, kept).pipe(Flow.to(Visits)),
    visits(short, kept).pipe(Flow.to(ShortVisits)),
    clicks.pipe(
      Flow.window(
        Window.rolling("5 minutes", { every: "1 minute", allowedLateness: "45 seconds", early: "20 seconds" }),
        {
          clicks: count(),
          cents: sum("cents"),
          newest: last("page"),
          pages: countDistinct("page", { valuesMax: 2, beyond: "estimate" })
        },
        { name: totals.name, ...kept }
      ),
      Flow.to(Totals)
    ),
    clicks.pipe(
      Flow.window(
        Window.rolling("5 minutes", { every: "15 seconds", allowedLateness: "45 seconds" }),
        { clicks: count(), cents: sum("cents") },
        { name: sums.name, ...kept }
      ),
      Flow.to(Sums)
    )
  ])

const landings = [
  Landing.make(Visits, { table: "clicks.visits", partition: [days("window_start")] }),
  Landing.make(Totals, { table: "clicks.totals" }),
  Landing.make(Ledger, { table: "system.ledger" }),
  Landing.make(DeadLetters, { table: "system.dead_letter", partition: [days("failed_at")] })
]

const startMs = Date.UTC(2026, 0, 14, 23, 50)
/** About the gaps; a pause now and then. All of it stays within the hour that a record may lead. */
const stepsMs = [0, 500, 2_000, 5_000, 9_000]
const pausesMs = [18_000, 30_000, 95_000]
/** Within the lateness, about its end, and beyond it. */
const latesMs = [3_000, 12_000, 30_000, 44_000, 50_000, 66_000, 120_000, 400_000]

/** Clicks of a few users, some of whom share a partition; some late, some broken. */
const click = (random: Random): (() => string) => {
  let atMs = startMs
  const pick = (values: ReadonlyArray<number>): number => values[random.below(values.length)]!
  return () => {
    atMs += random.below(12) === 0 ? pick(pausesMs) : pick(stepsMs)
    const late = random.below(5) === 0 ? pick(latesMs) : 0
    const at = new Date(atMs - late).toISOString()
    const text = JSON.stringify({
      user: `U${Math.min(random.below(5), random.below(5))}`,
      page: `p${random.below(6)}`,
      cents: random.below(99),
      at
    })
    return random.below(20) === 0 ? text.slice(0, -5) : text
  }
}

const recordsMin = 40
const recordsSpread = 100

const lines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, click(random))

const decoder = new TextDecoder()

/** Of a topic whose records were checked when they were written. */
const recordsOf = <A>(topics: KeptTopics, name: string): ReadonlyArray<A> =>
  topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))

/** Broken lines are none. */
const understood = (topics: KeptTopics): ReadonlyArray<OracleClick> =>
  topics(Clicks.name).flatMap((records, partition) =>
    records.flatMap(({ value }, offset) => {
      try {
        const line = JSON.parse(decoder.decode(value)) as Record<"user" | "page" | "at", string> & { cents: number }
        return [{ ...line, partition, offset, at: Date.parse(line.at) }]
      } catch {
        return []
      }
    })
  )

interface Result {
  readonly user: string
  readonly window_start?: string
  readonly window_end: string
  readonly revision: number
  readonly early?: boolean
  readonly retracted?: boolean
  readonly [field: string]: unknown
}

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly partition: number
  readonly offset_from: number
}

const millis = (text: unknown): number => Date.parse(String(text))

const textOfSession = (each: Result): string =>
  JSON.stringify([
    each.user,
    millis(each.window_start),
    millis(each.window_end),
    each["clicks"],
    each["opened"],
    each["left"],
    each["pages"],
    each["pages_capped"],
    each["lasted"]
  ])

const textOfTotal = (each: Result): string =>
  JSON.stringify([each.user, millis(each.window_end), each["clicks"], each["cents"], each["newest"]])

/** The same of what has no newest page. */
const withoutNewest = (text: string): string => JSON.stringify((JSON.parse(text) as Array<unknown>).slice(0, -1)) // made above

/** The last result of each window, and what is wrong with their revisions. */
const lastResults = (results: ReadonlyArray<Result>) => {
  const last = new Map<string, Result>()
  const wrong: Array<string> = []
  for (const each of results) {
    const name = `${each.user} ${each.window_start ?? each.window_end}`
    const expected = (last.get(name)?.revision ?? -1) + 1
    if (each.revision !== expected) wrong.push(`revision ${each.revision} of ${name} instead of ${expected}`)
    last.set(name, each)
  }
  return { last: [...last.values()], wrong }
}

const check = (topics: KeptTopics): ReadonlyArray<string> => {
  const all = understood(topics)
  const expected = [
    expectSessions(all, long),
    expectSessions(all, short),
    expectTotals(all, totals),
    expectTotals(all, sums)
  ]
  const found = [Visits, ShortVisits, Totals, Sums].map(({ name }) => lastResults(recordsOf<Result>(topics, name)))
  const standing = found.map(({ last: results }) => results.filter(({ retracted }) => retracted !== true))
  const entries = recordsOf<Entry>(topics, Ledger.name).map(
    ({ offset_from, operator, partition, reason }) => `${operator} ${reason} ${partition}/${offset_from}`
  )
  return [
    ...found.flatMap(({ wrong }) => wrong),
    ...(standing[2]!.some(({ early }) => early === true) ? ["the last result of a window is an early one"] : []),
    ...compare("visits", standing[0]!.map(textOfSession), expected[0]!.results),
    ...compare("short visits", standing[1]!.map(textOfSession), expected[1]!.results),
    ...compare("totals", standing[2]!.map(textOfTotal), expected[2]!.results),
    ...compare("sums", standing[3]!.map(textOfTotal).map(withoutNewest), expected[3]!.results.map(withoutNewest)),
    ...compare(
      "ledger",
      entries,
      expected.flatMap((each) => each.entries)
    )
  ]
}

const inMemory = makeJob({})
const onDisk = makeJob({ store: { disk: { cacheBytesMax: 2_000 } } })

type Options = Omit<SimOptions, "input" | "landings">

export const clickWindows = (options: Options): SimReport =>
  run(inMemory, { ...options, input: [input(Clicks, lines)], landings, check })

export const windowsOnDisk = (options: Options): SimReport =>
  runOnDisk(options.seed, (services) => run(onDisk, { ...options, input: [input(Clicks, lines)], services, check }))
