/** What a repartition does for a job, case by case: places and bytes kept, order made, sources merged, silence passed on. */
import { expr, Field, partitionOf, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { count, Flow, Job, last, Log, Pattern, Window } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt, eventually } from "../support/Faults.ts"
import { append, type Line, readAll, runToEnd, world } from "../support/Harness.ts"
import { byShop, inMergedOrder, internalTopic, repartitionedJob, TradesByShop } from "../support/Repartitioned.ts"
import {
  expectedOf,
  foundOf,
  randomTrades,
  type Timing,
  trade,
  type TradeLine,
  Trades,
  tradesJob
} from "../support/Trades.ts"

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }

const texts = (topic: string) =>
  Effect.map(
    Effect.orElseSucceed(readAll(topic), () => []),
    (lines) => lines.map(({ value }) => value)
  )

describe("a repartitioned job", () => {
  it.live("writes what the same job writes over a topic that has the key already: results, revisions, the ledger", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 5; seed++) {
        const lines = randomTrades(makeChance(seed), 150, 30_000)
        const keyed = yield* Effect.gen(function* () {
          yield* append({ ...Trades, partitions: 1 }, lines)
          yield* runToEnd(tradesJob(timing, { ...Trades, partitions: 1 }))
          return [yield* foundOf, yield* texts("totals"), yield* texts("ledger")] as const
        }).pipe(Effect.provide(world))
        const other = { ...TradesByShop, partitions: 1 }
        const changed = yield* Effect.gen(function* () {
          yield* append(other, lines.map(byShop))
          yield* runToEnd(repartitionedJob(timing, 1, other))
          return [yield* foundOf, yield* texts("totals"), yield* texts("ledger")] as const
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual(changed, keyed, `seed ${seed}`)
      }
    })
  )

  it.live("inside the out-of-orderness: every order and partitioning of the records gives the same results", () =>
    Effect.gen(function* () {
      const chance = makeChance(7)
      const wide = { ...timing, outOfOrdernessMs: 5000 }
      const lines = randomTrades(chance, 100, 0)
      const answers = expectedOf(lines, wide, () => 0).windows
      for (let partitions = 1; partitions <= 4; partitions++) {
        const delayed = lines.map((line, index) => ({ line, at: index * 1000 + chance.below(4900) }))
        const shuffled = delayed.sort((a, b) => a.at - b.at).map(({ line }) => byShop(line))
        const source = { ...TradesByShop, partitions: 1 + chance.below(4) }
        const found = yield* Effect.gen(function* () {
          yield* append(source, shuffled)
          yield* runToEnd(repartitionedJob(wide, partitions, source))
          return yield* foundOf
        }).pipe(Effect.provide(world))
        assert.deepStrictEqual([found.windows, found.late], [answers, []])
      }
    })
  )
})

class Step extends Schema.Opaque<Step>()(
  Schema.Struct({ account: Field.text(), nth: Field.int(), shop: Field.text(), at: Field.timestamp })
) {}
const Steps = Topic.make("steps", { schema: Step, key: "account", partitions: 1 })
const Returns = Topic.make("returns", { schema: TradesByShop.schema, key: "shop", eventTime: "at", partitions: 2 })
type TradeOf = (typeof Trades)["schema"]["Type"]

const numbered = Job.make("numbered", [
  Flow.from(TradesByShop).pipe(
    Flow.eventTime("at", { outOfOrderness: "2s" }),
    Flow.merge(Flow.from(Returns).pipe(Flow.eventTime("at", { outOfOrderness: "2s" }))),
    Flow.keyBy("account", { name: "accounts", partitions: 2 }),
    Flow.mapWithState(
      { name: "nth", schema: Schema.Finite, initial: () => 0, ttl: "1 day" },
      (nth, { account, at, shop }: TradeOf) => [nth + 1, [{ account, nth: nth + 1, shop, at }]]
    ),
    Flow.to(Steps)
  )
])

describe("two sources merged", () => {
  it.live("are counted key by key in the one order of watermark, source, partition and offset", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 8; seed++) {
        const chance = makeChance(seed)
        const lines = randomTrades(chance, 120, 20_000).map(byShop)
        const [trades, returns] = [
          lines.filter((_, index) => index % 3 > 0),
          lines.filter((_, index) => index % 3 === 0)
        ]
        const met = [
          ...inMergedOrder(trades, 2000).map((each) => ({ ...each, source: 0 })),
          ...inMergedOrder(returns, 2000, Returns.partitions).map((each) => ({ ...each, source: 1 }))
        ]
        const order = met.toSorted((left, right) =>
          left.watermark === right.watermark
            ? left.source - right.source || left.partition - right.partition || left.offset - right.offset
            : left.watermark < right.watermark
              ? -1
              : 1
        )
        const nth = new Map<string, number>()
        const expected = order.map(({ line: { account, at, shop } }) => {
          nth.set(account, (nth.get(account) ?? 0) + 1)
          return `${account} ${nth.get(account)} ${shop} ${at}`
        })
        yield* Effect.gen(function* () {
          yield* append(TradesByShop, trades)
          yield* append(Returns, returns)
          const options = { epochRecords: chance.pick([1, 7, 50]), checkpointEveryMs: 0 }
          yield* Effect.exit(runToEnd(numbered, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(30))))
          yield* runToEnd(numbered, options)
          const found = (yield* readAll("steps")).map(({ value }) => {
            const { account, at, nth, shop } = JSON.parse(value) as Record<string, string>
            return `${account} ${nth} ${shop} ${Date.parse(at!)}`
          })
          assert.deepStrictEqual(found.toSorted(), expected.toSorted(), `seed ${seed}`)
        }).pipe(Effect.provide(world))
      }
    })
  )
})

class Newest extends Schema.Opaque<Newest>()(
  Schema.Struct({ account: Field.text(), window_end: Field.timestamp, shop: Field.text(), count: Field.int() })
) {}
const Newests = Topic.make("newests", { schema: Newest, key: "account", partitions: 1 })
const Copies = { ...TradesByShop, name: "copies" }
const startMs = Date.UTC(2026, 0, 14)

/** Shops of every partition of the source. */
const shops = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"]
const shopIn = (partition: number) => shops.find((shop) => partitionOf(shop, TradesByShop.partitions) === partition)!
const at = (account: string, second: number, partition: number): TradeLine =>
  byShop(trade(account, startMs + second * 1000, 100n, null, shopIn(partition)))

describe("records behind a repartition", () => {
  const byAccount = Flow.from(TradesByShop).pipe(Flow.keyBy("account", { name: "accounts", repartition: true }))

  it.live(
    "are the bytes that they were, with fields that no contract knows; what is wrong with them names their origin",
    () =>
      Effect.gen(function* () {
        const plain = at("A1", 1, 1)
        const odd: Line = { ...plain, value: plain.value.replace("{", '{ "unknown": [1],  ') }
        const failing: Line = at("bad", 2, 2)
        const job = Job.make("by-account", [
          byAccount.pipe(
            Flow.filter(({ account }) => {
              if (account === "bad") throw new RangeError("bad")
              return true
            }),
            Flow.to(Copies)
          )
        ])
        yield* append(TradesByShop, [at("A0", 0, 2), odd, failing])
        yield* runToEnd(job)
        const copies = yield* texts("copies")
        assert.include(copies, odd.value)
        assert.strictEqual(copies.length, 2)
        const [letter] = (yield* texts("dead-letter")).map((each) => JSON.parse(each) as Record<string, unknown>)
        assert.deepInclude(letter, {
          topic: "trades-by-shop",
          partition: 2,
          offset: 1,
          original: Buffer.from(failing.value).toString("base64")
        })
      }).pipe(Effect.provide(world))
  )

  it.live("of one event time are first and last by source partition and offset; a pattern sorts them by time", () =>
    Effect.gen(function* () {
      const twice = Pattern.on(TradesByShop)
        .begin("one", expr("amount > 0"))
        .followedBy("two", expr("amount > 0"))
        .within("1 minute")
      const job = Job.make("by-account", [
        byAccount.pipe(
          Flow.window(
            Window.tumbling("10 seconds", { allowedLateness: "0s" }),
            { count: count(), shop: last("shop") },
            { name: "newest" }
          ),
          Flow.to(Newests)
        ),
        byAccount.pipe(
          Flow.pattern(twice, { name: "twice" }),
          Flow.map(({ account, steps }): Step => ({
            account,
            nth: 0,
            shop: `${steps.one.shop} ${steps.two.shop}`,
            at: steps.two.at
          })),
          Flow.to(Steps)
        )
      ])
      yield* append(TradesByShop, [at("A1", 3, 2), at("A1", 3, 0), at("A1", 3, 1), at("A1", 2, 1), at("A1", 1, 2)])
      yield* runToEnd(job, { epochRecords: 1 })
      const newest = (yield* texts("newests")).map((each) => JSON.parse(each) as { shop: string; count: number })
      assert.deepStrictEqual(
        newest.map(({ count, shop }) => [shop, count]),
        [[shopIn(2), 5]]
      )
      const [pair] = (yield* texts("steps")).map((each) => JSON.parse(each) as { shop: string })
      assert.strictEqual(pair!.shop, `${shopIn(2)} ${shopIn(1)}`)
    }).pipe(Effect.provide(world))
  )
})

describe("a live job of two stages", () => {
  const job = repartitionedJob({ ...timing, sizeMs: 20_000, everyMs: 20_000, latenessMs: 0, idleAfterMs: 1000 }, 2)
  const options = { epochMs: 0, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
  const windows = Effect.map(texts("totals"), (lines) =>
    lines.map((each) => {
      const { account, count, window_end } = JSON.parse(each) as Record<string, string>
      return `${account} ${(Date.parse(window_end!) - startMs) / 1000} ${count}`
    })
  )

  it.effect("waits for a partition of its source that has said nothing, until that one is idle", () =>
    Effect.gen(function* () {
      yield* append(TradesByShop, [at("A1", 1, 0), at("A2", 2, 1), at("A1", 50, 0), at("A2", 51, 1)])
      const running = yield* Effect.forkChild(Job.run(job, options))
      yield* TestClock.adjust("900 millis")
      assert.deepStrictEqual(yield* windows, [])
      // nothing else comes that would open an epoch
      yield* eventually(
        "the windows of both accounts",
        Effect.map(windows, (all) => all.length === 2)
      )
      assert.deepStrictEqual((yield* windows).toSorted(), ["A1 20 1", "A2 20 1"])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("is told how far time has come in partitions that nothing goes to, and keeps little of its topic", () =>
    Effect.gen(function* () {
      // one account: the other internal partition is told by records without anything in them
      const lines = Array.from({ length: 60 }, (_, second) => [0, 1, 2].map((partition) => at("A1", second, partition)))
      const monitor = Job.monitor()
      const running = yield* Effect.forkChild(Job.run(job, { ...options, observer: monitor }))
      for (const each of lines) {
        yield* append(TradesByShop, each)
        yield* TestClock.adjust("300 millis")
      }
      const [, second] = monitor.status()
      assert.strictEqual(second!.topic, internalTopic)
      assert.strictEqual(second!.in, 180)
      assert.strictEqual(second!.watermarkMs, startMs + 57_000)
      const log = yield* Log
      const quiet = 1 - partitionOf("A1", 2)
      const record = yield* log.inForce({ uid: job.name, stage: internalTopic, shard: quiet })
      const { start } = (yield* log.bounds(internalTopic))[quiet]!
      assert.isAbove(start, 0)
      assert.isAtMost(start, record!.positions[0]!.offset)
      assert.deepStrictEqual((yield* windows).toSorted(), ["A1 20 60", "A1 40 60"])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )
})

describe("a join behind a repartition", () => {
  it.live("finds what the same join finds over a topic that has the key already", () =>
    Effect.gen(function* () {
      const paired = (
        source: typeof Trades | typeof TradesByShop,
        options: { readonly repartition: true; readonly partitions: number } | undefined
      ) => {
        const trades = Flow.from(source as typeof Trades).pipe(Flow.eventTime("at", { outOfOrderness: "2s" })) // of one form
        const keyed =
          options === undefined ? trades.pipe(Flow.keyBy("account")) : trades.pipe(Flow.keyBy("account", options))
        const losses = keyed.pipe(Flow.filter(expr("amount < 0")))
        return Job.make("paired", [
          keyed.pipe(
            Flow.filter(expr("amount > 0")),
            Flow.joinInterval(losses, { lower: "-5s", upper: "10s", name: "pairs" }, (gain, loss): Step => ({
              account: gain.account,
              nth: 0,
              shop: `${gain.shop} ${loss.shop}`,
              at: gain.at
            })),
            Flow.to(Steps)
          )
        ])
      }
      for (let seed = 1; seed <= 4; seed++) {
        const lines = randomTrades(makeChance(seed), 120, 8000)
        const found = (job: Job.Job, topic: typeof Trades, into: ReadonlyArray<TradeLine>) =>
          Effect.gen(function* () {
            yield* append(topic, into)
            yield* Effect.exit(runToEnd(job, { epochRecords: 7 }).pipe(crashAt("after-epoch-commit", 5)))
            yield* runToEnd(job, { epochRecords: 7 })
            return [(yield* texts("steps")).toSorted(), (yield* texts("ledger")).toSorted()] as const
          }).pipe(Effect.provide(world))
        const one = { ...Trades, partitions: 1 }
        const other = { ...TradesByShop, partitions: 1 } as unknown as typeof Trades // of one form
        const direct = yield* found(paired(one, undefined), one, lines)
        const moved = yield* found(paired(other, { repartition: true, partitions: 3 }), other, lines.map(byShop))
        assert.isAbove(direct[0].length, 20)
        assert.deepStrictEqual(moved, direct, `seed ${seed}`)
      }
    })
  )
})

class Shop extends Schema.Opaque<Shop>()(Schema.Struct({ account: Field.text(), city: Field.text() })) {}
const Accounts = Topic.make("accounts", { schema: Shop, key: "account", partitions: 3 })
class Placed extends Schema.Opaque<Placed>()(
  Schema.Struct({ account: Field.text(), city: Field.optional(Field.text()), shop: Field.text() })
) {}
const PlacedTrades = Topic.make("placed", { schema: Placed, key: "account", partitions: 1 })

describe("a table behind a repartition", () => {
  it.live("is joined by the key that the records were brought to, in as many partitions as it has", () =>
    Effect.gen(function* () {
      const job = Job.make("joined", [
        Flow.from(TradesByShop).pipe(
          Flow.keyBy("account"),
          Flow.joinTable(Accounts, { on: "account", take: ["city"] }),
          Flow.map(({ account, city, shop }): Placed => ({ account, city, shop })),
          Flow.to(PlacedTrades)
        )
      ])
      const names = ["A0", "A1", "A2", "A3", "A4", "A5"]
      const rows = names.map((account): Line => ({
        key: account,
        value: JSON.stringify({ account, city: `c${account}` })
      }))
      yield* append(Accounts, rows)
      yield* append(
        TradesByShop,
        names.map((account, index) => at(account, index, index % 3))
      )
      yield* runToEnd(job, { epochRecords: 1 })
      const found = (yield* texts("placed")).map((each) => JSON.parse(each) as { account: string; city: string })
      assert.deepStrictEqual(
        found.map(({ account, city }) => `${account} ${city}`).toSorted(),
        names.map((account) => `${account} c${account}`)
      )
    }).pipe(Effect.provide(world))
  )
})

describe("a version of a job with other sources", () => {
  const over = (...sources: ReadonlyArray<typeof TradesByShop>) =>
    Job.make("numbered", [
      sources
        .map((source) => Flow.from(source).pipe(Flow.eventTime("at", { outOfOrderness: "2s" })))
        .reduce((left, right) => left.pipe(Flow.merge(right)))
        .pipe(
          Flow.keyBy("account", { name: "accounts", partitions: 2 }),
          Flow.filter(() => true),
          Flow.mapWithState(
            { name: "nth", schema: Schema.Finite, initial: () => 0, ttl: "1 day" },
            (nth, { account, at, shop }: TradeOf) => [nth + 1, [{ account, nth: nth + 1, shop, at }]]
          ),
          Flow.to(Steps)
        )
    ])
  const First = { ...TradesByShop, name: "first" } as unknown as typeof TradesByShop // another topic of the same form
  const Second = { ...TradesByShop, name: "second" } as unknown as typeof TradesByShop // as above

  it.live("is stopped with the way out: positions and places count sources in their order", () =>
    Effect.gen(function* () {
      yield* append(First, [at("A1", 1, 0), at("A2", 2, 1)])
      yield* append(Second, [at("A1", 1, 0)])
      yield* runToEnd(over(First, Second))
      assert.strictEqual((yield* texts("steps")).length, 3)
      for (const job of [over(Second, First), over(First)]) {
        const failure = yield* Effect.flip(runToEnd(job))
        assert.strictEqual(failure.reason, "StateDiffers")
        assert.include(failure.message, "first, second")
      }
      yield* append(First, [at("A1", 3, 0)])
      yield* runToEnd(over(First, Second))
      assert.strictEqual((yield* texts("steps")).length, 4)
    }).pipe(Effect.provide(world))
  )
})
