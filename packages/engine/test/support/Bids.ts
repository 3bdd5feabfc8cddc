// The deduplications and rankings of the tests: one job over bids, and the same answers recomputed slowly from all records
// after each of them, by loops that share no code with the engine.
import { Field, Topic } from "@frazil/core"
import { Effect, Schema } from "effect"
import { Flow, Job, Window } from "../../src/index.ts"
import { storeOf } from "./Carts.ts"
import type { Chance } from "./Chance.ts"
import { type Line, readAll } from "./Harness.ts"

class Bid extends Schema.Opaque<Bid>()(
  Schema.Struct({
    id: Field.int(),
    auction: Field.text(),
    bidder: Field.text(),
    price: Field.optional(Field.decimal(38, 2)),
    at: Field.timestamp
  })
) {}
class Told extends Schema.Opaque<Told>()(
  Schema.Struct({ auction: Field.text(), told: Field.text(), key: Field.text(), revision: Field.int() })
) {}

export const Bids = Topic.make("bids", { schema: Bid, key: "auction", eventTime: "at", partitions: 3 })
const tell = (name: string) => Topic.make(name, { schema: Told, key: "auction", partitions: 2 })
export const Firsts = tell("firsts")
export const Lasts = tell("lasts")
export const Tops = tell("tops")
export const WindowTops = tell("window-tops")

export interface BidsCase {
  readonly ttlMs: number
  readonly n: number
  readonly order: "desc" | "asc"
  readonly outOfOrdernessMs: number
  readonly windowMs: number
  readonly keysMax?: number
  readonly recordsHeldMax?: number
  /** Deduplications and the ranking are on disk, with so much of each in memory. */
  readonly cacheBytesMax?: number
}

export const randomBidsCase = (chance: Chance, outOfOrdernessMs: number): BidsCase => ({
  ttlMs: chance.pick([3000, 9000, 60_000]),
  n: 1 + chance.below(4),
  order: chance.pick(["desc", "asc"]),
  outOfOrdernessMs,
  windowMs: chance.pick([4000, 10_000])
})

export const bidsJob = (of: BidsCase, topic = Bids, idleAfterMs = 60_000) => {
  const ttl = `${of.ttlMs}ms` as const
  const kept = of.keysMax === undefined ? storeOf(of) : { keysMax: of.keysMax }
  const held = of.recordsHeldMax === undefined ? {} : { recordsHeldMax: of.recordsHeldMax }
  const bids = Flow.from(topic).pipe(
    Flow.eventTime("at", { outOfOrderness: `${of.outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` }),
    Flow.keyBy("auction")
  )
  const { n, order, windowMs } = of
  return Job.make("bids", [
    bids.pipe(
      Flow.deduplicate({ keep: "first", fields: ["bidder"], ttl, name: "first", ...kept, ...held }),
      Flow.map(({ auction, bidder, id }) => ({ auction, key: bidder, told: `${id}`, revision: 0 })),
      Flow.to(Firsts)
    ),
    bids.pipe(
      Flow.deduplicate({ keep: "last", fields: ["bidder"], ttl, name: "last", ...kept }),
      Flow.map(({ auction, bidder, id, revision }) => ({ auction, key: bidder, told: `${id}`, revision })),
      Flow.to(Lasts)
    ),
    bids.pipe(
      Flow.topN({ n, by: "price", order, ttl, name: "top", ...kept }),
      Flow.map(({ auction, id, rank, revision }) => ({ auction, key: `${rank}`, told: `${id}`, revision })),
      Flow.to(Tops)
    ),
    bids.pipe(
      Flow.topN({ window: Window.tumbling(`${windowMs}ms`, { allowedLateness: "2s" }), n, by: "price", order }),
      Flow.map(({ auction, id, rank, revision, window_end }) => ({
        auction,
        key: `${window_end} ${rank}`,
        told: `${id}`,
        revision
      })),
      Flow.to(WindowTops)
    )
  ])
}

export interface BidLine extends Line {
  readonly id: number
  readonly auction: string
  readonly bidder: string
  /** In cents. */
  readonly price: bigint | null
  readonly at: number
}

export const bid = (id: number, auction: string, bidder: string, price: bigint | null, at: number): BidLine => {
  const digits = price === null ? "null" : `"${price / 100n}.${String(price % 100n).padStart(2, "0")}"`
  const value = `{"id":${id},"auction":"${auction}","bidder":"${bidder}","price":${digits},"at":"${new Date(at).toISOString()}"}`
  return { key: auction, value, id, auction, bidder, price, at }
}

const startMs = Date.UTC(2026, 0, 14)

/** Bids half a second apart, each up to `disorderMs` early, some of one time and one price. */
export const randomBids = (chance: Chance, length: number, disorderMs: number): ReadonlyArray<BidLine> =>
  Array.from({ length }, (_, index) => {
    const at = startMs + Math.floor((index * 500 - chance.below(disorderMs + 1)) / 250) * 250
    // now and then a price that no double holds: compiled code hands such rows to its twin
    const price = chance.once(9) ? 9_007_199_254_740_993_107n : BigInt(chance.below(6) * 100)
    return bid(index, `A${chance.below(4)}`, `B${chance.below(3)}`, chance.once(8) ? null : price, at)
  })

interface Placed {
  readonly line: BidLine
  readonly offset: number
  /** Before it. */
  readonly watermark: number
}

const placed = (
  lines: ReadonlyArray<BidLine>,
  outOfOrdernessMs: number,
  partitionOf: (line: BidLine) => number
): ReadonlyArray<Placed> => {
  const highest = new Map<number, number>()
  const counts = new Map<number, number>()
  return lines.map((line) => {
    const partition = partitionOf(line)
    const before = highest.get(partition) ?? Number.NEGATIVE_INFINITY
    const offset = counts.get(partition) ?? 0
    highest.set(partition, Math.max(before, line.at))
    counts.set(partition, offset + 1)
    return { line, offset, watermark: before - outOfOrdernessMs }
  })
}

const groups = <A>(items: ReadonlyArray<A>, keyOf: (item: A) => string): ReadonlyArray<ReadonlyArray<A>> => {
  const found = new Map<string, Array<A>>()
  for (const item of items) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item])
  return [...found.values()]
}

const inTime = (left: Placed, right: Placed) => left.line.at - right.line.at || left.offset - right.offset

/** Of one bidder's bids in one auction: the ids that are first, and the late ones. */
const firstsOf = (bids: ReadonlyArray<Placed>, ttlMs: number) => {
  const firsts: Array<BidLine> = []
  for (const { line } of bids.filter(({ line: { at }, watermark }) => at >= watermark).toSorted(inTime)) {
    if (!firsts.some(({ at }) => at <= line.at && line.at < at + ttlMs)) firsts.push(line)
  }
  const late = bids.filter(({ line, watermark }) => {
    if (line.at >= watermark) return false
    return !firsts.some(({ at }) => at <= line.at && line.at < at + ttlMs && at + ttlMs > watermark)
  })
  return { firsts, late }
}

/** What is told of a key's bids, one after the other, as `rank id revision`; ranked anew from all of them each time. */
const rankingOf = (
  bids: ReadonlyArray<Placed>,
  { n, ttlMs }: Pick<BidsCase, "n" | "ttlMs">,
  compare: (left: Placed, right: Placed) => number
) => {
  let kept: Array<Placed> = []
  let told = new Map<number, number>()
  let changedAt = Number.NEGATIVE_INFINITY
  const tellings: Array<readonly [rank: number, line: BidLine, revision: number]> = []
  const late: Array<Placed> = []
  for (const each of bids) {
    const { line, watermark } = each
    if (line.at + ttlMs <= watermark) {
      late.push(each)
      continue
    }
    if (Math.max(line.at, watermark) - changedAt >= ttlMs) {
      kept = []
      told = new Map()
      changedAt = Number.NEGATIVE_INFINITY
    }
    kept = [...kept, each]
    const ranking = kept.toSorted(compare).slice(0, n)
    const from = ranking.indexOf(each)
    if (from < 0) continue
    changedAt = Math.max(changedAt, line.at)
    for (const [index, { line: at }] of ranking.entries()) {
      if (index < from) continue
      const revision = told.get(index) ?? 0
      told.set(index, revision + 1)
      tellings.push([index + 1, at, revision])
    }
  }
  return { tellings, late }
}

const byPrice =
  (order: "desc" | "asc") =>
  (left: Placed, right: Placed): number => {
    const [a, b] = [left.line.price!, right.line.price!]
    if (a !== b) return a > b === (order === "desc") ? -1 : 1
    return inTime(left, right)
  }

export interface ExpectedBids {
  readonly firsts: ReadonlyArray<string>
  readonly lasts: ReadonlyArray<string>
  readonly tops: ReadonlyArray<string>
  /** Of the last revision of each window. */
  readonly windowTops: ReadonlyArray<string>
  /** Entries of the ledger of the first three, as `operator id`. */
  readonly late: ReadonlyArray<string>
}

const windowTopsOf = (all: ReadonlyArray<Placed>, { n, order, windowMs }: BidsCase): ReadonlyArray<string> => {
  const endOf = ({ line: { at } }: Placed) => (Math.floor(at / windowMs) + 1) * windowMs
  const taken = all.filter((each) => endOf(each) + 2000 > each.watermark && each.line.price !== null)
  return groups(taken, (each) => `${each.line.auction} ${endOf(each)}`).flatMap((bids) =>
    bids
      .toSorted(byPrice(order))
      .slice(0, n)
      .map(({ line }, index) => `${line.auction} ${endOf(bids[0]!)} ${index + 1} ${line.id}`)
  )
}

/** What a run over these bids must come to, by the partition that `partitionOf` says. */
export const expectedBids = (
  lines: ReadonlyArray<BidLine>,
  of: BidsCase,
  partitionOf: (line: BidLine) => number
): ExpectedBids => {
  const all = placed(lines, of.outOfOrdernessMs, partitionOf)
  const byBidder = groups(all, ({ line }) => `${line.auction} ${line.bidder}`)
  const firsts = byBidder.map((bids) => firstsOf(bids, of.ttlMs))
  const lasts = byBidder.map((bids) =>
    rankingOf(bids, { n: 1, ttlMs: of.ttlMs }, (left, right) => -inTime(left, right))
  )
  const priced = groups(
    all.filter(({ line }) => line.price !== null),
    ({ line }) => line.auction
  )
  const tops = priced.map((bids) => rankingOf(bids, of, byPrice(of.order)))
  const entries = (operator: string, late: ReadonlyArray<Placed>) => late.map(({ line }) => `${operator} ${line.id}`)
  return {
    firsts: firsts
      .flatMap(({ firsts: each }) => each.map((line) => `${line.auction} ${line.bidder} ${line.id} 0`))
      .sort(),
    lasts: lasts
      .flatMap(({ tellings }) =>
        tellings.map(([, line, revision]) => `${line.auction} ${line.bidder} ${line.id} ${revision}`)
      )
      .sort(),
    tops: tops
      .flatMap(({ tellings }) =>
        tellings.map(([rank, line, revision]) => `${line.auction} ${rank} ${line.id} ${revision}`)
      )
      .sort(),
    windowTops: [...windowTopsOf(all, of)].sort(),
    late: [
      ...firsts.flatMap(({ late }) => entries("first", late)),
      ...lasts.flatMap(({ late }) => entries("last", late)),
      ...tops.flatMap(({ late }) => entries("top", late))
    ].sort()
  }
}

const tellingsIn = (topic: string) =>
  Effect.map(
    Effect.orElseSucceed(readAll(topic), () => []),
    (lines) =>
      // written by the job above
      lines.map(({ value }) => JSON.parse(value) as typeof Told.Type)
  )

const textOf = ({ auction, key, revision, told }: typeof Told.Type) => `${auction} ${key} ${told} ${revision}`

/** The last revision of each rank of a window. */
const lastRevisions = (tellings: ReadonlyArray<typeof Told.Type>): ReadonlyArray<string> => {
  const last = new Map<string, typeof Told.Type>()
  for (const each of tellings) {
    const before = last.get(`${each.auction} ${each.key}`)
    if (before === undefined || before.revision < each.revision) last.set(`${each.auction} ${each.key}`, each)
  }
  return [...last.values()].map(({ auction, key, told }) => `${auction} ${key} ${told}`).sort()
}

/** What is in the topics, as `expectedBids` says it. */
export const foundBids = Effect.gen(function* () {
  const sorted = (topic: string) => Effect.map(tellingsIn(topic), (tellings) => tellings.map(textOf).sort())
  const ledger = yield* Effect.orElseSucceed(readAll("ledger"), () => [])
  const late = ledger.flatMap(({ value }) => {
    const { operator, reason, record } = JSON.parse(value) as Record<"operator" | "reason" | "record", string> // of the harness
    if (reason !== "late" || operator.startsWith("window")) return []
    return [`${operator} ${(JSON.parse(record) as { readonly id: number }).id}`]
  })
  return {
    firsts: yield* sorted("firsts"),
    lasts: yield* sorted("lasts"),
    tops: yield* sorted("tops"),
    windowTops: lastRevisions(yield* tellingsIn("window-tops")),
    late: late.sort()
  } satisfies ExpectedBids
})
