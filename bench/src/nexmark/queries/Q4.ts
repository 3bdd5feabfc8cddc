/**
 * Query 4: the mean of the winning prices in each category.
 *
 * In two jobs with a topic between them, since what a join gives cannot be keyed anew within one.
 */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import type { Query } from "../Query.ts"
import { everPaired, span } from "../Span.ts"
import { isOpen } from "../Winning.ts"

class Row extends Schema.Opaque<Row>()(Schema.Struct({ category: Field.int(), final: Field.int() })) {}
const Rows = Topic.make("nexmark-q4", { schema: Row, key: undefined, partitions: 1 })

/** How an auction changes its category: by one price more, or by what its winning price rose. */
class Change extends Schema.Opaque<Change>()(
  Schema.Struct({ category: Field.int(), auctions: Field.int(), price: Field.int(), date_time: Field.timestamp })
) {}
const Changes = Topic.make("nexmark-winning", {
  schema: Change,
  key: "category",
  eventTime: "date_time",
  partitions: 1
})

/** The highest bid by category: an auction id that comes twice may have two. */
const Winning = Schema.Record(Schema.String, Schema.Finite)
type Winning = typeof Winning.Type
const winning = { name: "winning", schema: Winning, initial: (): Winning => ({}), ttl: span } as const

/** `price` has all its digits, also beyond 2^53. */
const Sum = Schema.Struct({ auctions: Schema.Finite, price: Schema.String })
type Sum = typeof Sum.Type
const sums = { name: "sums", schema: Sum, initial: (): Sum => ({ auctions: 0, price: "0" }), ttl: span } as const

export const q4: Query = {
  name: "q4",
  asks: "a category's mean winning price",
  keyedBy: "auction",
  output: Rows,
  rowKey: ["category"],
  flow: ({ auctions, bids }) =>
    auctions.pipe(
      Flow.keyBy("auction"),
      Flow.joinInterval(
        bids.pipe(Flow.keyBy("auction")),
        everPaired,
        ({ auction, category, date_time, expires }, bid) => ({
          auction,
          category,
          date_time,
          expires,
          bid_date_time: bid.date_time,
          price: bid.price
        })
      ),
      Flow.filter((pair) => isOpen(pair)),
      Flow.keyBy("auction"),
      Flow.mapWithState(winning, (state, { bid_date_time, category, price }) => {
        const before = state[category]
        if (before !== undefined && before >= price) return [state, []]
        const change: Change = {
          category,
          auctions: before === undefined ? 1 : 0,
          price: price - (before ?? 0),
          date_time: bid_date_time
        }
        return [{ ...state, [category]: price }, [change]]
      }),
      Flow.to(Changes)
    ),
  second: () =>
    Flow.from(Changes).pipe(
      Flow.keyBy("category"),
      Flow.mapWithState(sums, (sum, { auctions, category, price }) => {
        const count = sum.auctions + auctions
        const total = BigInt(sum.price) + BigInt(price)
        // SQL's mean of whole numbers is whole
        return [{ auctions: count, price: String(total) }, [{ category, final: Number(total / BigInt(count)) }]]
      }),
      Flow.to(Rows)
    )
}
