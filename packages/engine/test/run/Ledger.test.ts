/** What the ledger says of records that no operator took: counts by blocks of offsets, letters and failures one by one. */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Schema } from "effect"
import { Flow, Job, Ledger } from "../../src/index.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, type Line, readAll, runToEnd, TestDeadLetters, worldWithoutLedger } from "../support/Harness.ts"

class Entry extends Schema.Opaque<Entry>()(
  Schema.Struct({
    operator: Field.text(),
    reason: Field.text(),
    key: Field.optional(Field.text()),
    at: Field.optional(Field.double()),
    partition: Field.int(),
    from: Field.int(),
    to: Field.int(),
    count: Field.int()
  })
) {}
const Entries = Topic.make("ledger", { schema: Entry, key: undefined, partitions: 1 })

const world = Layer.merge(
  worldWithoutLedger,
  Layer.succeed(Ledger, {
    topic: Entries,
    make: () => assert.fail("nothing is late here"),
    makeLetter: ({ eventTime, key, offset, operator, partition, reason }) => ({
      operator,
      reason,
      key: key ?? null,
      at: eventTime ?? null,
      partition,
      from: offset,
      to: offset,
      count: 1
    }),
    makeFiltered: ({ count, offsetFrom, offsetTo, operator, partition }) => ({
      operator,
      reason: "filtered",
      key: null,
      at: null,
      partition,
      from: offsetFrom,
      to: offsetTo,
      count
    })
  })
)

class Order extends Schema.Opaque<Order>()(
  Schema.Struct({ id: Field.text(), account: Field.text(), cents: Field.int(), at: Field.timestamp })
) {}
const Orders = Topic.make("orders", { schema: Order, key: "account", eventTime: "at", partitions: 2 })
const copies = (name: string) => Topic.make(name, { schema: Order, key: "account", partitions: 1 })

class TooCheap extends Schema.TaggedError<TooCheap>()("TooCheap", { message: Schema.String }) {}

const orders = Flow.from(Orders)
const { dear } = orders.pipe(Flow.route({ dear: expr("cents > 900"), medium: expr("cents > 500") }))
const job = Job.make("orders", [
  orders.pipe(Flow.filter(expr("cents % 3 == 0")), Flow.named("thirds"), Flow.to(copies("thirds"))),
  orders.pipe(
    Flow.filter(({ cents }) => cents % 5 === 0),
    Flow.named("fifths"),
    Flow.map((order) => {
      if (order.cents === 35) throw new Error("35")
      return order
    }),
    Flow.named("throws"),
    Flow.mapResult((order) =>
      order.cents < 10 ? Result.fail(new TooCheap({ message: "too cheap" })) : Result.succeed(order)
    ),
    Flow.orDeadLetter(copies("cheap"), ({ record }) => record),
    Flow.named("cheap"),
    Flow.to(copies("fifths"))
  ),
  dear.pipe(Flow.to(copies("dear")))
])

const byId = Job.make("by-id", [
  orders.pipe(
    Flow.keyBy("id", { repartition: true, partitions: 2 }),
    Flow.filter(expr("cents > 900")),
    Flow.named("dear"),
    Flow.to(copies("by-id"))
  )
])

const startMs = Date.UTC(2026, 0, 14)
const lines = (count: number): ReadonlyArray<Line> =>
  Array.from({ length: count }, (_, i) => {
    const account = `A${i % 5}`
    const at = new Date(startMs + i * 10).toISOString()
    return {
      key: account,
      value: i % 97 === 96 ? "{torn" : JSON.stringify({ id: `o${i}`, account, cents: i % 1000, at })
    }
  })

interface CountEntry {
  readonly operator: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly count: number
}

const blockOf = (offset: number) => Math.floor(offset / 10_000)

/** The ledger by plain loops over what the topic holds. */
const expectedOf = (read: ReadonlyArray<{ partition: number; offset: number; key: string | null; value: string }>) => {
  const counted = new Map<string, { from: number; to: number; count: number }>()
  const entries: Array<string> = []
  for (const { key, offset, partition, value } of read) {
    const one = (operator: string, reason: string, at?: number) =>
      entries.push(JSON.stringify({ operator, reason, key, at, partition, from: offset, to: offset, count: 1 }))
    if (value === "{torn") {
      one("orders", "dead_letter")
      continue
    }
    const { at, cents }: { at: string; cents: number } = JSON.parse(value)
    const leaves = [
      ...(cents % 3 === 0 ? [] : ["thirds"]),
      ...(cents % 5 === 0 ? [] : ["fifths"]),
      // a branch that nobody uses leads nowhere either
      ...(cents > 900 ? [] : ["route@orders"])
    ]
    for (const operator of leaves) {
      const name = `${operator} ${partition} ${blockOf(offset)}`
      const range = counted.get(name) ?? { from: offset, to: offset, count: 0 }
      counted.set(name, { from: range.from, to: offset, count: range.count + 1 })
    }
    if (cents === 35) one("throws", "failed", Date.parse(at))
    if (cents === 0 || cents === 5) one("cheap", "failed", Date.parse(at))
  }
  for (const [name, { count, from, to }] of counted) {
    const [operator, partition] = name.split(" ")
    entries.push(
      JSON.stringify({
        operator,
        reason: "filtered",
        partition: Number(partition),
        from,
        to,
        count
      })
    )
  }
  return entries.toSorted()
}

const found = Effect.map(readAll("ledger"), (entries) => entries.map(({ value }) => value).toSorted())

describe("the ledger", () => {
  it.live("counts what conditions leave out by blocks of offsets, and names letters and failures", () =>
    Effect.gen(function* () {
      yield* append(Orders, lines(45_000))
      const monitor = Job.monitor()
      yield* runToEnd(job, { epochRecords: 7_000, observer: monitor })
      const expected = expectedOf(yield* readAll("orders"))
      assert.deepStrictEqual(yield* found, expected)
      assert.isAbove(expected.filter((entry) => entry.includes("filtered")).length, 12)
      // and what is counted is what was written
      const counted = Object.values(monitor.status()[0]!.ledger).reduce((sum, count) => sum + count, 0)
      assert.strictEqual(counted, expected.length)
      // every record is somewhere
      const written = yield* readAll("fifths")
      const failed = expected.filter((entry) => entry.includes('"failed"')).length
      const torn = (yield* readAll(TestDeadLetters.name)).filter(
        ({ value }) => !value.includes("operator_failed")
      ).length
      const left = expected.flatMap((entry) =>
        entry.includes('"fifths"') ? [Number(/count":(\d+)/.exec(entry)![1])] : []
      )
      assert.strictEqual(written.length + failed + torn + left.reduce((sum, count) => sum + count, 0), 45_000)
    }).pipe(Effect.provide(world))
  )

  for (const point of epochPoints.slice(0, 4)) {
    it.live(`is the same after crashes at ${point}`, () =>
      Effect.gen(function* () {
        yield* append(Orders, lines(30_000))
        let died = false
        for (const nth of [1, 3, 4]) {
          const exit = yield* Effect.exit(runToEnd(job, { epochRecords: 4_000 }).pipe(crashAt(point, nth)))
          died ||= Exit.isFailure(exit)
        }
        assert.isTrue(died)
        yield* runToEnd(job, { epochRecords: 4_000 })
        const written = yield* found
        const expected = expectedOf(yield* readAll("orders"))
        assert.deepStrictEqual(written, expected)
      }).pipe(Effect.provide(world))
    )
  }

  it.live("is written in blocks while the job runs on, and open ones go on after a restart", () =>
    Effect.gen(function* () {
      const all = lines(24_000)
      const unfinished = { epochRecords: 1_000, bounded: false }
      yield* append(Orders, all.slice(0, 12_000))
      yield* Effect.timeoutOption(Job.run(job, unfinished), 400)
      const before = (yield* found).filter((entry) => entry.includes("filtered"))
      assert.deepStrictEqual(before, [])
      yield* append(Orders, all.slice(12_000))
      yield* runToEnd(job)
      assert.deepStrictEqual(yield* found, expectedOf(yield* readAll("orders")))
    }).pipe(Effect.provide(world))
  )

  it.live("counts behind a repartition by where the records came into the job", () =>
    Effect.gen(function* () {
      const cents = 997
      const all = Array.from({ length: 25_000 }, (_, i): Line => ({
        key: `A${i % 5}`,
        value: JSON.stringify({
          id: `o${i % 7}`,
          account: `A${i % 5}`,
          cents: i % cents,
          at: new Date(startMs + i * 10).toISOString()
        })
      }))
      yield* append(Orders, all)
      yield* runToEnd(byId, { epochRecords: 5_000 })
      const entries = (yield* found).map((entry) => JSON.parse(entry) as CountEntry) // of the topic above
      const expected = new Map<string, number>()
      for (const { offset, partition, value } of yield* readAll("orders")) {
        const place = `${partition} ${blockOf(offset)}`
        const order: { cents: number } = JSON.parse(value)
        if (order.cents <= 900) expected.set(place, (expected.get(place) ?? 0) + 1)
      }
      assert.deepStrictEqual(
        entries
          .map(({ count, from, operator, partition }) => `${operator} ${partition} ${blockOf(from)} ${count}`)
          .toSorted(),
        // both shards behind it count what comes to them
        entries
          .map(({ operator, partition, to, count }) => `${operator} ${partition} ${blockOf(to)} ${count}`)
          .toSorted()
      )
      const sums = new Map<string, number>()
      for (const { count, from, partition } of entries) {
        const place = `${partition} ${blockOf(from)}`
        sums.set(place, (sums.get(place) ?? 0) + count)
      }
      assert.deepStrictEqual(Object.fromEntries(sums), Object.fromEntries(expected))
      assert.isAtMost(entries.length, 2 * expected.size)
    }).pipe(Effect.provide(world))
  )
})
