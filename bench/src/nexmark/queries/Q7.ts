/** Query 7: the highest bids of each 10 seconds. */
import { expr, Field, Topic } from "@frazil/core"
import { Flow, max, Window } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { everPaired, openWindows } from "../Span.ts"

const { auction, bidder, date_time, extra, price } = Bid.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction, price, bidder, date_time, extra })) {}
const Rows = Topic.make("nexmark-q7", { schema: Row, key: undefined, partitions: 1 })

class Paid extends Schema.Opaque<Paid>()(Schema.Struct({ all: Field.int(), price })) {}

/** A bid, or a window with the highest price in it: they meet by that price. */
class Side extends Schema.Opaque<Side>()(
  Schema.Struct({
    price,
    auction: Field.int(),
    bidder: Field.int(),
    extra,
    /** The bid's time, or when the window begins. */
    from: Field.timestamp,
    /** When the window ends; of a bid null. */
    to: Field.optional(Field.timestamp)
  })
) {}

const tenSeconds = Window.tumbling("10 seconds", { allowedLateness: "0s", ...openWindows })

export const q7: Query = {
  name: "q7",
  asks: "the highest bids",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) => {
    const highest = bids.pipe(
      Flow.map(({ price }): Paid => ({ all: 0, price }), { schema: Paid }),
      Flow.keyBy("all", { name: "all" }),
      Flow.window(tenSeconds, { price: max("price") }, { name: "highest" }),
      Flow.map(
        ({ price, window_end, window_start }): Side => ({
          price,
          auction: 0,
          bidder: 0,
          extra: null,
          from: window_start,
          to: window_end
        }),
        { schema: Side }
      )
    )
    const byPrice = bids.pipe(
      Flow.map(
        ({ auction, bidder, date_time, extra = null, price }): Side => ({
          price,
          auction,
          bidder,
          extra,
          from: date_time,
          to: null
        }),
        { schema: Side }
      ),
      Flow.merge(highest),
      Flow.keyBy("price", { name: "by-price" })
    )
    return byPrice.pipe(
      Flow.filter(expr("to == null")),
      Flow.joinInterval(byPrice.pipe(Flow.filter(expr("to != null"))), everPaired, (bid, window) => ({
        auction: bid.auction,
        price: bid.price,
        bidder: bid.bidder,
        date_time: bid.from,
        extra: bid.extra ?? null,
        window
      })),
      // a bid at the very end counts for both windows, as in Nexmark's BETWEEN
      Flow.filter(({ date_time, window }) => date_time >= window.from && date_time <= (window.to ?? -Infinity)),
      Flow.to(Rows)
    )
  }
}
