/** A sequence: an auction opens, and within 10 seconds its first bidder has bid three times, whatever comes between. */
import { expr, Field, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import type { Event } from "../Event.ts"
import type { Query } from "../Query.ts"
import { openMatches } from "../Span.ts"

class Row extends Schema.Opaque<Row>()(
  Schema.Struct({
    auction: Field.int(),
    bidder: Field.int(),
    price1: Field.int(),
    price2: Field.int(),
    price3: Field.int(),
    opened: Field.timestamp,
    endtime: Field.timestamp
  })
) {}
const Rows = Topic.make("nexmark-eager", { schema: Row, key: undefined, partitions: 1 })

const again = (event: Event, first: Event) => event.event_type === "bid" && event.bidder === first.bidder

const priceOf = ({ price }: Event): number => price ?? 0

export const eager: Query = {
  name: "eager",
  asks: "sequence: opened, and three bids of the first bidder",
  keyedBy: "auction",
  output: Rows,
  flow: ({ events }) =>
    events.pipe(
      Flow.filter(expr("event_type != 'person'")),
      Flow.keyBy("auction"),
      Flow.patternOf((pattern) =>
        pattern
          .begin("opened", expr("event_type == 'auction'"))
          .followedBy("first", expr("event_type == 'bid'"))
          .followedBy("second", (event, { first }) => again(event, first))
          .followedBy("third", (event, { first }) => again(event, first))
          .within("10 seconds", { skip: "skipToNext", ...openMatches })
      ),
      Flow.map(({ auction, steps: { first, opened, second, third } }) => ({
        auction,
        bidder: first.person,
        price1: priceOf(first),
        price2: priceOf(second),
        price3: priceOf(third),
        opened: opened.date_time,
        endtime: third.date_time
      })),
      Flow.to(Rows)
    )
}
