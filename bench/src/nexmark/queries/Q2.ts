/** Query 2: bids on every 123rd auction. */
import { expr, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, price } = Bid.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction, price })) {}
const Rows = Topic.make("nexmark-q2", { schema: Row, key: undefined, partitions: 1 })

export const q2: Query = {
  name: "q2",
  asks: "bids on every 123rd auction",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) => bids.pipe(Flow.filter(expr("auction % 123 == 0")), Flow.to(Rows))
}
