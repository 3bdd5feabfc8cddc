// The windows of the tests: trades in any order, a job over them, and the same answers recomputed slowly from all records,
// by a loop that shares no code with the engine.
import { Field, Topic } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { avg, count, countDistinct, Flow, Job, max, min, sum, Window } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { type Line, readAll } from "./Harness.ts"

class Trade extends Schema.Opaque<Trade>()(
  Schema.Struct({
    account: Field.text(),
    amount: Field.decimal(38, 2),
    tip: Field.optional(Field.int()),
    shop: Field.text(),
    at: Field.timestamp
  })
) {}
class Total extends Schema.Opaque<Total>()(
  Schema.Struct({
    account: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int(),
    total: Field.decimal(38, 2),
    mean: Field.decimal(38, 2),
    least: Field.decimal(38, 2),
    most: Field.decimal(38, 2),
    tips: Field.optional(Field.int()),
    shops: Field.int(),
    shops_capped: Field.boolean,
    early: Field.optional(Field.boolean)
  })
) {}

export const Trades = Topic.make("trades", { schema: Trade, key: "account", eventTime: "at", partitions: 3 })
export const Totals = Topic.make("totals", { schema: Total, key: "account", partitions: 2 })

export const shopsMax = 3

export interface Timing {
  readonly sizeMs: number
  readonly everyMs: number
  readonly latenessMs: number
  readonly outOfOrdernessMs: number
  readonly idleAfterMs?: number
  /** A result only when records came for the last `everyMs`. */
  readonly rolling?: true
  readonly earlyMs?: number
}

const windowOf = ({ earlyMs, everyMs, latenessMs, rolling, sizeMs }: Timing) => {
  const options = {
    every: `${everyMs}ms`,
    allowedLateness: `${latenessMs}ms`,
    ...(earlyMs === undefined ? {} : { early: `${earlyMs}ms` as const })
  } as const
  return rolling === true ? Window.rolling(`${sizeMs}ms`, options) : Window.hopping(`${sizeMs}ms`, options)
}

/** Of each kind of window. */
export const timings: ReadonlyArray<Timing> = [
  { sizeMs: 10_000, everyMs: 10_000, latenessMs: 0, outOfOrdernessMs: 5000 },
  { sizeMs: 10_000, everyMs: 10_000, latenessMs: 15_000, outOfOrdernessMs: 2000 },
  { sizeMs: 30_000, everyMs: 5000, latenessMs: 0, outOfOrdernessMs: 5000 },
  { sizeMs: 30_000, everyMs: 10_000, latenessMs: 12_000, outOfOrdernessMs: 0 },
  // panes of five seconds, windows that do not divide
  { sizeMs: 25_000, everyMs: 10_000, latenessMs: 7000, outOfOrdernessMs: 3000 },
  // results of what is new, and before the end
  { sizeMs: 60_000, everyMs: 5000, latenessMs: 12_000, outOfOrdernessMs: 2000, rolling: true },
  { sizeMs: 25_000, everyMs: 10_000, latenessMs: 7000, outOfOrdernessMs: 3000, rolling: true },
  { sizeMs: 30_000, everyMs: 30_000, latenessMs: 9000, outOfOrdernessMs: 2000, earlyMs: 4000 },
  { sizeMs: 25_000, everyMs: 10_000, latenessMs: 12_000, outOfOrdernessMs: 3000, earlyMs: 3000 },
  { sizeMs: 40_000, everyMs: 10_000, latenessMs: 12_000, outOfOrdernessMs: 3000, rolling: true, earlyMs: 3000 }
]

export const tradesJob = (timing: Timing, topic = Trades, store: Flow.StateStore = "memory") =>
  Job.make("trades", [
    Flow.from(topic).pipe(
      Flow.eventTime("at", {
        outOfOrderness: `${timing.outOfOrdernessMs}ms`,
        idleAfter: `${timing.idleAfterMs ?? 60_000}ms`
      }),
      Flow.keyBy("account"),
      Flow.window(
        windowOf(timing),
        {
          count: count(),
          total: sum("amount"),
          mean: avg("amount"),
          least: min("amount"),
          most: max("amount"),
          tips: sum("tip"),
          shops: countDistinct("shop", { valuesMax: shopsMax })
        },
        { name: "totals", store }
      ),
      Flow.to(Totals)
    )
  ])

export interface TradeLine extends Line {
  readonly account: string
  readonly cents: bigint
  readonly tip: number | null
  readonly shop: string
  readonly at: number
}

const text = (cents: bigint) => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, "0")
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

export const trade = (account: string, at: number, cents: bigint, tip: number | null = null, shop = "s"): TradeLine => {
  const value = JSON.stringify({ account, amount: text(cents), tip, shop, at: new Date(at).toISOString() })
  return { key: account, value, account, cents, tip, shop, at }
}

/** Days begin at 00:00Z in here: two minutes before midnight, on a day that is 23 hours long in many places. */
const startMs = Date.UTC(2026, 2, 28, 23, 58)

/** Trades a second apart, each up to `disorderMs` early; some amounts far beyond 2^53 cents. */
export const randomTrades = (chance: Chance, length: number, disorderMs: number): ReadonlyArray<TradeLine> =>
  Array.from({ length }, (_, index) => {
    const cents = chance.once(5)
      ? 9_007_199_254_740_993n * BigInt(chance.below(1000) - 500) + 1n
      : BigInt(chance.below(100_000) - 50_000)
    const tip = chance.once(3) ? null : chance.below(9)
    const at = startMs + index * 1000 - chance.below(disorderMs + 1)
    return trade(`A${chance.below(4)}`, at, cents, tip, `shop${chance.below(6)}`)
  })

interface Answer {
  readonly revisions: number
  readonly text: string
}

export interface Expected {
  /** The last result of each window, sorted, without its revision. */
  readonly windows: ReadonlyArray<string>
  /** Results in all: a first one for each window, one more for each late record that it took. */
  readonly results: number
  /** Trades that no window took, as they came. */
  readonly late: ReadonlyArray<string>
}

const half = (total: bigint, of: bigint): bigint => {
  const floor = (total - (((total % of) + of) % of)) / of
  const twice = (total - floor * of) * 2n
  return twice > of || (twice === of && floor % 2n !== 0n) ? floor + 1n : floor
}

export const answerOf = (end: number, sizeMs: number, trades: ReadonlyArray<TradeLine>, revisions: number): Answer => {
  const cents = trades.map((each) => each.cents)
  const total = cents.reduce((a, b) => a + b, 0n)
  const tips = trades.flatMap(({ tip }) => tip ?? [])
  const shops = new Set(trades.map(({ shop }) => shop)).size
  return {
    revisions,
    text: JSON.stringify({
      account: trades[0]!.account,
      window_start: new Date(end - sizeMs).toISOString(),
      window_end: new Date(end).toISOString(),
      count: trades.length,
      total: text(total),
      mean: text(half(total, BigInt(trades.length))),
      least: text(cents.reduce((a, b) => (b < a ? b : a))),
      most: text(cents.reduce((a, b) => (b > a ? b : a))),
      tips: tips.length === 0 ? null : tips.reduce((a, b) => a + b, 0),
      shops: Math.min(shops, shopsMax),
      shops_capped: shops > shopsMax
    })
  }
}

interface KeptWindow {
  readonly end: number
  readonly trades: Array<TradeLine>
  fired: boolean
  revisions: number
  /** Since the last early results. */
  touched: boolean
}

/** The answers to the trades of one partition, in the order of the log. */
const answersOf = (lines: ReadonlyArray<TradeLine>, timing: Timing) => {
  const { earlyMs, everyMs, latenessMs, outOfOrdernessMs, rolling, sizeMs } = timing
  const windows = new Map<string, KeptWindow>()
  const late: Array<string> = []
  let watermark = Number.NEGATIVE_INFINITY
  const gives = ({ end, trades }: KeptWindow) => rolling !== true || trades.some(({ at }) => at >= end - everyMs)
  const end = (window: KeptWindow) => {
    if (window.fired || !gives(window)) return
    window.fired = true
    window.revisions++
  }
  for (const line of lines) {
    let taken = false
    for (let end = Math.floor(line.at / everyMs) * everyMs + sizeMs; end > line.at; end -= everyMs) {
      if (end + latenessMs <= watermark) continue
      taken = true
      const key = `${line.account} ${end}`
      const window = windows.get(key) ?? { end, trades: [], fired: false, revisions: 0, touched: false }
      windows.set(key, window)
      window.trades.push(line)
      window.touched = true
      // it has ended already: each record gives a result
      if (end <= watermark && gives(window)) {
        window.fired = true
        window.revisions++
      }
    }
    if (!taken) late.push(line.value)
    const before = watermark
    watermark = Math.max(watermark, line.at - outOfOrdernessMs)
    for (const window of windows.values()) if (window.end <= watermark) end(window)
    if (earlyMs === undefined || Math.floor(before / earlyMs) === Math.floor(watermark / earlyMs)) continue
    for (const window of windows.values()) {
      if (window.touched && window.end > watermark && gives(window)) window.revisions++
      window.touched = false
    }
  }
  // the end of input is the end of time
  for (const window of windows.values()) end(window)
  const given = [...windows.values()].filter(({ revisions }) => revisions > 0)
  return { late, answers: given.map((each) => answerOf(each.end, sizeMs, each.trades, each.revisions)) }
}

/** What a run over these trades must come to, by the partition that `partitionOf` says. */
export const expectedOf = (
  lines: ReadonlyArray<TradeLine>,
  timing: Timing,
  partitionOf: (line: TradeLine) => number
): Expected => {
  const parts = new Map<number, Array<TradeLine>>()
  for (const line of lines) parts.set(partitionOf(line), [...(parts.get(partitionOf(line)) ?? []), line])
  const found = [...parts.values()].map((part) => answersOf(part, timing))
  const answers = found.flatMap((part) => part.answers)
  return {
    windows: answers.map((answer) => answer.text).sort(),
    results: answers.reduce((all, { revisions }) => all + revisions, 0),
    late: found.flatMap((part) => part.late).sort()
  }
}

interface Result {
  readonly [field: string]: unknown
  readonly revision: number
}

/** What the topics hold, as `Expected` has it. Fails the test when revisions of a window are not 0, 1, 2 … in order. */
export const foundOf = Effect.gen(function* () {
  const last = new Map<string, Result>()
  const lines = yield* readAll("totals")
  for (const { value } of lines) {
    // decimals as text, whatever their length
    const result = JSON.parse(value.replace(/"(total|mean|least|most)":(-?[0-9.]+)/g, '"$1":"$2"')) as Result
    const window = `${String(result["account"])} ${String(result["window_end"])}`
    assert.strictEqual(result.revision, (last.get(window)?.revision ?? -1) + 1, `revision of ${window}`)
    last.set(window, result)
  }
  const windows = Array.from(last.values(), ({ revision: _, ...result }) => {
    const { early = false, tips = null, shops, shops_capped, ...rest } = result as Record<string, unknown>
    assert.isFalse(early, "the last result is an early one")
    return JSON.stringify({ ...rest, tips, shops, shops_capped })
  })
  const entries = (yield* readAll("ledger")).map(({ value }) => JSON.parse(value) as { reason: string; record: string })
  const late = entries.filter(({ reason }) => reason === "late").map(({ record }) => record)
  return { windows: windows.sort(), results: lines.length, late: late.sort() } satisfies Expected
})
