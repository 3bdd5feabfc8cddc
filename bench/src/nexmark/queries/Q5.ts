/** Query 5: which auctions had the most bids of the last 10 seconds, every 2 seconds. */
import { Field, Topic } from "@frazil/core"
import { aggregate, count, Flow, Window } from "@frazil/engine"
import { Schema } from "effect"
import type { Query } from "../Query.ts"
import { openWindows } from "../Span.ts"

class Row extends Schema.Opaque<Row>()(Schema.Struct({ auction: Field.int(), num: Field.int() })) {}
const Rows = Topic.make("nexmark-q5", { schema: Row, key: undefined, partitions: 1 })

class Count extends Schema.Opaque<Count>()(
  Schema.Struct({
    auction: Field.int(),
    num: Field.int(),
    /** Where the window ends, epoch milliseconds: counts of one window meet by it. */
    end: Field.int()
  })
) {}

const Hot = Schema.Struct({ num: Schema.Finite, auctions: Schema.Array(Schema.Finite) })
type Hot = typeof Hot.Type

const hotter = (left: Hot, right: Hot): Hot => {
  if (left.num !== right.num) return left.num > right.num ? left : right
  return { num: left.num, auctions: [...left.auctions, ...right.auctions] }
}

/** The auctions with the highest count. */
const hot = aggregate<Count, Hot, Hot>({
  name: "hot",
  schema: Hot,
  initial: () => ({ num: 0, auctions: [] }),
  add: (state, { auction, num }) => hotter(state, { num, auctions: [auction] }),
  merge: hotter,
  result: (state) => state
})

const last10s = Window.hopping("10 seconds", { every: "2 seconds", allowedLateness: "0s", ...openWindows })
/** Windows end every 2 seconds, so that each of these has the results of one. */
const oneEnd = Window.tumbling("2 seconds", { allowedLateness: "0s", ...openWindows })

export const q5: Query = {
  name: "q5",
  asks: "auctions with the most bids",
  keyedBy: "auction",
  output: Rows,
  flow: ({ bids }) =>
    bids.pipe(
      Flow.keyBy("auction"),
      Flow.window(last10s, { num: count() }, { name: "counts" }),
      Flow.map(({ auction, num, window_end }): Count => ({ auction, num, end: window_end }), { schema: Count }),
      Flow.keyBy("end", { name: "by-end" }),
      Flow.window(oneEnd, { hot }, { name: "hottest" }),
      Flow.flatMap(({ hot: { auctions, num } }) => auctions.map((auction): Row => ({ auction, num }))),
      Flow.to(Rows)
    )
}
