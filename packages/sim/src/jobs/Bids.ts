/**
 * Deduplications, rankings and a process function to simulate: the first and the last bid of each bidder, the greatest bids of
 * an auction at any time and by windows, and what an auction came to 20 seconds after its first bid; judged by the oracle.
 */
import { Field, Topic } from "@frazil/core"
import { Flow, Job, State, Window } from "@frazil/engine"
import { Landing } from "@frazil/lake"
import { Ledger } from "@frazil/model"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import { expectBids, type OracleBid } from "../oracle/Bids.ts"
import { compare } from "../oracle/Compare.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { type Kept, runOnDisk } from "../world/SimStateFolder.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

const Bid = Schema.Struct({ auction: Field.text(), bidder: Field.text(), cents: Field.int(), at: Field.timestamp })
class Told extends Schema.Opaque<Told>()(
  Schema.Struct({ auction: Field.text(), told: Field.text(), of: Field.text(), revision: Field.int() })
) {}

const Bids = Topic.make("bids", { schema: Bid, key: "auction", eventTime: "at", partitions: 3 })
const tellings = (name: string) => Topic.make(name, { schema: Told, key: "auction", partitions: 2 })
const Firsts = tellings("first-bids")
const Lasts = tellings("last-bids")
const Tops = tellings("top-bids")
const WindowTops = tellings("top-bids-by-window")
const Sold = tellings("sold")

const timing = { firstTtlMs: 30_000, n: 3, windowMs: 20_000, latenessMs: 15_000, openMs: 20_000 }
const ttl = "1 hour"

const bids = Flow.from(Bids).pipe(Flow.keyBy("auction"))
const textOf = ({ at, bidder, cents }: { readonly at: number; readonly bidder: string; readonly cents: number }) =>
  `${bidder} ${cents} ${at}`

const sold = (kept: Kept) =>
  bids.pipe(
    Flow.process(
      {
        name: "sold",
        ...kept,
        states: {
          opened: State.value({ schema: Schema.NullOr(Schema.Finite), initial: () => null, ttl }),
          best: State.map({ schema: Schema.Finite, ttl, entriesMax: 100 }),
          given: State.list({ schema: Schema.Finite, ttl, entriesMax: 1000 }),
          total: State.aggregate({
            schema: Schema.BigInt,
            initial: () => 0n,
            add: (sum, cents: number) => sum + BigInt(cents),
            result: String,
            ttl
          }),
          times: State.value({ schema: Schema.Finite, initial: () => 0, ttl })
        }
      },
      {
        onRecord: ({ bidder, cents }, { eventTime, states: { best, given, opened, total }, timers }) => {
          if (opened.get() === null) {
            opened.set(eventTime)
            timers.event.set(eventTime + timing.openMs)
          }
          best.set(bidder, Math.max(best.get(bidder) ?? 0, cents))
          given.add(cents)
          total.add(cents)
          // what was written before is taken back
          if (cents === 13) throw new RangeError("no luck")
          return []
        },
        onTimer: ({ time }, { key, states: { best, given, opened, times, total } }) => {
          const told = JSON.stringify([best.entries(), given.get(), total.get()])
          const revision = times.get()
          times.set(revision + 1)
          for (const state of [best, given, opened, total]) state.clear()
          return [{ auction: key.auction, told, of: String(time), revision }]
        }
      }
    )
  )

const makeJob = (kept: Kept) =>
  Job.make("bids", [
    bids.pipe(
      Flow.deduplicate({
        keep: "first",
        fields: ["bidder"],
        ttl: `${timing.firstTtlMs}ms`,
        name: "first bids",
        ...kept
      }),
      Flow.map((bid) => ({ auction: bid.auction, told: textOf(bid), of: bid.bidder, revision: 0 })),
      Flow.to(Firsts)
    ),
    bids.pipe(
      Flow.deduplicate({ keep: "last", fields: ["bidder"], ttl, name: "last bids", ...kept }),
      Flow.map((bid) => ({ auction: bid.auction, told: textOf(bid), of: bid.bidder, revision: bid.revision })),
      Flow.to(Lasts)
    ),
    bids.pipe(
      Flow.topN({ n: timing.n, by: "cents", ttl, name: "top bids", ...kept }),
      Flow.map((bid) => ({ auction: bid.auction, told: textOf(bid), of: String(bid.rank), revision: bid.revision })),
      Flow.to(Tops)
    ),
    bids.pipe(
      Flow.topN({
        window: Window.tumbling(`${timing.windowMs}ms`, { allowedLateness: `${timing.latenessMs}ms` }),
        n: timing.n,
        by: "cents",
        order: "asc",
        name: "top bids by window",
        ...kept
      }),
      Flow.map((bid) => {
        const of = `${bid.window_end} ${bid.rank}`
        return { auction: bid.auction, told: textOf(bid), of, revision: bid.revision }
      }),
      Flow.to(WindowTops)
    ),
    sold(kept).pipe(Flow.to(Sold))
  ])

const landings = [Landing.make(Tops, { table: "auctions.top_bids" }), Landing.make(Ledger, { table: "system.ledger" })]

const startMs = Date.UTC(2026, 0, 14, 23, 50)
const stepsMs = [0, 500, 2000, 5000, 9000]
const latesMs = [3000, 6000, 12_000, 30_000, 50_000]

/** Bids of a few bidders in a few auctions; some late, some of one time and price, some broken. */
const bid = (random: Random): (() => string) => {
  let atMs = startMs
  const pick = (values: ReadonlyArray<number>): number => values[random.below(values.length)]!
  return () => {
    atMs += pick(stepsMs)
    const late = random.below(5) === 0 ? pick(latesMs) : 0
    const text = JSON.stringify({
      auction: `A${Math.min(random.below(4), random.below(4))}`,
      bidder: `B${random.below(3)}`,
      cents: random.below(20),
      at: new Date(atMs - late).toISOString()
    })
    return random.below(20) === 0 ? text.slice(0, -5) : text
  }
}

const recordsMin = 40
const recordsSpread = 100

const lines = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, bid(random))

const decoder = new TextDecoder()

/** Of a topic whose records were checked when they were written. */
const recordsOf = <A>(topics: KeptTopics, name: string): ReadonlyArray<A> =>
  topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))

/** Broken lines are none. */
const understood = (topics: KeptTopics): ReadonlyArray<OracleBid> =>
  topics(Bids.name).flatMap((records, partition) =>
    records.flatMap(({ value }, offset) => {
      try {
        const line = JSON.parse(decoder.decode(value)) as Omit<OracleBid, "at"> & { readonly at: string }
        return [{ ...line, partition, offset, at: Date.parse(line.at) }]
      } catch {
        return []
      }
    })
  )

type Telling = typeof Told.Type

/** The last telling of each thing, and what is wrong with their revisions; of windows each rank begins when it is there. */
const standing = (tellings: ReadonlyArray<Telling>, contiguous: boolean) => {
  const last = new Map<string, Telling>()
  const wrong: Array<string> = []
  for (const each of tellings) {
    const name = `${each.auction} ${each.of}`
    const before = last.get(name)?.revision ?? -1
    if (contiguous ? each.revision !== before + 1 : each.revision <= before)
      wrong.push(`revision ${each.revision} of ${name} after ${before}`)
    last.set(name, each)
  }
  return { texts: [...last.values()].map(({ auction, of, told }) => `${auction} ${of}: ${told}`), wrong }
}

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly partition: number
  readonly offset_from: number
}

const check = (topics: KeptTopics): ReadonlyArray<string> => {
  const expected = expectBids(understood(topics), timing)
  const [lasts, tops, windowTops] = [Lasts, Tops, WindowTops].map(({ name }) =>
    standing(recordsOf<Telling>(topics, name), name !== WindowTops.name)
  )
  const all = (name: string) =>
    recordsOf<Telling>(topics, name).map(({ auction, of, told }) => `${auction} ${of}: ${told}`)
  const entries = recordsOf<Entry>(topics, Ledger.name).map(
    ({ offset_from, operator, partition, reason }) => `${operator} ${reason} ${partition}/${offset_from}`
  )
  return [
    ...lasts!.wrong,
    ...tops!.wrong,
    ...windowTops!.wrong,
    ...compare("first bids", all(Firsts.name), expected.firsts),
    ...compare("last bids", lasts!.texts, expected.lasts),
    ...compare("top bids", tops!.texts, expected.tops),
    ...compare("top bids by window", windowTops!.texts, expected.windowTops),
    ...compare("sold", all(Sold.name), expected.sold),
    ...compare("ledger", entries, expected.entries)
  ]
}

const inMemory = makeJob({})
const onDisk = makeJob({ store: { disk: { cacheBytesMax: 1_000 } } })

type Options = Omit<SimOptions, "input" | "landings">

export const bidsOfAuctions = (options: Options): SimReport =>
  run(inMemory, { ...options, input: [input(Bids, lines)], landings, check })

export const bidsOnDisk = (options: Options): SimReport =>
  runOnDisk(options.seed, (services) => run(onDisk, { ...options, input: [input(Bids, lines)], services, check }))
