/** A sequence: three bids in a row on one auction within 10 seconds, each higher than and by another than the one before. */
import { Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import type { Bid } from "../Event.ts"
import type { Query } from "../Query.ts"
import { openMatches } from "../Span.ts"

class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    auction: Field.int(),
    price1: Field.int(),
    price2: Field.int(),
    price3: Field.int(),
    starttime: Field.timestamp,
    endtime: Field.timestamp
  })
) {}
const Rows = Topic.make("nexmark-raised", { schema: Row, key: undefined, partitions: 1 })

const raises = (bid: Bid, before: Bid) => bid.price > before.price && bid.bidder !== before.bidder

export const raised: Query = {
  name: "raised",
  asks: "sequence: three bids in a row, each higher",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.keyBy("auction"),
      Flow.patternOf((pattern) =>
        pattern
          .begin("first", () => true)
          .next("second", (bid, { first }) => raises(bid, first))
          .next("third", (bid, { second }) => raises(bid, second))
          .within("10 seconds", { skip: "skipPastLastEvent", ...openMatches })
      ),
      Flow.map(({ auction, steps: { first, second, third } }) => ({
        auction,
        price1: first.price,
        price2: second.price,
        price3: third.price,
        starttime: first.date_time,
        endtime: third.date_time
      })),
      Flow.to(Rows)
    )
}
