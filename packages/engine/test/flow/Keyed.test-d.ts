// Deduplications and rankings by their types: what their records hold, and what is refused at the argument that is wrong;
// checked by `tsc`.
import { Field, type Timestamp, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"
import { Flow, State, top, Window } from "../../src/index.ts"

class Bid extends Schema.Opaque<Bid>()(
  Schema.Struct({
    id: Field.text(),
    auction: Field.text(),
    price: Field.optional(Field.decimal(38, 2)),
    at: Field.timestamp
  })
) {}
const Bids = Topic.make("bids", { schema: Bid, key: "auction", eventTime: "at" })
const bids = Flow.from(Bids)
const keyed = bids.pipe(Flow.keyBy("auction"))
type Key = { readonly auction: string }

const first = keyed.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour", fields: ["id"], recordsHeldMax: 10 }))
expectTypeOf(first).toEqualTypeOf<Flow.Flow<Bid, never, never, Key>>()

const last = keyed.pipe(Flow.deduplicate({ keep: "last", ttl: "1 hour" }))
expectTypeOf<Flow.RecordOf<typeof last>["revision"]>().toEqualTypeOf<number>()
expectTypeOf<Flow.RecordOf<typeof last>["id"]>().toEqualTypeOf<string>()

const greatest = keyed.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour", order: "asc" }))
expectTypeOf<Flow.RecordOf<typeof greatest>["rank"]>().toEqualTypeOf<number>()
expectTypeOf<Flow.RecordOf<typeof greatest>["price"]>().toEqualTypeOf<Bid["price"]>()

const window = Window.session("1 minute", { allowedLateness: "0s", max: "1 hour" })
const windowed = keyed.pipe(Flow.topN({ window, n: 10, by: "at" }))
expectTypeOf<Flow.RecordOf<typeof windowed>["window_end"]>().toEqualTypeOf<Timestamp>()
expectTypeOf<Flow.RecordOf<typeof windowed>["retracted"]>().toEqualTypeOf<boolean>()
expectTypeOf<Flow.RecordOf<typeof windowed>["price"]>().toEqualTypeOf<Bid["price"]>()

const listed = keyed.pipe(Flow.window(window, { best: top(3, { by: "price" }) }))
expectTypeOf<Flow.RecordOf<typeof listed>["best"]>().toEqualTypeOf<ReadonlyArray<Bid>>()

// @ts-expect-error not keyed
bids.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour" }))
// @ts-expect-error no field of that name
keyed.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour", fields: ["ident"] }))
// @ts-expect-error no ttl
keyed.pipe(Flow.deduplicate({ keep: "first" }))
// @ts-expect-error last records do not wait
keyed.pipe(Flow.deduplicate({ keep: "last", ttl: "1 hour", recordsHeldMax: 10 }))
// @ts-expect-error which one is kept
keyed.pipe(Flow.deduplicate({ ttl: "1 hour" }))
// @ts-expect-error a revision is added to what has one
last.pipe(Flow.deduplicate({ keep: "last", ttl: "1 hour" }))
// @ts-expect-error not keyed
bids.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour" }))
// @ts-expect-error texts have no order
keyed.pipe(Flow.topN({ n: 10, by: "id", ttl: "1 hour" }))
// @ts-expect-error neither a ttl nor a window
keyed.pipe(Flow.topN({ n: 10, by: "price" }))
// @ts-expect-error a rank is added to what has one
greatest.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour" }))
// @ts-expect-error a misspelt duration
keyed.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 houre" }))

const process = keyed.pipe(
  Flow.process(
    {
      name: "all kinds",
      states: {
        total: State.value({ schema: Schema.Finite, initial: () => 0, ttl: "1 day" }),
        recent: State.list({ schema: Schema.String, ttl: "1 day", entriesMax: 10 }),
        byId: State.map({ schema: Schema.Boolean, ttl: "1 day", entriesMax: 10 }),
        mean: State.aggregate({
          schema: Schema.Tuple([Schema.Finite, Schema.Finite]),
          initial: () => [0, 0] as const,
          add: ([sum, count], value: number) => [sum + value, count + 1] as const,
          result: ([sum, count]) => (count === 0 ? null : sum / count),
          ttl: "1 day"
        })
      }
    },
    {
      onRecord: (record, { key, states, timers, watermark }) => {
        expectTypeOf(record).toEqualTypeOf<Bid>()
        expectTypeOf(key).toEqualTypeOf<Key>()
        expectTypeOf(watermark).toEqualTypeOf<number>()
        expectTypeOf(states.total.get()).toEqualTypeOf<number>()
        expectTypeOf(states.recent.get()).toEqualTypeOf<ReadonlyArray<string>>()
        expectTypeOf(states.byId.get("x")).toEqualTypeOf<boolean | undefined>()
        expectTypeOf(states.mean.get()).toEqualTypeOf<number | null>()
        states.mean.add(3)
        // @ts-expect-error a list of texts
        states.recent.add(3)
        timers.event.set(record.at + 1000)
        // @ts-expect-error timers by the clock are for what is declared operational
        timers.processing.set(0)
        return [{ id: record.id }]
      },
      onTimer: ({ domain }, { key }) => {
        expectTypeOf(domain).toEqualTypeOf<"event">()
        return [{ id: key.auction }]
      }
    }
  )
)
expectTypeOf<Flow.RecordOf<typeof process>>().toEqualTypeOf<{ id: string }>()

const clocked = { name: "clocked", states: {}, operational: { because: "a display" } } as const
keyed.pipe(
  Flow.process(clocked, {
    onRecord: (_, { timers }) => {
      timers.processing.set(timers.processing.now() + 1000)
      return []
    },
    onTimer: ({ domain }) => {
      expectTypeOf(domain).toEqualTypeOf<"event" | "processing">()
      return [{ domain }]
    }
  })
)
// @ts-expect-error not keyed
bids.pipe(Flow.process({ name: "n", states: {} }, { onRecord: () => [] }))
// @ts-expect-error a state without a ttl
State.value({ schema: Schema.Finite, initial: () => 0 })
// @ts-expect-error a list without a bound
State.list({ schema: Schema.Finite, ttl: "1 day" })

// on disk the TTL bounds keys
keyed.pipe(Flow.deduplicate({ keep: "last", ttl: "1 hour", store: "disk" }))
keyed.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour", store: { disk: { cacheBytesMax: 1_048_576 } } }))
keyed.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour", store: "disk" }))
keyed.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour", store: "memory", keysMax: 10 }))
// @ts-expect-error: a bound of keys in memory
keyed.pipe(Flow.deduplicate({ keep: "first", ttl: "1 hour", store: "disk", keysMax: 10 }))
// @ts-expect-error: a bound of keys in memory
keyed.pipe(Flow.topN({ n: 10, by: "price", ttl: "1 hour", store: "disk", keysMax: 10 }))
// @ts-expect-error: a bound of keys in memory
keyed.pipe(Flow.process({ name: "n", states: {}, store: "disk", keysMax: 10 }, { onRecord: () => [] }))
keyed.pipe(Flow.process({ name: "n", states: {}, store: "disk" }, { onRecord: () => [] }))
keyed.pipe(Flow.topN({ n: 10, by: "price", window, store: "disk" }))
keyed.pipe(Flow.window(window, { best: top(3, { by: "price" }) }, { store: { disk: { cacheBytesMax: 1_048_576 } } }))
// @ts-expect-error: no such store
keyed.pipe(Flow.window(window, { best: top(3, { by: "price" }) }, { store: "tape" }))
const bidsSeen = { name: "seen", schema: Schema.Finite, initial: () => 0, ttl: "1 day" } as const
keyed.pipe(Flow.mapWithState({ ...bidsSeen, store: "disk" }, (seen, bid: Bid) => [seen + 1, [bid]] as const))
// @ts-expect-error: no such store
keyed.pipe(Flow.mapWithState({ ...bidsSeen, store: "tape" }, (seen, bid: Bid) => [seen + 1, [bid]] as const))
