// The joins of the tests over two topics of other records: bids and asks, each partitioned in its own way, and the same answers
// recomputed slowly. What the engine merges while it reads, this sorts once: by the watermark that each record met in its own
// partition.
import { expr, Field, partitionOf, Topic } from "@frazil/core"
import { Effect, Layer, Schema } from "effect"
import { Flow, Job, Ledger } from "../../src/index.ts"
import type { Chance } from "./Chance.ts"
import { append, type Line, makeTestLedgerEntry, readAll, worldWithoutLedger } from "./Harness.ts"
import { type Expected, expectedOfMet, type JoinCase, type Met, type Pair, Pairs } from "./Joins.ts"
import type { SignalLine } from "./Sequences.ts"

class Bid extends Schema.Opaque<Bid>()(
  Schema.Struct({
    id: Field.int(),
    account: Field.text(),
    kind: Field.text(),
    n: Field.int(),
    amount: Field.decimal(38, 2),
    at: Field.timestamp
  })
) {}
/** No field but the key is where it is in a bid, and none has its type. */
class Ask extends Schema.Opaque<Ask>()(
  Schema.Struct({
    since: Field.timestamp,
    price: Field.decimal(30, 3),
    deleted: Field.optional(Field.boolean),
    account: Field.text(),
    ref: Field.text(),
    of: Field.text()
  })
) {}

export const Bids = Topic.make("bids", { schema: Bid, key: "account", eventTime: "at", partitions: 3 })
export const Asks = Topic.make("asks", { schema: Ask, key: "ref", eventTime: "since", partitions: 2 })

/** How the two topics and the one between are laid out. */
export interface Layout {
  /** Partitions of bids, of asks, and of the topic between. */
  readonly bids: number
  readonly asks: number
  readonly between: number
}

export const randomLayout = (chance: Chance): Layout => ({
  bids: 1 + chance.below(3),
  asks: 1 + chance.below(3),
  between: 1 + chance.below(3)
})

export const topicsOf = ({ asks, bids }: Layout) => ({
  bids: { ...Bids, partitions: bids },
  asks: { ...Asks, partitions: asks }
})

export interface SplitRun {
  readonly layout: Layout
  readonly outOfOrdernessMs: number
  readonly idleAfterMs?: number
  readonly bounds?: { readonly recordsPerKeyMax?: number; readonly recordsHeldMax?: number }
}

const offset = (ms: number) => (ms < 0 ? (`-${-ms}ms` as const) : (`${ms}ms` as const))

const pairOf = (one: Bid | undefined, other: Ask | undefined): Omit<Pair, "retracted"> => ({
  account: (one ?? other)!.account,
  left: one?.id ?? null,
  right: other === undefined ? null : Number(other.ref.slice(3))
})

const deletedBid = expr<Bid>("n == 0")
const deletedAsk = expr<Ask>("deleted")

/** `turned`: the same topic between is declared for its sides the other way round. */
export const splitJob = (
  of: JoinCase,
  { bounds, idleAfterMs = 60_000, layout, outOfOrdernessMs }: SplitRun,
  turned = false
) => {
  const topics = topicsOf(layout)
  const time = { outOfOrderness: `${outOfOrdernessMs}ms`, idleAfter: `${idleAfterMs}ms` } as const
  const { between: partitions } = layout
  const bids = Flow.from(topics.bids).pipe(
    Flow.eventTime("at", time),
    Flow.filter(expr("kind == 'a'")),
    Flow.keyBy("account", { name: turned ? "bids-between" : "between", partitions })
  )
  const asks = Flow.from(topics.asks).pipe(
    Flow.eventTime("since", time),
    Flow.filter(expr("of == 'b'")),
    Flow.keyBy("account")
  )
  const changed = asks.pipe(
    Flow.map((ask) => ({ ...ask, ref: `${ask.ref}!` })),
    Flow.map((ask): Ask => ({ ...ask, ref: ask.ref.slice(0, -1) }))
  )
  // code loses the key's type, not the key
  const rights = of.coded ? (changed as unknown as typeof asks) : asks
  const options = { allowedLateness: `${of.latenessMs}ms`, name: "meeting", ...bounds } as const
  const joined = () => {
    if (of.join === "interval") {
      const interval = { ...options, kind: of.kind, lower: offset(of.lowerMs), upper: offset(of.upperMs) }
      if (turned)
        return asks.pipe(
          Flow.keyBy("account", { name: "between", partitions }),
          Flow.joinInterval(bids, { ...interval, kind: "inner" }, (ask, bid) => pairOf(bid, ask))
        )
      return bids.pipe(Flow.joinInterval(rights, interval, pairOf))
    }
    const deleted = of.coded ? ({ deleted: it }: Ask) => it === true : deletedAsk
    if (of.join === "asOf") {
      const asOf = { ...options, kind: of.kind, ttl: `${of.ttlMs}ms`, deleted } as const
      return bids.pipe(Flow.joinAsOf(rights, asOf, pairOf))
    }
    const latest = { ...options, kind: of.kind, ttl: `${of.ttlMs}ms` } as const
    return bids.pipe(Flow.joinLatest(rights, { ...latest, leftDeleted: deletedBid, rightDeleted: deleted }, pairOf))
  }
  return Job.make("meetings", [joined().pipe(Flow.to(Pairs))])
}

/** A signal of kind `a` is a bid, of kind `b` an ask; others are one of both that the join does not take. */
export interface SplitLine {
  readonly signal: SignalLine
  readonly topic: "bids" | "asks"
  readonly line: Line
}

const askOf = ({ account, at, id, kind, n }: SignalLine): Line => {
  // now and then a decimal that no double holds
  const price = id % 13 === 6 ? '"9007199254740993.125"' : "0.25"
  const deleted = n === 0 ? '"deleted":true,' : n === 1 ? '"deleted":null,' : ""
  const since = new Date(at).toISOString()
  const value = `{${deleted}"of":"${kind}","ref":"ref${id}","account":"${account}","price":${price},"since":"${since}"}`
  return { key: `ref${id}`, value }
}

export const split = (lines: ReadonlyArray<SignalLine>): ReadonlyArray<SplitLine> =>
  lines.map((signal): SplitLine => {
    const topic = signal.kind === "a" || (signal.kind !== "b" && signal.id % 2 === 0) ? "bids" : "asks"
    return { signal, topic, line: topic === "bids" ? signal : askOf(signal) }
  })

export const appendSplit = (lines: ReadonlyArray<SplitLine>, layout: Layout) =>
  Effect.gen(function* () {
    const topics = topicsOf(layout)
    for (const name of ["bids", "asks"] as const) {
      const own = lines.filter(({ topic }) => topic === name).map(({ line }) => line)
      yield* append(topics[name], own)
    }
  })

interface SplitMet extends Met {
  readonly input: number
  readonly partition: number
  readonly offset: number
  readonly split: SplitLine
}

/** Each record with the watermark that it met in its partition, in the order that the guarantee names. */
export const inMergedOrder = (lines: ReadonlyArray<SplitLine>, layout: Layout, outOfOrdernessMs: number) => {
  const highest = new Map<string, number>()
  const offsets = new Map<string, number>()
  const met = lines.map((line): SplitMet => {
    const partition = partitionOf(line.line.key!, layout[line.topic])
    const name = `${line.topic}/${partition}`
    const max = highest.get(name) ?? Number.NEGATIVE_INFINITY
    const at = offsets.get(name) ?? 0
    highest.set(name, Math.max(max, line.signal.at))
    offsets.set(name, at + 1)
    const place = partitionOf(line.signal.account, layout.between)
    const input = line.topic === "bids" ? 0 : 1
    return { split: line, line: line.signal, place, partition, offset: at, input, watermark: max - outOfOrdernessMs }
  })
  const byWatermark = (one: number, other: number) => (one === other ? 0 : one < other ? -1 : 1)
  const order = met.toSorted(
    (one, other) =>
      byWatermark(one.watermark, other.watermark) ||
      one.input - other.input ||
      one.partition - other.partition ||
      one.offset - other.offset
  )
  return { order, end: Math.max(...highest.values()) - outOfOrdernessMs }
}

/** What a run over these records must come to; the ledger says where they came from. */
export const expectedOfSplit = (
  lines: ReadonlyArray<SplitLine>,
  of: JoinCase,
  { layout, outOfOrdernessMs }: SplitRun,
  recordsPerKeyMax?: number
): Expected => {
  const { end, order } = inMergedOrder(lines, layout, outOfOrdernessMs)
  const { ledger, results } = expectedOfMet(order, of, () => end, recordsPerKeyMax)
  const placed = new Map(
    order.map(({ offset: at, partition, split: { line, signal, topic } }) => [
      signal.value,
      `${topic}/${partition}/${at} ${line.value}`
    ])
  )
  const entries = ledger.map((entry) => {
    const [reason] = entry.split(" ", 1)
    return `${reason} ${placed.get(entry.slice(reason!.length + 1))}`
  })
  return { results, ledger: entries.sort() }
}

/** The ledger of these tests tells the topic of a record too. */
class PlacedEntry extends Schema.Opaque<PlacedEntry>()(
  Schema.Struct({
    reason: Field.text(),
    topic: Field.text(),
    partition: Field.int(),
    offset: Field.int(),
    record: Field.text()
  })
) {}
const PlacedLedger = Topic.make("ledger", { schema: PlacedEntry, key: undefined, partitions: 1 })

export const placedWorld = Layer.mergeAll(
  worldWithoutLedger,
  Layer.succeed(Ledger, {
    topic: PlacedLedger,
    make: (input) => {
      const { offset: at, partition, reason, record } = makeTestLedgerEntry(input)
      return { reason, topic: input.topic, partition, offset: at, record }
    }
  })
)

interface Entry {
  readonly reason: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly record: string
}

/** Entries of the ledger, with where they came from. */
export const placedLedger = Effect.map(readAll("ledger"), (entries) =>
  entries
    .map(({ value }) => JSON.parse(value) as Entry)
    .map(({ offset: at, partition, reason, record, topic }) => `${reason} ${topic}/${partition}/${at} ${record}`)
    .sort()
)
