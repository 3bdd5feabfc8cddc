/** Query 14: bids within a range of prices, with the time of day and how many letters c their extra has. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { eurosOf } from "../Euros.ts"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, bidder, date_time, extra } = Bid.fields
const timeTypes = ["dayTime", "nightTime", "otherTime"] as const
class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    auction,
    bidder,
    price: Field.decimal(23, 3),
    bid_time_type: Field.oneOf(timeTypes),
    date_time,
    extra,
    c_counts: Field.int()
  })
) {}
const Rows = Topic.make("nexmark-q14", { schema: Row, key: undefined, partitions: 1 })

const hourMs = 3_600_000

/** By the hour in UTC: SQL's HOUR counts from 0, so that 7 and 19 are neither day nor night. */
const timeTypeOf = (timeMs: number): (typeof timeTypes)[number] => {
  const hour = Math.floor((((timeMs / hourMs) % 24) + 24) % 24)
  if (hour >= 8 && hour <= 18) return "dayTime"
  return hour <= 6 || hour >= 20 ? "nightTime" : "otherTime"
}

const countOf = (text: string, letter: string): number => {
  let count = 0
  for (let at = text.indexOf(letter); at >= 0; at = text.indexOf(letter, at + 1)) count++
  return count
}

export const q14: Query = {
  name: "q14",
  asks: "calculation: price, hour, letters",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.extend({ price: ({ price }) => eurosOf(price) }),
      Flow.filter(({ price }) => price.gt(1_000_000) && price.lt(50_000_000)),
      Flow.extend({
        bid_time_type: ({ date_time }) => timeTypeOf(date_time),
        c_counts: ({ extra }) => countOf(extra ?? "", "c")
      }),
      Flow.to(Rows)
    )
}
