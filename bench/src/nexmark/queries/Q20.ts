/** Query 20: bids with their auction, of category 10. */
import { expr, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Auction, Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { everPaired } from "../Span.ts"

class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    auction: Bid.fields.auction,
    bidder: Bid.fields.bidder,
    price: Bid.fields.price,
    channel: Bid.fields.channel,
    url: Bid.fields.url,
    bid_date_time: Bid.fields.date_time,
    bid_extra: Bid.fields.extra,
    item_name: Auction.fields.item_name,
    description: Auction.fields.description,
    initial_bid: Auction.fields.initial_bid,
    reserve: Auction.fields.reserve,
    auction_date_time: Auction.fields.date_time,
    expires: Auction.fields.expires,
    seller: Auction.fields.seller,
    category: Auction.fields.category,
    auction_extra: Auction.fields.extra
  })
) {}
const Rows = Topic.make("nexmark-q20", { schema: Row, key: undefined, partitions: 1 })

export const q20: Query = {
  name: "q20",
  asks: "bids with their auction, of category 10",
  keyedBy: "auction",
  output: Rows,
  flow: ({ auctions, bids }) =>
    bids.pipe(
      Flow.keyBy("auction"),
      Flow.joinInterval(
        auctions.pipe(Flow.filter(expr("category == 10")), Flow.keyBy("auction")),
        everPaired,
        (bid, auction) => ({
          ...auction,
          auction: bid.auction,
          bidder: bid.bidder,
          price: bid.price,
          channel: bid.channel ?? null,
          url: bid.url ?? null,
          bid_date_time: bid.date_time,
          bid_extra: bid.extra ?? null,
          auction_date_time: auction.date_time,
          auction_extra: auction.extra ?? null
        })
      ),
      Flow.to(Rows)
    )
}
