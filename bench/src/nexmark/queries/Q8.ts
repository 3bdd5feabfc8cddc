/** Query 8: who came and opened an auction in the same 10 seconds. */
import { expr, Field, type Timestamp, Topic } from "@frazil/core"
import { aggregate, Flow, Window } from "@frazil/engine"
import { Schema } from "effect"
import { type Event, Person } from "../Event.ts"
import type { Query } from "../Query.ts"
import { openWindows } from "../Span.ts"

const { id, name } = Person.fields
class Row extends Schema.Opaque<Row>()(Schema.Struct({ id, name, starttime: Field.timestamp })) {}
const Rows = Topic.make("nexmark-q8", { schema: Row, key: undefined, partitions: 1 })

const News = Schema.Struct({ names: Schema.Array(Schema.NullOr(Schema.String)), sells: Schema.Boolean })
type News = typeof News.Type

const both = (left: News, right: News): News => ({
  names: [...new Set([...left.names, ...right.names])],
  sells: left.sells || right.sells
})

/** What a person did in a window: under which names they came, and whether they opened an auction. */
const news = aggregate<Event, News, News>({
  name: "news",
  schema: News,
  initial: () => ({ names: [], sells: false }),
  add: (state, { event_type, name }) =>
    event_type === "auction" ? { ...state, sells: true } : both(state, { names: [name ?? null], sells: false }),
  merge: both,
  result: (state) => state
})

const rowsOf = (result: { readonly person: number; readonly window_start: Timestamp; readonly news: News }) => {
  const { news, person, window_start } = result
  return news.sells ? news.names.map((name): Row => ({ id: person, name, starttime: window_start })) : []
}

export const q8: Query = {
  name: "q8",
  asks: "who came and sells within 10 seconds",
  keyedBy: "person",
  output: Rows,
  flow: ({ events }) =>
    events.pipe(
      Flow.filter(expr("event_type != 'bid'")),
      Flow.keyBy("person"),
      Flow.window(Window.tumbling("10 seconds", { allowedLateness: "0s", ...openWindows }), { news }),
      Flow.flatMap(rowsOf),
      Flow.to(Rows)
    )
}
