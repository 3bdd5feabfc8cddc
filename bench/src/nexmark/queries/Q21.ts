/** Query 21: bids with the id of their channel, known by name or told by the URL. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"

const { auction, bidder, channel, price } = Bid.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction, bidder, price, channel, channel_id: Field.text() })) {}
const Rows = Topic.make("nexmark-q21", { schema: Row, key: undefined, partitions: 1 })

const known: ReadonlyMap<string, string> = new Map([
  ["apple", "0"],
  ["google", "1"],
  ["facebook", "2"],
  ["baidu", "3"]
])
const inUrl = /(?:&|^)channel_id=([^&]*)/

const channelIdOf = (channel: string | null | undefined, url: string | null | undefined): string | undefined =>
  known.get(channel?.toLowerCase() ?? "") ?? inUrl.exec(url ?? "")?.[1]

export const q21: Query = {
  name: "q21",
  asks: "the channel's id",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.flatMap((bid) => {
        const channel_id = channelIdOf(bid.channel, bid.url)
        return channel_id === undefined ? [] : [{ ...bid, channel_id }]
      }),
      Flow.to(Rows)
    )
}
