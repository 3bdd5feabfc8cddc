/** Query 9: the winning bid of each auction, the highest while it is open, of equal ones the earliest. */
import { Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Auction, Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { everPaired, span } from "../Span.ts"
import { isOpen } from "../Winning.ts"

class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    id: Auction.fields.id,
    item_name: Auction.fields.item_name,
    description: Auction.fields.description,
    initial_bid: Auction.fields.initial_bid,
    reserve: Auction.fields.reserve,
    date_time: Auction.fields.date_time,
    expires: Auction.fields.expires,
    seller: Auction.fields.seller,
    category: Auction.fields.category,
    extra: Auction.fields.extra,
    auction: Bid.fields.auction,
    bidder: Bid.fields.bidder,
    price: Bid.fields.price,
    bid_date_time: Bid.fields.date_time,
    bid_extra: Bid.fields.extra
  })
) {}
const Rows = Topic.make("nexmark-q9", { schema: Row, key: undefined, partitions: 1 })

const Best = Schema.NullOr(Schema.Struct({ price: Schema.Finite, at: Schema.Finite }))
type Best = typeof Best.Type

const best = { name: "winning", schema: Best, initial: (): Best => null, ttl: span } as const

export const q9: Query = {
  name: "q9",
  asks: "an auction's winning bid",
  keyedBy: "auction",
  output: Rows,
  rowKey: ["id"],
  flow: ({ auctions, bids }) =>
    auctions.pipe(
      Flow.keyBy("auction"),
      Flow.joinInterval(bids.pipe(Flow.keyBy("auction")), everPaired, (auction, bid) => ({
        ...auction,
        bidder: bid.bidder,
        price: bid.price,
        bid_date_time: bid.date_time,
        bid_extra: bid.extra ?? null
      })),
      Flow.filter((pair) => isOpen(pair)),
      Flow.keyBy("auction"),
      Flow.mapWithState(best, (best, bid) => {
        const { bid_date_time: at, price } = bid
        const wins = best === null || price > best.price || (price === best.price && at < best.at)
        return wins ? [{ price, at }, [bid]] : [best, []]
      }),
      Flow.to(Rows)
    )
}
