/** Query 22: the directories of bids' URLs. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, bidder, channel, price } = Bid.fields
const dir = Field.optional(Field.text())
class Row extends Schema.Opaque<Row>()(
  Schema.Struct({ auction, bidder, price, channel, dir1: dir, dir2: dir, dir3: dir })
) {}
const Rows = Topic.make("nexmark-q22", { schema: Row, key: undefined, partitions: 1 })

export const q22: Query = {
  name: "q22",
  asks: "the URL's directories",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.map(({ auction, bidder, channel, price, url }) => {
        const [, , , dir1 = null, dir2 = null, dir3 = null] = (url ?? "").split("/")
        return { auction, bidder, price, channel: channel ?? null, dir1, dir2, dir3 }
      }),
      Flow.to(Rows)
    )
}
