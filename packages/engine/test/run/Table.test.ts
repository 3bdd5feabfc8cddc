/** The join of a stream with a table: what a record is joined with, and when. */
import { expr, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Flow, Job, Log, type ReadRecords, trimLog } from "../../src/index.ts"
import { jobProgress } from "../../src/run/JobProgress.ts"
import { makeChance } from "../support/Chance.ts"
import { atPoint, eventually, onLog } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import {
  assertChecks,
  checkedJob,
  CheckedOrders,
  checking,
  checks,
  goneLine,
  limitLine,
  Limits,
  orderLine,
  Orders,
  randomRound
} from "../support/Limits.ts"

const round = randomRound(makeChance(1), 0, 60)

describe("a join with a table", () => {
  it.live(
    "takes the latest row of the key, none of a key that was deleted; also when the orders were there first",
    () =>
      Effect.gen(function* () {
        yield* append(Orders, round.orders)
        yield* append(Limits, round.rows)
        yield* runToEnd(checkedJob, { epochRecords: 7 })
        yield* assertChecks([round], "seed 1")
      }).pipe(Effect.provide(world))
  )

  it.live("counts the table apart from the source, and says what of it does not decode under its own topic", () =>
    Effect.gen(function* () {
      const broken = round.rows.filter(({ value }) => value !== "" && !value.startsWith("{")).length
      assert.isAbove(broken, 0)
      yield* append(Orders, [...round.orders, { key: "C1", value: "no order" }])
      yield* append(Limits, round.rows)
      const monitor = Job.monitor()
      yield* runToEnd(checkedJob, { observer: monitor })
      const [status] = monitor.status()
      const table = { limits: { in: round.rows.length, deadLettered: broken } }
      assert.strictEqual(status?.in, round.orders.length + 1)
      assert.strictEqual(status?.deadLettered, 1)
      assert.strictEqual(status?.in, status!.out["checked"]! + status!.deadLettered)
      assert.deepStrictEqual(status?.tables, table)
      assert.deepStrictEqual((yield* jobProgress([checkedJob]))[0]?.counts.tables, table)
      const letters = (yield* readAll("dead-letter")).map(({ value }) => (JSON.parse(value) as { topic: string }).topic)
      assert.deepStrictEqual(letters.toSorted(), [...Array<string>(broken).fill("limits"), "orders"])
    }).pipe(Effect.provide(world))
  )

  it.live("gives fields that are added up like those of the records themselves", () =>
    Effect.gen(function* () {
      yield* append(Orders, [orderLine(1, "C1"), orderLine(2, "C2"), orderLine(4, "C1"), orderLine(8, "nobody")])
      yield* append(Limits, [limitLine("C1", "10.25", "gold"), limitLine("C2", "0.50")])
      const joined = Flow.from(Orders).pipe(Flow.joinTable(Limits, { on: "customer", take: ["limit", "segment"] }))
      const job = Job.make("totals", [
        joined.pipe(Flow.total("limits", { sum: "limit" })),
        joined.pipe(Flow.total("cents", { sum: "cents" })),
        joined.pipe(Flow.filter(expr("segment == 'gold'")), Flow.total("gold", { sum: "limit" }))
      ])
      const monitor = Job.monitor()
      yield* runToEnd(job, { observer: monitor })
      assert.deepStrictEqual(monitor.status()[0]?.totals, {
        limits: { records: 4, sum: "21.00" },
        cents: { records: 4, sum: "15" },
        gold: { records: 2, sum: "20.50" }
      })
    }).pipe(Effect.provide(world))
  )

  it.live("tells how much of the table it has not taken", () =>
    Effect.gen(function* () {
      yield* append(Orders, round.orders)
      yield* append(Limits, round.rows)
      const lags = Effect.map(jobProgress([checkedJob]), ([stage]) => [stage?.lag, stage?.tableLags])
      assert.deepStrictEqual(yield* lags, [round.orders.length, { limits: round.rows.length }])
      yield* runToEnd(checkedJob)
      assert.deepStrictEqual(yield* lags, [0, { limits: 0 }])
      yield* append(Limits, [limitLine("C1", "9.5"), limitLine("C2", "9.5"), limitLine("C3", "9.5")])
      assert.deepStrictEqual(yield* lags, [0, { limits: 3 }])
    }).pipe(Effect.provide(world))
  )

  it.effect("waits in a bounded run until the table is complete", () =>
    Effect.gen(function* () {
      yield* append(Orders, [orderLine(0, "C1")])
      yield* append(Limits, [limitLine("C1", "1.5")])
      let complete = false
      const inputComplete = (topic: string) => Effect.sync(() => topic !== "limits" || complete)
      const running = yield* Effect.forkChild(runToEnd(checkedJob, { inputComplete }))
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(yield* checks, [])
      yield* append(Limits, [limitLine("C1", "2.5")])
      complete = true
      yield* eventually(
        "the end",
        Effect.sync(() => running.pollUnsafe() !== undefined)
      )
      yield* Fiber.join(running)
      assert.deepStrictEqual(yield* checks, ["o0 2.5 null"])
    }).pipe(Effect.provide(world))
  )

  it.effect("sees, live, what the table held when the record was committed, also what came while it was read", () =>
    Effect.gen(function* () {
      for (const topic of [Orders, Limits, CheckedOrders]) yield* append(topic, [])
      const log = yield* Log
      let late = false
      // the customer and the order come between the look at the table and the look at the source
      const between = onLog(({ read }) => ({
        read: (topic, partition, offset, limits) =>
          late || topic !== "orders" || partition !== partitionOf("C1", Orders.partitions)
            ? read(topic, partition, offset, limits)
            : Effect.andThen(
                Effect.provideService(
                  Effect.andThen(
                    append(Limits, [limitLine("C1", "7.5", "gold")]),
                    append(Orders, [orderLine(1, "C1")])
                  ),
                  Log,
                  log
                ),
                Effect.suspend(() => {
                  late = true
                  return read(topic, partition, offset, limits)
                })
              ).pipe(Effect.orDie)
      }))
      const running = yield* Effect.forkChild(Job.run(checkedJob).pipe(between))
      const count = (n: number) =>
        eventually(
          `check ${n}`,
          Effect.map(checks, ({ length }) => length === n)
        )
      yield* count(1)
      yield* append(Limits, [goneLine("C1")])
      yield* append(Orders, [orderLine(2, "C1")])
      yield* count(2)
      yield* append(Limits, [limitLine("C1", "8.5")])
      yield* append(Orders, [orderLine(3, "C1")])
      yield* count(3)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(yield* checks, ["o1 7.5 gold", "o2 null null", "o3 8.5 null"])
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "sees what the table held when the record was committed, of a log that remembers where nothing was, too",
    () =>
      Effect.gen(function* () {
        for (const topic of [Orders, Limits, CheckedOrders]) yield* append(topic, [])
        // as of another thread or process: it knows nothing of what was committed here
        let remembers = false
        const empty = new Map<string, ReadRecords>()
        const remembering = onLog(({ read }) => ({
          read: (topic, partition, offset, limits) => {
            const found = empty.get(`${topic}/${partition}/${offset}`)
            if (remembers && topic === "limits" && limits.now !== true && found !== undefined)
              return Effect.succeed(found)
            return Effect.tap(read(topic, partition, offset, limits), (batch) =>
              Effect.sync(() => void (batch.length === 0 && empty.set(`${topic}/${partition}/${offset}`, batch)))
            )
          }
        }))
        const running = yield* Effect.forkChild(remembering(Job.run(checkedJob)))
        yield* TestClock.adjust(500)
        remembers = true
        yield* append(Limits, [limitLine("C1", "7.5", "gold")])
        yield* append(Orders, [orderLine(1, "C1")])
        yield* eventually(
          "the check",
          Effect.map(checks, ({ length }) => length === 1)
        )
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(yield* checks, ["o1 7.5 gold"])
      }).pipe(Effect.provide(world))
  )

  it.live("reads a table from its first record when the job joins with it anew, or takes more of it", () =>
    Effect.gen(function* () {
      const join = (take: ReadonlyArray<"limit" | "segment">) => checking(undefined, take)
      const without = Job.make("checked-orders", [Flow.from(Orders).pipe(Flow.to(CheckedOrders))])
      yield* append(Limits, [limitLine("C1", "1.5", "gold")])
      const versions = [without, join(["limit"]), join(["limit", "segment"]), without, join(["segment"]), checkedJob]
      for (const [index, version] of versions.entries()) {
        yield* append(Orders, [orderLine(index, "C1")])
        yield* runToEnd(version, { checkpointEveryMs: 0 })
      }
      assert.deepStrictEqual(yield* checks, [
        "o0 null null",
        "o1 1.5 null",
        "o2 1.5 gold",
        "o3 null null",
        "o4 null gold",
        "o5 1.5 gold"
      ])
    }).pipe(Effect.provide(world))
  )

  it.live("keeps its table's topic whole, whoever knows of the job", () =>
    Effect.gen(function* () {
      yield* append(Limits, [limitLine("C1", "1.5"), limitLine("C1", "2.5")])
      yield* append(Orders, [orderLine(0, "C1")])
      yield* runToEnd(checkedJob)
      const trimmed = yield* trimLog({ readers: [], ageMs: -60_000 })
      assert.include(
        trimmed.map(({ topic }) => topic),
        "orders"
      )
      assert.notInclude(
        trimmed.map(({ topic }) => topic),
        "limits"
      )
    }).pipe(Effect.provide(world))
  )
})

describe("rule 9, for tables", () => {
  const replaceTable = Effect.gen(function* () {
    const log = yield* Log
    yield* log.deleteTopic("limits")
    yield* append(Limits, [limitLine("C1", "9.5")])
  })
  const assertStops = <E extends { readonly message: string }>(run: Effect.Effect<void, E, never>) =>
    Effect.map(Effect.flip(run), (failure) => {
      assert.propertyVal(failure, "reason", "TopicRecreated")
      assert.include(failure.message, "topic limits was deleted and made anew")
    })

  it.live("a table made anew stops the job when it starts", () =>
    Effect.gen(function* () {
      yield* append(Limits, [limitLine("C1", "1.5")])
      yield* append(Orders, [orderLine(0, "C1")])
      yield* runToEnd(checkedJob)
      yield* replaceTable
      yield* append(Orders, [orderLine(1, "C1")])
      const services = yield* Effect.context<Effect.Services<ReturnType<typeof runToEnd<never>>>>()
      yield* assertStops(Effect.provide(runToEnd(checkedJob), services))
      assert.include((yield* jobProgress([checkedJob]))[0]?.problem, "limits was deleted and made anew")
    }).pipe(Effect.provide(world))
  )

  it.live("a table made anew stops a running job before it commits", () =>
    Effect.gen(function* () {
      yield* append(Limits, [limitLine("C1", "1.5")])
      yield* append(Orders, [orderLine(0, "C1"), orderLine(1, "C1")])
      const services = yield* Effect.context<Effect.Services<ReturnType<typeof runToEnd<never>>>>()
      const replacing = atPoint("after-epoch-commit", 1, Effect.orDie(Effect.provide(replaceTable, services)))
      yield* assertStops(Effect.provide(runToEnd(checkedJob, { epochRecords: 1 }).pipe(replacing), services))
      assert.deepStrictEqual(yield* checks, [])
    }).pipe(Effect.provide(world))
  )
})
