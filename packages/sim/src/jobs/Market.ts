/**
 * A job with joins to simulate: bids, asks and prices of items, in any order of time; judged by the oracle besides.
 *
 * `deals` pairs what is close in time, with what has no partner; `few` may hold less than comes; `priced` has each bid with the
 * price of its time; `book` the latest price and ask of an item, which both may go.
 */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { Schema } from "effect"
import type { Random } from "../generate/Random.ts"
import type { Kept } from "../world/SimStateFolder.ts"

class Offer extends Schema.Opaque<Offer>()(
  Schema.Struct({ id: Field.text(), item: Field.text(), kind: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
class Found extends Schema.Opaque<Found>()(
  Schema.Struct({ item: Field.text(), ids: Field.text(), retracted: Field.optional(Field.boolean) })
) {}

export const Offers = Topic.make("offers", { schema: Offer, key: "item", eventTime: "at", partitions: 2 })
const found = (name: string) => Topic.make(name, { schema: Found, key: "item", partitions: 2 })

export const near = { kind: "full", lowerMs: -4_000, upperMs: 9_000 } as const
export const wide = { kind: "inner", lowerMs: -60_000, upperMs: 60_000 } as const
export const fewMax = 3
export const priceMs = 30_000
export const bookMs = 45_000
export const bookLatenessMs = 3_000

const offers = Flow.from(Offers)
const of = (kind: string) => offers.pipe(Flow.filter(expr(`kind == '${kind}'`)), Flow.keyBy("item"))
const [bids, asks, prices] = [of("bid"), of("ask"), of("price")]
/** A price of nothing says that there is none. */
const gone = expr<Offer>("cents == 0")

const pair = (left: Offer | undefined, right: Offer | undefined) => ({
  item: (left ?? right)!.item,
  ids: `${left?.id ?? "-"} ${right?.id ?? "-"}`,
  retracted: null
})

/** The same as expressions, of a pair that is whole. */
const bothOf = { item: expr.string("left.item"), ids: expr.string("left.id + ' ' + right.id") }

const makeJob = (kept: Kept) =>
  Job.make("market", [
    bids.pipe(
      Flow.joinInterval(asks, { name: "deals", kind: "full", lower: "-4s", upper: "9s", ...kept }, pair),
      Flow.to(found("deals"))
    ),
    bids.pipe(
      Flow.joinInterval(asks, { name: "few", lower: "-1m", upper: "1m", recordsPerKeyMax: fewMax, ...kept }, bothOf),
      Flow.map(({ ids, item }) => ({ item, ids, retracted: null })),
      Flow.to(found("few-deals"))
    ),
    bids.pipe(
      Flow.joinAsOf(prices, { name: "priced", kind: "left", ttl: `${priceMs}ms`, deleted: gone, ...kept }, pair),
      Flow.to(found("priced-bids"))
    ),
    prices.pipe(
      Flow.joinLatest(
        asks,
        {
          name: "book",
          kind: "full",
          ttl: `${bookMs}ms`,
          allowedLateness: `${bookLatenessMs}ms`,
          leftDeleted: gone,
          rightDeleted: ({ cents }) => cents === 0,
          ...kept
        },
        pair
      ),
      Flow.to(found("book"))
    )
  ])

export const market = makeJob({})
export const marketOnDisk = makeJob({ store: { disk: { cacheBytesMax: 1_000 } } })

const startMs = Date.UTC(2026, 0, 14)
/** Within the watermark's delay, beyond it, and beyond every time to live. */
const latenessMs = [2_000, 5_000, 7_000, 12_000, 90_000]
const stepsMs = [0, 500, 1_000, 3_000]
const pausesMs = [10_000, 50_000, 1_500_000]
const kinds = ["bid", "bid", "ask", "ask", "price", "odd"]

/** Offers of few items; some lines are broken. */
export const offer = (random: Random): (() => string) => {
  let number = 0
  let atMs = startMs
  const pick = <A>(values: ReadonlyArray<A>): A => values[random.below(values.length)]!
  return () => {
    atMs += random.below(15) === 0 ? pick(pausesMs) : pick(stepsMs)
    const late = random.below(5) === 0 ? pick(latenessMs) : 0
    const at = new Date(atMs - late).toISOString()
    const item = `I${random.below(3)}`
    const cents = random.below(4) === 0 ? 0 : 1 + random.below(500)
    const text = JSON.stringify({ id: `o${number++}`, item, kind: pick(kinds), cents, at })
    return random.below(17) === 0 ? text.slice(0, -5) : text
  }
}
