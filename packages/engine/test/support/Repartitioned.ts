// Windows behind a repartition: trades in a topic by shop, totals by account, and the same answers recomputed slowly. What
// the engine merges while it reads, this sorts once: by the watermark that each trade met in its own partition.
import { partitionOf, Topic } from "@frazil/core"
import { Effect } from "effect"
import { avg, count, countDistinct, Flow, Job, max, min, sum, Window } from "../../src/index.ts"
import { readAll } from "./Harness.ts"
import { answerOf, type Expected, shopsMax, type Timing, Totals, type TradeLine, Trades } from "./Trades.ts"

export const TradesByShop = Topic.make("trades-by-shop", {
  schema: Trades.schema,
  key: "shop",
  eventTime: "at",
  partitions: 3
})

const aggregates = {
  count: count(),
  total: sum<TradeOf, "amount">("amount"),
  mean: avg<TradeOf, "amount">("amount"),
  least: min<TradeOf, "amount">("amount"),
  most: max<TradeOf, "amount">("amount"),
  tips: sum<TradeOf, "tip">("tip"),
  shops: countDistinct<TradeOf, "shop">("shop", { valuesMax: shopsMax })
}
type TradeOf = (typeof Trades)["schema"]["Type"]

/** The trade as a line of the topic by shop. */
export const byShop = (line: TradeLine): TradeLine => ({ ...line, key: line.shop })

export const repartitionedJob = (timing: Timing, partitions: number, source = TradesByShop) =>
  Job.make("by-account", [
    Flow.from(source).pipe(
      Flow.eventTime("at", {
        outOfOrderness: `${timing.outOfOrdernessMs}ms`,
        idleAfter: `${timing.idleAfterMs ?? 60_000}ms`
      }),
      Flow.keyBy("account", { name: "accounts", partitions }),
      Flow.window(
        Window.hopping(`${timing.sizeMs}ms`, {
          every: `${timing.everyMs}ms`,
          allowedLateness: `${timing.latenessMs}ms`
        }),
        aggregates,
        { name: "totals" }
      ),
      Flow.to(Totals)
    )
  ])

export const internalTopic = "by-account.accounts.repartition"

interface Met {
  readonly line: TradeLine
  readonly partition: number
  readonly offset: number
  readonly watermark: number
}

/** Each trade with the watermark that it met in its partition, in the order that the guarantee names. */
export const inMergedOrder = (
  lines: ReadonlyArray<TradeLine>,
  outOfOrdernessMs: number,
  partitions = TradesByShop.partitions
): ReadonlyArray<Met> => {
  const times = Array.from({ length: partitions }, () => Number.NEGATIVE_INFINITY)
  const offsets = Array.from({ length: partitions }, () => 0)
  const met = lines.map((line): Met => {
    const partition = partitionOf(line.shop, partitions)
    const watermark = times[partition]! - outOfOrdernessMs
    times[partition] = Math.max(times[partition]!, line.at)
    return { line, partition, offset: offsets[partition]!++, watermark }
  })
  const byWatermark = (left: Met, right: Met) =>
    left.watermark === right.watermark ? 0 : left.watermark < right.watermark ? -1 : 1
  return met.toSorted(
    (left, right) => byWatermark(left, right) || left.partition - right.partition || left.offset - right.offset
  )
}

/** What a run over these trades must come to. */
export const expectedByAccount = (lines: ReadonlyArray<TradeLine>, timing: Timing): Expected => {
  const { everyMs, latenessMs, outOfOrdernessMs, sizeMs } = timing
  const windows = new Map<string, { readonly end: number; readonly trades: Array<TradeLine>; revisions: number }>()
  const late: Array<string> = []
  const fired = (watermark: number) => {
    for (const window of windows.values()) if (window.end <= watermark && window.revisions === 0) window.revisions = 1
  }
  for (const { line, watermark } of inMergedOrder(lines, outOfOrdernessMs)) {
    fired(watermark)
    let taken = false
    for (let end = Math.floor(line.at / everyMs) * everyMs + sizeMs; end > line.at; end -= everyMs) {
      if (end + latenessMs <= watermark) continue
      taken = true
      const name = `${line.account} ${end}`
      const window = windows.get(name) ?? { end, trades: [], revisions: 0 }
      windows.set(name, window)
      window.trades.push(line)
      if (end <= watermark) window.revisions++
    }
    if (!taken) late.push(line.value)
  }
  fired(Number.POSITIVE_INFINITY)
  const answers = Array.from(windows.values(), ({ end, revisions, trades }) => answerOf(end, sizeMs, trades, revisions))
  return {
    windows: answers.map(({ text }) => text).sort(),
    results: answers.reduce((all, { revisions }) => all + revisions, 0),
    late: late.sort()
  }
}

/** Where the ledger says that its records came from: topic-less, `partition/offset record`. */
export const ledgerPlaces = Effect.map(readAll("ledger"), (entries) =>
  entries
    .map(({ value }) => JSON.parse(value) as { partition: number; offset: number; record: string; reason: string })
    .filter(({ reason }) => reason === "late")
    .map(({ offset, partition, record }) => `${partition}/${offset} ${record}`)
    .sort()
)
