/** Joins of two flows, case by case: what a result holds, where an interval ends, which version is of a time, what a changelog tells. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { append, type Line, readAll, runToEnd, world } from "../support/Harness.ts"
import { randomSignals, Signals } from "../support/Sequences.ts"

class Event extends Schema.Opaque<Event>()(
  Schema.Struct({
    item: Field.text(),
    kind: Field.text(),
    cents: Field.int(),
    note: Field.optional(Field.text()),
    at: Field.timestamp
  })
) {}
class Found extends Schema.Opaque<Found>()(
  Schema.Struct({
    item: Field.text(),
    bid: Field.optional(Field.int()),
    price: Field.optional(Field.int()),
    retracted: Field.optional(Field.boolean)
  })
) {}
const Events = Topic.make("events", { schema: Event, key: "item", eventTime: "at" })
const Results = Topic.make("results", { schema: Found, key: "item" })

const startMs = Date.UTC(2026, 0, 14)
const event = (kind: string, seconds: number, cents: number): Line => ({
  key: "A",
  value: JSON.stringify({ item: "A", kind, cents, at: new Date(startMs + seconds * 1000).toISOString() })
})

const events = Flow.from(Events).pipe(Flow.eventTime("at", { outOfOrderness: "1m" }))
const of = (kind: string) => events.pipe(Flow.filter(expr(`kind == '${kind}'`)))
const bidsOf = { schema: Schema.Struct({ item: Field.text(), bid: Field.int() }) }
const pricesOf = { schema: Schema.Struct({ item: Field.text(), price: Field.int() }) }
const bids = of("bid").pipe(
  Flow.map(({ cents, item }) => ({ item, bid: cents }), bidsOf),
  Flow.keyBy("item")
)
const prices = of("price").pipe(
  Flow.map(({ cents, item }) => ({ item, price: cents }), pricesOf),
  Flow.keyBy("item")
)

/** What a job writes of these events, as `item bid price`; a field that is not there is `-`. */
const resultsOf = (output: Flow.Output, lines: ReadonlyArray<Line>) =>
  Effect.gen(function* () {
    yield* append(Events, lines)
    yield* runToEnd(Job.make("case", [output]))
    const letters = (yield* Effect.orElseSucceed(readAll("dead-letter"), () => [])).length
    const results = (yield* readAll("results")).map(({ value }) => {
      const { bid, item, price, retracted } = JSON.parse(value) as Found
      return `${item} ${bid ?? "-"} ${price ?? "-"}${retracted === true ? " retracted" : ""}`
    })
    return { results, letters }
  }).pipe(Effect.provide(world))

const gives = (output: Flow.Output, lines: ReadonlyArray<Line>, results: ReadonlyArray<string>) =>
  Effect.map(resultsOf(output, lines), (found) => assert.deepStrictEqual(found.results, results))

describe("a join", () => {
  const near = { lower: "-10s", upper: "5s" } as const

  it.live("of an interval takes both of its ends, and nothing beyond", () =>
    Effect.gen(function* () {
      const lines = [event("bid", 100, 1), ...[89, 90, 100, 105, 106].map((at) => event("price", at, at))]
      const output = bids.pipe(Flow.joinInterval(prices, near), Flow.to(Results))
      yield* gives(output, lines, ["A 1 90", "A 1 100", "A 1 105"])
      yield* gives(output, lines.toReversed(), ["A 1 90", "A 1 100", "A 1 105"])
    })
  )

  it.live("of fields has null where a side is missing, and the key of the other", () =>
    Effect.gen(function* () {
      const lines = [event("bid", 0, 1), event("price", 1, 2), event("bid", 100, 3), event("price", 200, 4)]
      const left = bids.pipe(Flow.joinInterval(prices, { ...near, kind: "left" }), Flow.to(Results))
      yield* gives(left, lines, ["A 1 2", "A 3 -"])
      const full = bids.pipe(Flow.joinInterval(prices, { ...near, kind: "full" }), Flow.to(Results))
      yield* gives(full, lines, ["A 1 2", "A 3 -", "A - 4"])
    })
  )

  it.live(
    "as of a time takes the version of that very time, the last one in the log of two, none that is over or deleted",
    () =>
      Effect.gen(function* () {
        const lines = [
          event("bid", 9, 1),
          event("price", 10, 10),
          event("bid", 10, 2),
          event("price", 10, 11),
          event("bid", 11, 3),
          event("price", 12, 0),
          event("bid", 13, 4),
          event("price", 20, 20),
          event("bid", 29, 5),
          event("bid", 30, 6)
        ]
        const asOf = { kind: "left", ttl: "10s", deleted: expr("price == 0") } as const
        const output = bids.pipe(Flow.joinAsOf(prices, asOf), Flow.to(Results))
        const expected = ["A 1 -", "A 2 11", "A 3 11", "A 4 -", "A 5 20", "A 6 -"]
        yield* gives(output, lines, expected)
      })
  )

  it.live("of tables tells each change of a time once, and takes a result back when its key has none any more", () =>
    Effect.gen(function* () {
      const latest = { ttl: "1m", rightDeleted: expr<{ price: number }>("price == 0") } as const
      const lines = [
        event("bid", 10, 1),
        event("price", 10, 10),
        event("price", 20, 20),
        // before the last one: it came late, but in time
        event("price", 15, 15),
        event("price", 25, 0),
        event("bid", 30, 2),
        event("price", 40, 40),
        // beyond the time to live of both
        event("price", 300, 50)
      ]
      const inner = bids.pipe(Flow.joinLatest(prices, latest), Flow.to(Results))
      const told = ["A 1 10", "A 1 15", "A 1 20", "A 1 20 retracted", "A 2 40", "A 2 40 retracted"]
      yield* gives(inner, lines, told)
      const left = bids.pipe(Flow.joinLatest(prices, { ...latest, kind: "left" }), Flow.to(Results))
      yield* gives(left, lines, ["A 1 10", "A 1 15", "A 1 20", "A 1 -", "A 2 -", "A 2 40", "A 2 40 retracted"])
      const full = bids.pipe(Flow.joinLatest(prices, { ...latest, kind: "full" }), Flow.to(Results))
      yield* gives(full, lines, [
        ...["A 1 10", "A 1 15", "A 1 20", "A 1 -", "A 2 -", "A 2 40"],
        ...["A - 40", "A - 40 retracted", "A - 50"]
      ])
    })
  )

  it.live("sends the record that brought a result to the dead letter when its function throws, and goes on", () =>
    Effect.gen(function* () {
      const output = bids.pipe(
        Flow.joinInterval(prices, near, ({ bid, item }, { price }) => {
          if (price === 2) throw new RangeError("no")
          return { item, bid, price, retracted: null }
        }),
        Flow.to(Results)
      )
      const lines = [event("bid", 0, 1), event("price", 1, 2), event("price", 2, 3)]
      const { letters, results } = yield* resultsOf(output, lines)
      assert.deepStrictEqual([results, letters], [["A 1 3"], 1])
    })
  )

  it.live("never gives a result before a watermark that it gave one under", () =>
    Effect.gen(function* () {
      class Times extends Schema.Opaque<Times>()(
        Schema.Struct({ account: Field.text(), at: Field.double(), watermark: Field.optional(Field.double()) })
      ) {}
      const topic = { ...Signals, partitions: 1 }
      const Told = Topic.make("told", { schema: Times, key: undefined })
      const signals = Flow.from(topic).pipe(Flow.eventTime("at", { outOfOrderness: "3s" }))
      const as = signals.pipe(Flow.filter(expr("kind == 'a'")), Flow.keyBy("account"))
      const bs = signals.pipe(Flow.filter(expr("kind == 'b'")), Flow.keyBy("account"))
      type Signal = Flow.RecordOf<typeof as>
      const make = (one: Signal | undefined, other: Signal | undefined) => ({ account: (one ?? other)!.account })
      const state = { name: "times", schema: Schema.Null, initial: () => null, ttl: "1d" } as const
      const lateness = { allowedLateness: "2s" } as const
      const ways = [
        as.pipe(Flow.joinInterval(bs, { ...lateness, kind: "full", lower: "-4s", upper: "9s" }, make)),
        as.pipe(Flow.joinInterval(bs, { ...lateness, kind: "full", lower: "-9s", upper: "-4s" }, make)),
        as.pipe(Flow.joinInterval(bs, { ...lateness, lower: "-4s", upper: "9s" }, make)),
        as.pipe(Flow.joinAsOf(bs, { ...lateness, kind: "left", ttl: "9s" }, make)),
        as.pipe(Flow.joinLatest(bs, { ...lateness, kind: "full", ttl: "9s" }, make))
      ]
      for (const [index, joined] of ways.entries()) {
        const output = joined.pipe(
          Flow.map(({ account }: { readonly account: string }) => ({ account })),
          Flow.keyBy("account"),
          Flow.mapWithState(state, (_, { account }, { eventTime, watermark }) => [
            null,
            [{ account, at: eventTime, watermark: Number.isFinite(watermark) ? watermark : null }]
          ]),
          Flow.to(Told)
        )
        yield* Effect.gen(function* () {
          yield* append(topic, randomSignals(makeChance(index), 300, 20_000))
          yield* runToEnd(Job.make("times", [output]))
          const told = (yield* readAll("told")).map(({ value }) => JSON.parse(value) as Times)
          assert.isAbove(told.length, 50)
          let highest = Number.NEGATIVE_INFINITY
          for (const { at, watermark } of told) {
            assert.isAtLeast(at, highest, `join ${index}`)
            assert.isAtLeast(watermark ?? Number.NEGATIVE_INFINITY, highest, `join ${index}`)
            highest = Math.max(highest, watermark ?? Number.NEGATIVE_INFINITY)
          }
          assert.isAbove(highest, 0)
        }).pipe(Effect.provide(world))
      }
    })
  )
})
