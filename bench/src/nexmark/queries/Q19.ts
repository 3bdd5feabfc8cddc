/** Query 19: the ten highest bids of each auction, with their ranks. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { recordsMax, span } from "../Span.ts"

const { auction, bidder, channel, date_time, extra, price, url } = Bid.fields
class Row extends Schema.Opaque<Row>()(
  Schema.Struct({ auction, bidder, price, channel, url, date_time, extra, rank_number: Field.int() })
) {}
const Rows = Topic.make("nexmark-q19", { schema: Row, key: undefined, partitions: 1 })

export const q19: Query = {
  name: "q19",
  asks: "an auction's ten highest bids",
  keyedBy: "auction",
  output: Rows,
  rowKey: ["auction", "rank_number"],
  flow: ({ bids }) =>
    bids.pipe(
      Flow.keyBy("auction"),
      Flow.topN({ n: 10, by: "price", ttl: span, keysMax: recordsMax }),
      Flow.map(({ rank, ...bid }) => ({ ...bid, rank_number: rank })),
      Flow.to(Rows)
    )
}
