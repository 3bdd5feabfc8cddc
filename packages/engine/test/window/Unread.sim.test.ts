/**
 * A partition in which something stands that was not read yet is not silent, whatever kept it from being read: an answer that
 * came late, a log that remembers for a moment where nothing was, a transaction under way, another owner, a live run before.
 * No record becomes late by the time of others that were committed after it.
 */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job, Log, type LogShape, type ReadRecords, shardWork } from "../../src/index.ts"
import type { ShardDetail } from "../../src/run/ShardDetail.ts"
import { fakeInstance, runOn } from "../support/FakeInstances.ts"
import { eventually, onLog } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { trade, Trades, tradesJob } from "../support/Trades.ts"

const job = tradesJob({
  sizeMs: 20_000,
  everyMs: 20_000,
  latenessMs: 0,
  outOfOrdernessMs: 2000,
  idleAfterMs: 1000
})
const options = { epochMs: 0, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
const startMs = Date.UTC(2026, 0, 14)

/** Two accounts of different partitions, of which the quiet one's is read first. */
const [quietShard, busyShard] = [0, 1] as const
const [quiet, busy] = [quietShard, busyShard].map((shard) =>
  Array.from({ length: 20 }, (_, n) => `A${n}`).find((each) => partitionOf(each, Trades.partitions) === shard)!
) as [string, string]
const at = (account: string, second: number) => trade(account, startMs + second * 1000, 100n)

/** `second count` of each result of the quiet account. */
const quietResults = Effect.map(
  Effect.orElseSucceed(readAll("totals"), () => []),
  (lines) =>
    lines
      .map(({ value }) => JSON.parse(value) as Record<string, string | number>)
      .filter(({ account }) => account === quiet)
      .map(({ count, window_end }) => `${(Date.parse(String(window_end)) - startMs) / 1000} ${count}`)
)
const late = Effect.map(
  Effect.orElseSucceed(readAll("ledger"), () => []),
  (lines) => lines.length
)

const detailOf = Effect.fnUntraced(function* (shard: number) {
  const log = yield* Log
  const record = yield* log.inForce({ uid: "trades", stage: "trades", shard })
  return record?.detail as ShardDetail | undefined // the engine's own
})
const isIdle = Effect.map(detailOf(quietShard), (detail) => detail?.idle === true)
/** Until a partition has taken in everything. */
const taken = Effect.fnUntraced(function* (shard: number) {
  const log = yield* Log
  const record = yield* log.inForce({ uid: "trades", stage: "trades", shard })
  const end = (yield* log.bounds("trades")).find(({ partition }) => partition === shard)!.end
  return record?.positions[0]?.offset === end
})
const allTaken = Effect.map(Effect.all([taken(quietShard), taken(busyShard)]), (each) => each.every(Boolean))

/** The quiet one's reads of the source, changed. */
const quietReads = (
  change: (
    real: Effect.Effect<ReadRecords, never>,
    limits: Parameters<LogShape["read"]>[3],
    offset: number
  ) => Effect.Effect<ReadRecords>
) =>
  onLog(({ read }) => ({
    read: (topic, partition, offset, limits) => {
      const real = read(topic, partition, offset, limits)
      return topic === "trades" && partition === quietShard ? change(Effect.orDie(real), limits, offset) : real
    }
  }))

/** As a log says that it found nothing. */
const nothingAt = (offset: number): ReadRecords => ({
  length: 0,
  bytes: new Uint8Array(0),
  valueStarts: new Int32Array(0),
  valueEnds: new Int32Array(0),
  keyStarts: new Int32Array(0),
  keyEnds: new Int32Array(0),
  headers: new Map(),
  offsets: new Float64Array(0),
  timestamps: new Float64Array(0),
  next: offset
})

const firstRecords = [at(quiet, 5), at(busy, 6)]
/** In the window of the quiet one's first, committed before what would close it. */
const beforeAndAfter = Effect.andThen(append(Trades, [at(quiet, 15)]), append(Trades, [at(busy, 41)]))
/** Nothing was late, and the quiet one's next record closes a window with both. */
const assertBoth = Effect.gen(function* () {
  yield* append(Trades, [at(quiet, 45)])
  yield* eventually(
    "the window",
    Effect.map(quietResults, (found) => found.length > 0)
  )
  assert.deepStrictEqual(yield* quietResults, ["20 2"])
  assert.strictEqual(yield* late, 0)
})

describe("a partition that was not read to its end", () => {
  it.effect("is not silent when the answer that it is empty took longer than silence is waited for", () =>
    Effect.gen(function* () {
      yield* append(Trades, firstRecords)
      let slow = false
      const real = yield* Log
      const slowly = quietReads((read) =>
        Effect.flatMap(read, (batch) => {
          if (!slow || batch.length > 0) return Effect.succeed(batch)
          slow = false
          // the answer is on its way while both go on
          return Effect.as(
            Effect.andThen(Effect.provideService(Effect.orDie(beforeAndAfter), Log, real), Effect.sleep(1500)),
            batch
          )
        })
      )
      const running = yield* Effect.forkChild(slowly(Job.run(job, options)))
      yield* eventually("the first records", allTaken)
      slow = true
      yield* eventually(
        "the answer",
        Effect.sync(() => !slow)
      )
      yield* TestClock.adjust(2000)
      yield* eventually("the rest", allTaken)
      yield* assertBoth
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("takes over no time while the log only remembers that it was empty", () =>
    Effect.gen(function* () {
      yield* append(Trades, firstRecords)
      let remembers = false
      const remembering = quietReads((read, limits, offset) =>
        remembers && limits.now !== true ? Effect.succeed(nothingAt(offset)) : read
      )
      const running = yield* Effect.forkChild(remembering(Job.run(job, options)))
      yield* eventually("the first records", allTaken)
      yield* TestClock.adjust(1100)
      // something to commit the idle flag with
      yield* append(Trades, [at(busy, 7)])
      yield* eventually("the silence", isIdle)
      remembers = true
      yield* beforeAndAfter
      yield* eventually("the busy one", taken(busyShard))
      yield* TestClock.adjust(60)
      remembers = false
      yield* eventually("the rest", allTaken)
      yield* assertBoth
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("is not silent while a transaction is under way in it, behind which records may stand", () =>
    Effect.gen(function* () {
      yield* append(Trades, firstRecords)
      let open = false
      const underWay = quietReads((read, _, offset) =>
        open ? Effect.succeed({ ...nothingAt(offset), open: true }) : read
      )
      const running = yield* Effect.forkChild(underWay(Job.run(job, options)))
      yield* eventually("the first records", allTaken)
      open = true
      yield* append(Trades, [at(quiet, 15), at(busy, 7)])
      yield* TestClock.adjust(5000)
      yield* append(Trades, [at(busy, 41)])
      yield* eventually("the busy one", taken(busyShard))
      assert.isFalse(yield* isIdle)
      open = false
      yield* eventually("the rest", allTaken)
      yield* assertBoth
      // once nothing is under way any more it falls silent as ever
      yield* TestClock.adjust(1100)
      yield* append(Trades, [at(busy, 85)])
      yield* eventually("the silence", isIdle)
      assert.deepStrictEqual(yield* quietResults, ["20 2", "60 1"])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("that was idle when its owner died takes over no time before its next owner has read it", () =>
    Effect.gen(function* () {
      const works = (shards: ReadonlyArray<number>) =>
        shards.map((shard) => shardWork({ uid: "trades", stage: "trades", shard }))
      yield* append(Trades, [...firstRecords])
      const all = [0, 1, 2]
      const instance = fakeInstance(() => works(all))
      instance.tell(works(all))
      const running = yield* Effect.forkChild(runOn(job, instance, options))
      yield* eventually("the first records", allTaken)
      yield* TestClock.adjust(1100)
      yield* append(Trades, [at(busy, 7)])
      yield* eventually("the silence", isIdle)
      // nobody has it for a while; the others go on
      instance.tell(works(all.filter((shard) => shard !== quietShard)))
      yield* TestClock.adjust(500)
      yield* beforeAndAfter
      yield* eventually("the busy one", taken(busyShard))
      instance.tell(works(all))
      yield* eventually("the rest", allTaken)
      yield* assertBoth
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("is waited for in a bounded run, though a live one before has recorded it as idle", () =>
    Effect.gen(function* () {
      yield* append(Trades, firstRecords)
      const running = yield* Effect.forkChild(Job.run(job, options))
      yield* eventually("the first records", allTaken)
      yield* TestClock.adjust(1100)
      yield* append(Trades, [at(busy, 7)])
      yield* eventually("the silence", isIdle)
      yield* Fiber.interrupt(running)
      let complete = false
      const inputComplete = () => Effect.sync(() => complete)
      const bounded = yield* Effect.forkChild(runToEnd(job, { inputComplete, epochMs: 0 }))
      yield* append(Trades, [at(busy, 41)])
      yield* eventually("the busy one", taken(busyShard))
      yield* append(Trades, [at(quiet, 15)])
      complete = true
      yield* eventually(
        "the end",
        Effect.sync(() => bounded.pollUnsafe() !== undefined)
      )
      yield* Fiber.join(bounded)
      assert.deepStrictEqual(yield* quietResults, ["20 2"])
      assert.strictEqual(yield* late, 0)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not end a bounded run while a transaction is under way in it", () =>
    Effect.gen(function* () {
      yield* append(Trades, firstRecords)
      let open = true
      // its end is that of what is committed
      const hidden = onLog(({ bounds, read }) => ({
        bounds: (topic) =>
          Effect.map(bounds(topic), (all) =>
            all.map((each) =>
              open && topic === "trades" && each.partition === quietShard ? { ...each, end: 0 } : each
            )
          ),
        read: (topic, partition, offset, limits) =>
          open && topic === "trades" && partition === quietShard
            ? Effect.succeed({ ...nothingAt(offset), open: true })
            : read(topic, partition, offset, limits)
      }))
      const running = yield* Effect.forkChild(hidden(runToEnd(job)))
      yield* TestClock.adjust(3000)
      assert.isUndefined(running.pollUnsafe())
      open = false
      yield* eventually(
        "the end",
        Effect.sync(() => running.pollUnsafe() !== undefined)
      )
      yield* Fiber.join(running)
      assert.deepStrictEqual(yield* quietResults, ["20 1"])
    }).pipe(Effect.provide(world))
  )
})
