/** Query 3: who sells in category 10 and lives in Oregon, Idaho or California, and which auctions those are. */
import { expr, Topic } from "@frazil/core"
import { Flow } from "@frazil/engine"
import { Schema } from "effect"
import { Auction, Person } from "../Event.ts"
import type { Query } from "../Query.ts"
import { everPaired } from "../Span.ts"

const { city, name, state } = Person.fields
const { id } = Auction.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ name, city, state, id })) {}
const Rows = Topic.make("nexmark-q3", { schema: Row, key: undefined, partitions: 1 })

export const q3: Query = {
  name: "q3",
  asks: "who sells in category 10 in three states",
  keyedBy: "person",
  output: Rows,
  flow: ({ auctions, persons }) =>
    auctions.pipe(
      Flow.filter(expr("category == 10")),
      Flow.keyBy("person"),
      Flow.joinInterval(
        persons.pipe(Flow.filter(expr("state in ['OR', 'ID', 'CA']")), Flow.keyBy("person")),
        everPaired,
        ({ id }, { city = null, name = null, state = null }) => ({ name, city, state, id })
      ),
      Flow.to(Rows)
    )
}
