// The sessions of the tests: a job over trades, and the same answers recomputed slowly from all records after each of them,
// by loops that share no code with the engine.
import { Field, Topic } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { aggregate, collect, count, first, Flow, Job, last, sum, Window } from "../../src/index.ts"
import { readAll } from "./Harness.ts"
import { type TradeLine, Trades } from "./Trades.ts"

class Visit extends Schema.Opaque<Visit>()(
  Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    retracted: Field.boolean,
    count: Field.int(),
    total: Field.decimal(38, 2),
    opened: Field.text(),
    newest: Field.text(),
    tips: Field.json(Schema.Array(Schema.Finite)),
    tips_capped: Field.boolean,
    shops: Field.json(Schema.Array(Schema.String)),
    shops_capped: Field.boolean,
    lasted: Field.int()
  })
) {}
export const Visits = Topic.make("visits", { schema: Visit, key: "account", partitions: 2 })

export interface VisitTiming {
  readonly gapMs: number
  readonly maxMs: number
  readonly latenessMs: number
  readonly outOfOrdernessMs: number
  readonly openPerKeyMax?: number
  readonly idleAfterMs?: number
}

const listMax = 3
const dayMs = 86_400_000
const hourMs = 3_600_000

const Span = Schema.NullOr(Schema.Struct({ from: Schema.Finite, to: Schema.Finite }))
type Span = typeof Span.Type

const spanOf = (left: Span, right: Span): Span => {
  if (left === null || right === null) return left ?? right
  return { from: Math.min(left.from, right.from), to: Math.max(left.to, right.to) }
}

export const visitTimings: ReadonlyArray<VisitTiming> = [
  { gapMs: 6000, maxMs: hourMs, latenessMs: 0, outOfOrdernessMs: 4000 },
  { gapMs: 4000, maxMs: hourMs, latenessMs: 20_000, outOfOrdernessMs: 2000 },
  // pauses of exactly the gap are frequent
  { gapMs: 3000, maxMs: hourMs, latenessMs: 15_000, outOfOrdernessMs: 0 },
  // sessions that are cut: by what came first
  { gapMs: 6000, maxMs: 14_000, latenessMs: 15_000, outOfOrdernessMs: 3000 },
  { gapMs: 5000, maxMs: 5000, latenessMs: 0, outOfOrdernessMs: 1000 }
]

export const visitsJob = (
  { gapMs, idleAfterMs = 60_000, latenessMs, maxMs, openPerKeyMax, outOfOrdernessMs }: VisitTiming,
  topic = Trades,
  store: Flow.StateStore = "memory"
) =>
  Job.make("visits", [
    Flow.from(topic).pipe(
      Flow.eventTime("at", { outOfOrderness: `${outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` }),
      Flow.keyBy("account"),
      Flow.window(
        Window.session(`${gapMs}ms`, {
          max: `${maxMs}ms`,
          allowedLateness: `${latenessMs}ms`,
          ...(openPerKeyMax === undefined ? {} : { windowsOpenPerKeyMax: openPerKeyMax })
        }),
        {
          count: count(),
          total: sum("amount"),
          opened: first("shop"),
          newest: last("shop"),
          tips: collect("tip", { valuesMax: listMax }),
          shops: collect("shop", { valuesMax: listMax, distinct: true }),
          lasted: aggregate({
            name: "span",
            schema: Span,
            initial: () => null,
            add: (span, { at }: Flow.RecordOf<typeof trades>) => spanOf(span, { from: at % dayMs, to: at % dayMs }),
            merge: spanOf,
            result: (span) => (span === null ? 0 : (span.to - span.from + dayMs) % dayMs)
          })
        },
        { name: "visits", store }
      ),
      Flow.to(Visits)
    )
  ])
const trades = Flow.from(Trades)

/** A trade and its place in its partition. */
interface Placed extends TradeLine {
  readonly offset: number
}

const inTime = (left: Placed, right: Placed) => left.at - right.at || left.offset - right.offset
const byFirst = (left: ReadonlyArray<Placed>, right: ReadonlyArray<Placed>) => left[0]!.at - right[0]!.at

const spanMs = (trades: ReadonlyArray<Placed>) => trades.at(-1)!.at - trades[0]!.at

/** A key's trades cut at their pauses. Only where no session would be too long. */
const cutAtPauses = (trades: ReadonlyArray<Placed>, gapMs: number): ReadonlyArray<ReadonlyArray<Placed>> => {
  const cut: Array<Array<Placed>> = []
  for (const trade of trades.toSorted(inTime)) {
    const current = cut.at(-1)
    if (current === undefined || trade.at - current.at(-1)!.at > gapMs) cut.push([trade])
    else current.push(trade)
  }
  return cut
}

/** The same with one trade more, by what the sessions were: a session that would be too long leaves the trade to the next. */
const withTrade = (
  sessions: ReadonlyArray<ReadonlyArray<Placed>>,
  trade: Placed,
  { gapMs, maxMs }: VisitTiming
): ReadonlyArray<ReadonlyArray<Placed>> => {
  const near = sessions.filter((each) => each[0]!.at - gapMs <= trade.at && trade.at <= each.at(-1)!.at + gapMs)
  const around = near.find((each) => each[0]!.at <= trade.at && trade.at <= each.at(-1)!.at)
  if (around !== undefined) return sessions.map((each) => (each === around ? [...each, trade].sort(inTime) : each))
  let joined: ReadonlyArray<Placed> = [trade]
  const gone = new Set<ReadonlyArray<Placed>>()
  for (const each of near.toSorted(byFirst)) {
    const both = [...each, ...joined].sort(inTime)
    if (spanMs(both) > maxMs) continue
    // one that lies apart from what the trade is part of by now
    if (gone.size > 0 && each[0]!.at > trade.at + gapMs) continue
    joined = both
    gone.add(each)
  }
  return [...sessions.filter((each) => !gone.has(each)), joined].sort(byFirst)
}

const text = (cents: bigint) => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, "0")
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const timeText = (at: number) => new Date(at).toISOString()

const valuesOf = (trades: ReadonlyArray<Placed>, gapMs: number) => {
  const tips = trades.flatMap(({ tip }) => tip ?? [])
  const shops = [...new Set(trades.map(({ shop }) => shop))]
  return {
    account: trades[0]!.account,
    window_start: timeText(trades[0]!.at),
    window_end: timeText(trades.at(-1)!.at + gapMs),
    count: trades.length,
    total: text(trades.reduce((sum, { cents }) => sum + cents, 0n)),
    opened: trades[0]!.shop,
    newest: trades.at(-1)!.shop,
    tips: tips.slice(0, listMax),
    tips_capped: tips.length > listMax,
    shops: shops.slice(0, listMax),
    shops_capped: shops.length > listMax,
    lasted: spanMs(trades)
  }
}

type Values = ReturnType<typeof valuesOf>

export interface ExpectedVisits {
  /** Results that stand in the end, without their revisions. */
  readonly standing: ReadonlyArray<string>
  /** Every result, with its revision. */
  readonly results: ReadonlyArray<string>
  readonly retracted: number
  /** Trades that came too late. */
  readonly late: ReadonlyArray<string>
}

const resultText = (values: Values, revision: number, retracted: boolean) =>
  JSON.stringify({ ...values, revision, retracted })

/** What is told of the sessions of one partition. */
class Teller {
  readonly results: Array<string> = []
  readonly told = new Map<string, { values: Values; revision: number; stands: boolean }>()
  retracted = 0

  private tell(name: string, values: Values, retracted: boolean) {
    const revision = (this.told.get(name)?.revision ?? -1) + 1
    this.told.set(name, { values, revision, stands: !retracted })
    this.results.push(resultText(values, revision, retracted))
    if (retracted) this.retracted++
  }

  /** The sessions of a key are these now. */
  see(account: string, complete: ReadonlyArray<Values>) {
    const now = new Map(complete.map((values) => [`${account} ${values.window_start}`, values]))
    for (const [name, { stands, values }] of this.told) {
      if (stands && values.account === account && !now.has(name)) this.tell(name, values, true)
    }
    for (const [name, values] of now) {
      const before = this.told.get(name)
      if (before?.stands === true && JSON.stringify(before.values) === JSON.stringify(values)) continue
      this.tell(name, values, false)
    }
  }
}

const visitsOf = (lines: ReadonlyArray<TradeLine>, timing: VisitTiming) => {
  const { gapMs, latenessMs, outOfOrdernessMs } = timing
  const kept = new Map<string, ReadonlyArray<ReadonlyArray<Placed>>>()
  const teller = new Teller()
  const late: Array<string> = []
  let watermark = Number.NEGATIVE_INFINITY
  const look = (account: string, time: number) => {
    const complete = (kept.get(account) ?? []).filter((trades) => trades.at(-1)!.at + gapMs < time)
    teller.see(
      account,
      complete.map((trades) => valuesOf(trades, gapMs))
    )
  }
  for (const [offset, line] of lines.entries()) {
    if (line.at < watermark - latenessMs) late.push(line.value)
    else {
      const before = kept.get(line.account) ?? []
      const trade = { ...line, offset }
      const cut = before.flat().concat(trade)
      const after = timing.maxMs >= 3_600_000 ? cutAtPauses(cut, gapMs) : withTrade(before, trade, timing)
      kept.set(line.account, after)
      look(line.account, watermark)
    }
    watermark = Math.max(watermark, line.at - outOfOrdernessMs)
    for (const account of kept.keys()) look(account, watermark)
  }
  // the end of input is the end of time
  for (const account of kept.keys()) look(account, Number.POSITIVE_INFINITY)
  const standing = [...teller.told.values()].filter(({ stands }) => stands)
  return {
    late,
    results: teller.results,
    retracted: teller.retracted,
    standing: standing.map(({ values }) => JSON.stringify(values))
  }
}

export const expectedVisits = (
  lines: ReadonlyArray<TradeLine>,
  timing: VisitTiming,
  partitionOf: (line: TradeLine) => number
): ExpectedVisits => {
  const parts = new Map<number, Array<TradeLine>>()
  for (const line of lines) parts.set(partitionOf(line), [...(parts.get(partitionOf(line)) ?? []), line])
  const found = [...parts.values()].map((part) => visitsOf(part, timing))
  return {
    standing: found.flatMap((part) => part.standing).sort(),
    results: found.flatMap((part) => part.results).sort(),
    retracted: found.reduce((sum, part) => sum + part.retracted, 0),
    late: found.flatMap((part) => part.late).sort()
  }
}

interface FoundVisit extends Values {
  readonly revision: number
  readonly retracted: boolean
}

/** What the topics hold, as `ExpectedVisits` has it. Fails the test when revisions of a session are not 0, 1, 2 … in order. */
export const foundVisits = Effect.gen(function* () {
  const last = new Map<string, FoundVisit>()
  const results: Array<string> = []
  for (const { value } of yield* readAll("visits")) {
    // decimals as text, whatever their length
    const visit = JSON.parse(value.replace(/"total":(-?[0-9.]+)/g, '"total":"$1"')) as FoundVisit
    const { retracted, revision, ...values } = visit
    const name = `${visit.account} ${visit.window_start}`
    assert.strictEqual(revision, (last.get(name)?.revision ?? -1) + 1, `revision of ${name}`)
    assert.strictEqual(values.window_end > values.window_start, true)
    last.set(name, visit)
    results.push(resultText(inOrder(values), revision, retracted))
  }
  const standing = [...last.values()].filter(({ retracted }) => !retracted)
  const entries = (yield* readAll("ledger")).map(({ value }) => JSON.parse(value) as { reason: string; record: string })
  return {
    standing: standing.map(({ retracted: _, revision: __, ...values }) => JSON.stringify(inOrder(values))).sort(),
    results: results.sort(),
    retracted: results.filter((result) => result.includes('"retracted":true')).length,
    late: entries
      .filter(({ reason }) => reason === "late")
      .map(({ record }) => record)
      .sort()
  } satisfies ExpectedVisits
})

/** The fields in the order of `valuesOf`. */
const inOrder = (values: Values): Values => ({
  account: values.account,
  window_start: values.window_start,
  window_end: values.window_end,
  count: values.count,
  total: values.total,
  opened: values.opened,
  newest: values.newest,
  tips: values.tips,
  tips_capped: values.tips_capped,
  shops: values.shops,
  shops_capped: values.shops_capped,
  lasted: values.lasted
})
