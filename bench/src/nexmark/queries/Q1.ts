/** Query 1: bids with their prices in euros. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { eurosOf } from "../Euros.ts"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, bidder, date_time, extra } = Bid.fields
class Row extends Schema.Opaque<Row>()(
  Schema.Struct({ auction, bidder, price: Field.decimal(23, 3), date_time, extra })
) {}
const Rows = Topic.make("nexmark-q1", { schema: Row, key: undefined, partitions: 1 })

export const q1: Query = {
  name: "q1",
  asks: "prices in euros",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) => bids.pipe(Flow.extend({ price: ({ price }) => eurosOf(price) }), Flow.to(Rows))
}
