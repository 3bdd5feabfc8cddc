/** Query 18: the last bid of each bidder on each auction. */
import { Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { recordsMax, span } from "../Span.ts"

const { auction, bidder, channel, date_time, extra, price, url } = Bid.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction, bidder, price, channel, url, date_time, extra })) {}
const Rows = Topic.make("nexmark-q18", { schema: Row, key: undefined, partitions: 1 })

export const q18: Query = {
  name: "q18",
  asks: "a bidder's last bid on an auction",
  keyedBy: "auction",
  output: Rows,
  rowKey: ["bidder", "auction"],
  flow: ({ bids }) =>
    bids.pipe(
      Flow.keyBy("auction"),
      Flow.deduplicate({ keep: "last", fields: ["bidder"], ttl: span, keysMax: recordsMax }),
      Flow.to(Rows)
    )
}
