/**
 * What the job `exchange` must have found in its topics as they lie in the log: recomputed by the oracle of joins, over the
 * records of both sides in the order of the watermarks that they met where they were read.
 */
import { compare } from "../oracle/Compare.ts"
import { arrivals, type Placed } from "../oracle/InTime.ts"
import { asOfJoin, type Come, intervalJoin, type Joined, type Recomputed } from "../oracle/Joins.ts"
import type { KeptTopics } from "../world/Scenario.ts"
import {
  centsMin,
  near,
  nearLatenessMs,
  Orders,
  seenMs,
  shipmentMs,
  Shipments,
  Visits,
  wide,
  wideLatenessMs
} from "./Exchange.ts"

/** A record of any of the topics; `key` is what the first join that takes it goes by. */
interface Piece extends Placed {
  readonly text: string
  readonly customer: string
  readonly deleted: boolean
  readonly kept: boolean
}

type Comes = ReadonlyArray<Come<Piece>>

const decoder = new TextDecoder()

/** What a text that parses holds: the job's own lines, cut or whole. */
interface Line {
  readonly id?: string
  readonly code?: string
  readonly page?: string
  readonly shop?: string
  readonly customer?: string
  readonly cents?: number
  readonly lost?: boolean
  readonly placed?: string
  readonly sent?: string
  readonly at?: string
}

const parsed =
  (topic: string) =>
  (value: Uint8Array, place: string): Piece | undefined => {
    try {
      // the job's own lines
      const line = JSON.parse(decoder.decode(value)) as Line
      return {
        text: line.id ?? line.code ?? line.page ?? "",
        key: line.shop ?? line.customer ?? "",
        customer: line.customer ?? "",
        at: Date.parse(line.placed ?? line.sent ?? line.at ?? ""),
        deleted: line.lost === true,
        kept: line.cents === undefined || line.cents >= centsMin,
        place: `${topic}/${place}`
      }
    } catch {
      return undefined
    }
  }

interface Met {
  readonly record: Piece
  readonly watermark: number
}

/** Records of the topics in the order in which a join meets them: by watermark, topic, partition, offset. */
const merged = (topics: KeptTopics, names: ReadonlyArray<string>): ReadonlyArray<Met & { readonly topic: string }> =>
  names
    .flatMap((topic) =>
      arrivals(topics(topic), parsed(topic)).flatMap(({ arrived }) => arrived.map((met) => ({ ...met, topic })))
    )
    .filter(({ record }) => record.kept)
    // a sort keeps the order of equals
    .toSorted((one, other) => (one.watermark === other.watermark ? 0 : one.watermark < other.watermark ? -1 : 1))

const comesOf = (met: ReadonlyArray<Met>): Comes =>
  met.map(({ record, watermark }, index) => ({
    record,
    at: record.at,
    index,
    horizon: watermark,
    deleted: record.deleted
  }))

const later = (comes: Comes, latenessMs: number): Comes =>
  comes.map((come) => ({ ...come, horizon: come.horizon - latenessMs }))

const byKey = (left: Comes, right: Comes, keyOf: (piece: Piece) => string) =>
  [...new Set([...left, ...right].map(({ record }) => keyOf(record)))].map((key) => ({
    key,
    sides: [
      left.filter(({ record }) => keyOf(record) === key),
      right.filter(({ record }) => keyOf(record) === key)
    ] as const
  }))

const idsOf = ({ left, right }: Joined<Piece>): string => `${left?.text ?? "-"} ${right?.text ?? "-"}`

/** What is left of a join by customer: its results at their own times, none of which is late. */
const resultsOf = (results: ReadonlyArray<Joined<Piece>>): Comes =>
  results.map((joined, index) => {
    const at = Math.max(joined.left!.at, joined.right?.at ?? Number.NEGATIVE_INFINITY) // a left join
    const record = { ...joined.left!, text: idsOf(joined), at }
    return { record, at, index, horizon: Number.NEGATIVE_INFINITY, deleted: false }
  })

interface FoundPair {
  readonly key: string
  readonly ids: string
}

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly topic: string
  readonly partition: number
  readonly offset_from: number
}

export const checkExchange = (topics: KeptTopics): ReadonlyArray<string> => {
  const recordsOf = <A>(name: string) =>
    // written by the job; a topic's own schema was checked when they were
    topics(name).flatMap((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))
  const results = new Map<string, Array<string>>()
  const entries: Array<string> = []
  const tell = (operator: string, key: string, { ledger, results: joined }: Recomputed<Piece>) => {
    results.set(operator, [...(results.get(operator) ?? []), ...joined.map((each) => `${key} ${idsOf(each)}`)])
    for (const [reason, { place }] of ledger) entries.push(`${operator} ${reason} ${place}`)
  }
  const met = merged(topics, [Orders.name, Shipments.name])
  const all = comesOf(met)
  const side = (name: string) => all.filter((_, index) => met[index]!.topic === name)
  const dispatched: Array<Joined<Piece>> = []
  for (const { key, sides } of byKey(side(Orders.name), side(Shipments.name), (piece) => piece.key)) {
    const by = (latenessMs: number) => [later(sides[0], latenessMs), later(sides[1], latenessMs)] as const
    tell("shipped", key, intervalJoin(near, by(nearLatenessMs)))
    tell("latest shipment", key, asOfJoin({ kind: "left", ttlMs: shipmentMs }, sides))
    const inner = intervalJoin(wide, by(wideLatenessMs))
    dispatched.push(...inner.results)
    for (const [reason, { place }] of inner.ledger) entries.push(`dispatched ${reason} ${place}`)
  }
  const visits = comesOf(merged(topics, [Visits.name]))
  for (const { key, sides } of byKey(resultsOf(dispatched), visits, ({ customer }) => customer))
    tell("seen", key, intervalJoin(seenMs, sides))
  const told = recordsOf<Entry>("late-and-dropped").filter(({ reason }) => reason !== "lead")
  const topicOf = { shipped: "shipped", "latest shipment": "latest-shipments", seen: "seen" }
  return [
    ...Object.entries(topicOf).flatMap(([operator, topic]) => {
      const texts = recordsOf<FoundPair>(topic).map(({ ids, key }) => `${key} ${ids}`)
      return compare(operator, texts, results.get(operator) ?? [])
    }),
    ...compare(
      "ledger",
      told.map(
        ({ offset_from, operator, partition, reason, topic }) =>
          `${operator} ${reason} ${topic}/${partition}/${offset_from}`
      ),
      entries
    )
  ]
}
