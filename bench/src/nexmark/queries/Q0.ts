/** Query 0: every bid as it is. */
import { Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, bidder, date_time, extra, price } = Bid.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction, bidder, price, date_time, extra })) {}
const Rows = Topic.make("nexmark-q0", { schema: Row, key: undefined, partitions: 1 })

export const q0: Query = {
  name: "q0",
  asks: "every bid",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) => bids.pipe(Flow.to(Rows))
}
