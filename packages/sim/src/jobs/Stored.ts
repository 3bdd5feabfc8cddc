/**
 * A job with state on disk to simulate: totals of a card whose payments lie less than ten minutes apart, with a cache in which
 * little stays. What it told is recounted by a plain loop.
 */
import { Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import { runOnDisk } from "../world/SimStateFolder.ts"
import type { KeptTopics, KeptTotals, ShardTotal } from "../world/Scenario.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"

const Payments = Topic.make("card-payments", {
  schema: Schema.Struct({ id: Field.text(), card: Field.text(), cents: Field.int(), at: Field.timestamp }),
  key: "card",
  eventTime: "at",
  partitions: 2
})
const Totals = Topic.make("card-totals", {
  schema: Schema.Struct({ id: Field.text(), card: Field.text(), count: Field.int(), total: Field.int() }),
  key: "card",
  partitions: 2
})

const State = Schema.Struct({ count: Schema.Finite, total: Schema.Finite })
const initial = (): typeof State.Type => ({ count: 0, total: 0 })

const stored = Job.make("stored", [
  Flow.from(Payments).pipe(
    Flow.keyBy("card"),
    Flow.mapWithState(
      { name: "card-totals", schema: State, initial, ttl: "10 minutes", store: { disk: { cacheBytesMax: 1_200 } } },
      ({ count, total }, { card, cents, id }) => {
        const next = { count: count + 1, total: total + cents }
        return [next, [{ id, card, ...next }]]
      }
    ),
    Flow.to(Totals)
  ),
  Flow.from(Payments).pipe(Flow.total("paid", { sum: "cents" }))
])

const ttlMs = 600_000
/** The default. */
const outOfOrdernessMs = 5_000
const startMs = Date.UTC(2026, 0, 14)
/** Some pauses are longer than state lives. */
const pausesMs = [1_000, 1_000, 10_000, 10_000, 10_000, 10_000, 150_000]

/** Payments with some cards, a few of them more often: so that what was merged has more of them than what comes. */
const lines = (random: Random): ReadonlyArray<string> => {
  let atMs = startMs
  return Array.from({ length: 80 + random.below(320) }, (_, number) => {
    atMs += pausesMs[random.below(pausesMs.length)]!
    const at = new Date(atMs).toISOString()
    return JSON.stringify({
      id: `p${number}`,
      card: `C${random.below(random.below(2) === 0 ? 6 : 60)}`,
      cents: random.below(1_000),
      at
    })
  })
}

interface Told {
  readonly id: string
  readonly card: string
  readonly count: number
  readonly total: number
}

const decoder = new TextDecoder()
const partitionsOf = <A>(topics: KeptTopics, name: string): ReadonlyArray<ReadonlyArray<A>> =>
  // the job's own, or the generator's above
  topics(name).map((records) => records.map(({ value }) => JSON.parse(decoder.decode(value)) as A))

/** Answers to the records of a partition. */
const answersTo = (records: ReadonlyArray<Paid>) => {
  const cards = new Map<string, { count: number; total: number; writtenMs: number }>()
  let watermark = Number.NEGATIVE_INFINITY
  return records.map(({ at, card, cents, id }) => {
    const atMs = Date.parse(at)
    const known = cards.get(card)
    const over = known === undefined || Math.max(atMs, watermark) - known.writtenMs >= ttlMs
    const next = { count: (over ? 0 : known.count) + 1, total: (over ? 0 : known.total) + cents }
    cards.set(card, { ...next, writtenMs: Math.max(known?.writtenMs ?? atMs, atMs) })
    watermark = Math.max(watermark, atMs - outOfOrdernessMs)
    return JSON.stringify({ id, card, ...next })
  })
}

interface Paid {
  readonly id: string
  readonly card: string
  readonly cents: number
  readonly at: string
}

const checkPaid = (payments: ReadonlyArray<Paid>, totals: ReadonlyArray<ShardTotal>): ReadonlyArray<string> => {
  const expected = { records: payments.length, sum: payments.reduce((sum, { cents }) => sum + cents, 0) }
  const records = totals.reduce((all, total) => all + total.records, 0)
  const sum = totals.reduce((all, total) => all + Number(total.sum), 0)
  return records === expected.records && sum === expected.sum
    ? []
    : [`${records} payments of ${sum} in control totals, ${expected.records} of ${expected.sum} in the log`]
}

const check = (topics: KeptTopics, totals: KeptTotals): ReadonlyArray<string> => {
  const payments = partitionsOf<Paid>(topics, Payments.name)
  const expected = payments.flatMap(answersTo)
  const found = partitionsOf<Told>(topics, Totals.name)
    .flat()
    .map(({ card, count, id, total }) => JSON.stringify({ id, card, count, total }))
  // a producer may send a record twice, and not in order
  const counts = new Map<string, number>()
  for (const each of expected) counts.set(each, (counts.get(each) ?? 0) + 1)
  for (const each of found) counts.set(each, (counts.get(each) ?? 0) - 1)
  const wrong = [...counts].flatMap(([each, count]) =>
    count === 0 ? [] : [`${count > 0 ? "never told" : "told"} ${each}`]
  )
  return [...wrong.slice(0, 5), ...checkPaid(payments.flat(), totals("paid"))]
}

export const cardsOnDisk = (options: Omit<SimOptions, "input" | "landings">): SimReport =>
  runOnDisk(options.seed, (services) => run(stored, { ...options, input: [input(Payments, lines)], services, check }))
