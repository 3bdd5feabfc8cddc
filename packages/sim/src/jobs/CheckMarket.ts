/**
 * What the job `market` must have found in the offers as they lie in the log: recomputed by the oracle of joins, the
 * watermark and the bound included.
 */
import { arrivals, type Placed } from "../oracle/InTime.ts"
import { asOfJoin, cappedJoin, type Come, intervalJoin, latestJoin, type Recomputed } from "../oracle/Joins.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import { compare } from "./CheckAttempts.ts"
import { bookLatenessMs, bookMs, fewMax, near, priceMs, wide } from "./Market.ts"

interface OracleOffer extends Placed {
  readonly id: string
  readonly item: string
  readonly kind: string
  readonly cents: number
}

const decoder = new TextDecoder()

const parsed = (value: Uint8Array, place: string): OracleOffer | undefined => {
  try {
    // what a text that parses holds: the job's own offers, cut or whole
    const { at, ...rest } = JSON.parse(decoder.decode(value)) as Omit<OracleOffer, keyof Placed> & { at: string }
    return { ...rest, at: Date.parse(at), key: rest.item, place }
  } catch {
    return undefined
  }
}

type Comes = ReadonlyArray<Come<OracleOffer>>

const ofKind = (comes: Comes, kind: string): Comes => comes.filter(({ record }) => record.kind === kind)
const later = (comes: Comes, latenessMs: number): Comes =>
  comes.map((come) => ({ ...come, horizon: come.horizon - latenessMs }))

/** What the job's operators must give of the offers of one item. */
const expectedOf = (
  comes: Comes,
  told: (end: number) => boolean
): ReadonlyArray<readonly [string, Recomputed<OracleOffer>]> => {
  const [bids, asks, prices] = [ofKind(comes, "bid"), ofKind(comes, "ask"), ofKind(comes, "price")]
  const book = [later(prices, bookLatenessMs), later(asks, bookLatenessMs)] as const
  return [
    ["deals", intervalJoin(near, [bids, asks])],
    ["few", cappedJoin(wide, fewMax, [bids, asks])],
    ["priced", asOfJoin({ kind: "left", ttlMs: priceMs }, [bids, prices])],
    ["book", latestJoin({ kind: "full", ttlMs: bookMs }, book, told)]
  ]
}

const topicOf: Readonly<Record<string, string>> = {
  deals: "deals",
  few: "few-deals",
  priced: "priced-bids",
  book: "book"
}

const byKey = (comes: Comes): ReadonlyArray<Comes> => [...Map.groupBy(comes, ({ record }) => record.key).values()]

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly partition: number
  readonly offset_from: number
}

export const checkMarket = (topics: KeptTopics): ReadonlyArray<string> => {
  const recordsOf = <A>(name: string) =>
    // written by the job; a topic's own schema was checked when they were
    topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))
  const results = new Map<string, Array<string>>()
  const entries: Array<string> = []
  for (const { arrived, watermark } of arrivals(topics("offers"), parsed)) {
    const comes = arrived.map(({ record, watermark: horizon }, index) => ({
      record,
      at: record.at,
      index,
      horizon,
      deleted: record.cents === 0
    }))
    const changes = comes.filter(
      ({ at, horizon, record: { kind } }) => (kind === "price" || kind === "ask") && at >= horizon - bookLatenessMs
    )
    const last = Math.max(...changes.map(({ at }) => at))
    for (const ofItem of byKey(comes)) {
      const told = (end: number) => end < watermark - bookLatenessMs || end <= last
      for (const [operator, { ledger, results: joined }] of expectedOf(ofItem, told)) {
        const texts = joined.map(
          ({ left, retracted, right }) =>
            `${ofItem[0]!.record.item} ${left?.id ?? "-"} ${right?.id ?? "-"}${retracted ? " retracted" : ""}`
        )
        results.set(operator, [...(results.get(operator) ?? []), ...texts])
        for (const [reason, { place }] of ledger) entries.push(`${operator} ${reason} ${place}`)
      }
    }
  }
  const told = recordsOf<Entry>("late-and-dropped").filter(({ reason }) => reason !== "lead")
  return [
    ...Object.entries(topicOf).flatMap(([operator, topic]) => {
      const found = recordsOf<{ item: string; ids: string; retracted?: boolean | null }>(topic)
      const texts = found.map(({ ids, item, retracted }) => `${item} ${ids}${retracted === true ? " retracted" : ""}`)
      return compare(operator, texts, results.get(operator) ?? [])
    }),
    ...compare(
      "ledger",
      told.map(({ offset_from, operator, partition, reason }) => `${operator} ${reason} ${partition}/${offset_from}`),
      entries
    )
  ]
}
