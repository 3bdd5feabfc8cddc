/** What windows say of records that lead, of bounds, of nothing at all, and what may follow them. */
import { Field, partitionOf, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { count, Flow, Job, Window } from "../../src/index.ts"
import { append, readAll, runToEnd, world, worldWithoutLedger } from "../support/Harness.ts"
import { trade, type TradeLine, Trades } from "../support/Trades.ts"

class Count extends Schema.Opaque<Count>()(
  Schema.Struct({ account: Field.text(), window_start: Field.timestamp, revision: Field.int(), count: Field.int() })
) {}
const Counts = Topic.make("counts", { schema: Count, key: "account", partitions: 1 })

const trades = Flow.from(Trades).pipe(Flow.eventTime("at", { outOfOrderness: "0s" }), Flow.keyBy("account"))
const minutes = () =>
  Job.make("minutes", [
    trades.pipe(
      Flow.window(Window.tumbling("1 minute", { allowedLateness: "0s" }), { count: count() }),
      Flow.to(Counts)
    )
  ])

const dayMs = Date.UTC(2026, 0, 14)
const at = (minute: number, account = "A") => trade(account, dayMs + minute * 60_000, 100n)

/** Another account of the same partition. */
const neighbour = Array.from({ length: 100 }, (_, index) => `B${index}`).find(
  (account) => partitionOf(account, Trades.partitions) === partitionOf("A", Trades.partitions)
)!

interface Found {
  readonly account: string
  readonly window_start: string
  readonly count: number
}

/** Windows as `account minute: count`, the ledger as `reason minute`, both in the order they were written. */
const run = (lines: ReadonlyArray<TradeLine>, job: Job.Job = minutes()) =>
  Effect.gen(function* () {
    yield* append(Trades, lines)
    const monitor = Job.monitor()
    yield* runToEnd(job, { observer: monitor })
    const minuteOf = (time: string) => (Date.parse(time) - dayMs) / 60_000
    const windows = (yield* readAll("counts")).map(({ value }) => {
      const found = JSON.parse(value) as Found
      return `${found.account} ${minuteOf(found.window_start)}: ${found.count}`
    })
    const ledger = (yield* readAll("ledger")).map(({ value }) => {
      const entry = JSON.parse(value) as { reason: string; event_timestamp: string; lateness_ms?: number }
      return `${entry.reason} ${minuteOf(entry.event_timestamp)}`
    })
    return { windows, ledger, status: monitor.status()[0]! }
  }).pipe(Effect.provide(world))

describe("a record far ahead of its topic", () => {
  it.live("is entered and used, and closes nobody's windows", () =>
    Effect.gen(function* () {
      const found = yield* run([at(0), at(1), at(600), at(1), at(2), at(1.5)])
      // without the bound, everything after minute 600 would be late
      assert.deepStrictEqual(found.windows, ["A 0: 1", "A 1: 2", "A 2: 1", "A 600: 1"])
      assert.deepStrictEqual(found.ledger, ["lead 600", "late 1.5"])
      assert.deepStrictEqual(found.status.ledger, { lead: 1, late: 1 })
      assert.strictEqual(found.status.late, 1)
    })
  )

  it.live("moves time at once where the flow says that it may be as far ahead", () =>
    Effect.gen(function* () {
      const far = Flow.from(Trades).pipe(
        Flow.eventTime("at", { outOfOrderness: "0s", lead: "10 hours" }),
        Flow.keyBy("account"),
        Flow.window(Window.tumbling("1 minute", { allowedLateness: "0s" }), { count: count() }),
        Flow.to(Counts)
      )
      const found = yield* run([at(0), at(599), at(1), at(2000), at(1190)], Job.make("far", [far]))
      assert.deepStrictEqual(found.ledger, ["late 1", "lead 2000"])
      assert.deepStrictEqual(found.windows, ["A 0: 1", "A 599: 1", "A 1190: 1", "A 2000: 1"])
    })
  )

  it.live("moves time when the rest follows: it was the topic that had been silent", () =>
    Effect.gen(function* () {
      const found = yield* run([at(0), at(600), at(601), at(602, neighbour), at(603), at(5)])
      assert.deepStrictEqual(found.ledger, ["lead 600", "lead 601", "lead 602", "late 5"])
      assert.deepStrictEqual(found.windows, ["A 0: 1", "A 600: 1", "A 601: 1", `${neighbour} 602: 1`, "A 603: 1"])
    })
  )

  it.live("closes nobody's windows when one key sends many of them in a row: its clock is wrong", () =>
    Effect.gen(function* () {
      const wrong = (count: number, from: number) =>
        Array.from({ length: count }, (_, index) => at(525_600 + from + index, "A"))
      const right = (minute: number) => at(minute, neighbour)
      const found = yield* run([right(0), ...wrong(40, 0), right(1), ...wrong(99, 40), right(2), right(3)])
      assert.deepStrictEqual([...new Set(found.ledger.map((entry) => entry.split(" ")[0]))], ["lead"])
      assert.strictEqual(found.ledger.length, 139)
      assert.deepStrictEqual(
        found.windows.filter((each) => each.startsWith(neighbour)),
        [0, 1, 2, 3].map((minute) => `${neighbour} ${minute}: 1`)
      )
    })
  )

  it.live("moves time when there is one key only and it goes on: the topic had been silent", () =>
    Effect.gen(function* () {
      const found = yield* run([at(0), ...Array.from({ length: 101 }, (_, index) => at(600 + index)), at(5)])
      // the hundredth is of minute 699, and time is then that of the last three
      assert.deepStrictEqual(found.ledger.slice(-2), ["lead 699", "late 5"])
      assert.strictEqual(found.ledger.length, 101)
    })
  )
})

describe("windows", () => {
  it.live("without records give nothing, in (end, key) order otherwise", () =>
    Effect.gen(function* () {
      const found = yield* run([at(0, "A"), at(0.2, "A"), at(5, "A"), at(6, "A")])
      assert.deepStrictEqual(found.windows, ["A 0: 2", "A 5: 1", "A 6: 1"])
      assert.deepStrictEqual((yield* run([])).windows, [])
    })
  )

  it.live("that would be one too many for a key are not opened: the record is entered", () =>
    Effect.gen(function* () {
      const lines = [at(0), at(10), at(20), at(0.5), at(30)]
      const slow = Job.make("slow", [
        Flow.from(Trades).pipe(
          Flow.eventTime("at", { outOfOrderness: "1 day" }),
          Flow.keyBy("account"),
          Flow.window(Window.tumbling("1 minute", { allowedLateness: "0s", windowsOpenPerKeyMax: 2 }), {
            count: count()
          }),
          Flow.to(Counts)
        )
      ])
      const found = yield* run(lines, slow)
      assert.deepStrictEqual(found.windows, ["A 0: 2", "A 10: 1"])
      assert.deepStrictEqual(found.ledger, ["evicted 20", "evicted 30"])
      assert.deepStrictEqual(found.status.ledger, { evicted: 2 })
    })
  )

  it.live("tell when some of a record's windows were closed", () =>
    Effect.gen(function* () {
      const hopping = Job.make("hopping", [
        trades.pipe(
          Flow.window(Window.hopping("2 minutes", { every: "1 minute", allowedLateness: "0s" }), { count: count() }),
          Flow.to(Counts)
        )
      ])
      const found = yield* run([at(0), at(2), at(1.5)], hopping)
      assert.deepStrictEqual(found.ledger, ["dropped 1.5"])
      assert.deepStrictEqual(found.windows, ["A -1: 1", "A 0: 1", "A 1: 2", "A 2: 1"])
    })
  )

  it.live("do not run without a ledger", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(runToEnd(minutes()))
      assert.isTrue(Exit.hasDies(exit))
      assert.include(String(exit), "need a Ledger")
    }).pipe(Effect.provide(worldWithoutLedger))
  )
})
