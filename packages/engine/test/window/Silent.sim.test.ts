/**
 * A live partition that falls silent: its windows close by the time of the others, once, whatever crashes.
 *
 * Trades of one account come first, those of another go on. What must be there is written out by hand.
 */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job, Log } from "../../src/index.ts"
import type { ShardDetail } from "../../src/run/ShardDetail.ts"
import { crashAt, eventually } from "../support/Faults.ts"
import { append, readAll, world } from "../support/Harness.ts"
import { trade, Trades, tradesJob } from "../support/Trades.ts"

const job = tradesJob({
  sizeMs: 20_000,
  everyMs: 20_000,
  latenessMs: 10_000,
  outOfOrdernessMs: 2000,
  idleAfterMs: 1000
})
/** Without snapshots, whose naming would commit what an epoch has left out. */
const options = { epochMs: 0, checkpointEveryMs: Number.MAX_SAFE_INTEGER }
const withSnapshots = { epochMs: 0, checkpointEveryMs: 0 }
const startMs = Date.UTC(2026, 0, 14)

/** Two accounts of different partitions; a third partition never has a record. */
const [quiet, busy] = ["A0", "A1", "A2", "A3"].filter(
  (account, index, all) =>
    index === 0 || partitionOf(account, Trades.partitions) !== partitionOf(all[0]!, Trades.partitions)
) as [string, string]
const at = (account: string, second: number) => trade(account, startMs + second * 1000, 100n)

/** `account second revision count`, of each result in the order of the log. */
const results = Effect.map(
  Effect.orElseSucceed(readAll("totals"), () => []),
  (lines) =>
    lines.map(({ value }) => {
      const { account, count, revision, window_end } = JSON.parse(value) as Record<string, string | number>
      return `${account} ${(Date.parse(String(window_end)) - startMs) / 1000} ${revision} ${count}`
    })
)
const resultsOf = (account: string) =>
  Effect.map(results, (all) => all.filter((each) => each.startsWith(`${account} `)))
const lateSeconds = Effect.map(
  Effect.orElseSucceed(readAll("ledger"), () => []),
  (lines) =>
    lines.map(({ value }) => {
      const { event_timestamp, reason } = JSON.parse(value) as { event_timestamp: string; reason: string }
      return `${reason} ${(Date.parse(event_timestamp) - startMs) / 1000}`
    })
)

const recordedSecond = Effect.gen(function* () {
  const log = yield* Log
  const shard = partitionOf(quiet, Trades.partitions)
  const record = yield* log.inForce({ uid: "trades", stage: "trades", shard })
  const { maxEventTime } = record!.detail as ShardDetail // the engine's own
  return maxEventTime === null ? null : (maxEventTime - startMs) / 1000
})

/** Until the busy partition has taken in everything. */
const caughtUp = Effect.gen(function* () {
  const log = yield* Log
  const shard = partitionOf(busy, Trades.partitions)
  const record = yield* log.inForce({ uid: "trades", stage: "trades", shard })
  const end = (yield* log.bounds("trades")).find(({ partition }) => partition === shard)!.end
  return record?.positions[0]?.offset === end
})

/** Both accounts trade; then one goes on alone for longer than `idleAfter`. */
const fallSilent = Effect.gen(function* () {
  yield* append(Trades, [at(quiet, 5), at(quiet, 15), at(busy, 6)])
  const running = yield* Effect.forkChild(Job.run(job, options))
  yield* eventually("the first records", caughtUp)
  yield* TestClock.adjust("1100 millis")
  // recorded as idle before there is anything to close
  yield* append(Trades, [at(busy, 7)])
  yield* eventually("a record that closes nothing", caughtUp)
  yield* append(Trades, [at(busy, 41)])
  yield* eventually(
    "the window of the silent one",
    Effect.map(resultsOf(quiet), (found) => found.length > 0)
  )
  return running
})

/** The same with a crash on the way, after which the job starts again. Whether it crashed. */
const crashing = Effect.fnUntraced(function* (point: FaultPointName, nth: number) {
  let crashed = false
  const restarting = Effect.exit(Job.run(job, withSnapshots).pipe(crashAt(point, nth))).pipe(
    Effect.flatMap(() => Effect.suspend(() => ((crashed = true), Job.run(job, withSnapshots))))
  )
  yield* append(Trades, [at(quiet, 5), at(quiet, 15), at(busy, 6)])
  const running = yield* Effect.forkChild(restarting)
  yield* eventually("the first records", caughtUp)
  yield* TestClock.adjust("1100 millis")
  yield* append(Trades, [at(busy, 7)])
  yield* eventually("a record that closes nothing", caughtUp)
  // a restart begins to wait anew, so there may be several rounds; time stays before the end of the next windows
  for (let second = 41; second < 47 && (yield* resultsOf(quiet)).length === 0; second++) {
    yield* TestClock.adjust("1100 millis")
    yield* append(Trades, [at(busy, second)])
    yield* eventually("the busy one", caughtUp)
    yield* TestClock.adjust("100 millis")
  }
  yield* append(Trades, [at(quiet, 16)])
  yield* eventually(
    "the late one",
    Effect.map(lateSeconds, (late) => late.length > 0)
  )
  yield* Fiber.interrupt(running)
  assert.deepStrictEqual((yield* results).sort(), [`${quiet} 20 0 2`, `${busy} 20 0 2`].sort(), `${point}, ${nth}`)
  assert.deepStrictEqual(yield* lateSeconds, ["late 16"], `${point}, ${nth}`)
  return crashed
})

describe("a partition that falls silent", () => {
  it.effect("closes its windows by the time of those that have not, and records the time it took", () =>
    Effect.gen(function* () {
      const running = yield* fallSilent
      assert.deepStrictEqual((yield* results).sort(), [`${quiet} 20 0 2`, `${busy} 20 0 2`].sort())
      yield* eventually(
        "the commit",
        Effect.map(recordedSecond, (second) => second === 41)
      )
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect(
    "takes what comes after all by that time: a revision within the lateness, later the ledger, also after a restart",
    () =>
      Effect.gen(function* () {
        yield* Fiber.interrupt(yield* fallSilent)
        const running = yield* Effect.forkChild(Job.run(job, options))
        // 41 s less 2 s: the window that ended at 20 s is over since 30 s
        yield* append(Trades, [at(quiet, 16), at(quiet, 39), at(quiet, 41.5), at(busy, 42)])
        yield* eventually(
          "the rest",
          Effect.map(lateSeconds, (late) => late.length > 0)
        )
        assert.deepStrictEqual(yield* lateSeconds, ["late 16"])
        yield* TestClock.adjust("1100 millis")
        yield* append(Trades, [at(busy, 65)])
        yield* eventually(
          "the next windows",
          Effect.map(resultsOf(quiet), (found) => found.length > 2)
        )
        // 65 s less 2 s: the window that ended at 60 s takes records until 70 s
        yield* append(Trades, [at(quiet, 50)])
        yield* eventually(
          "a revision",
          Effect.map(resultsOf(quiet), (found) => found.length > 3)
        )
        assert.deepStrictEqual(yield* resultsOf(quiet), [
          `${quiet} 20 0 2`,
          `${quiet} 40 0 1`,
          `${quiet} 60 0 1`,
          `${quiet} 60 1 2`
        ])
        yield* Fiber.interrupt(running)
      }).pipe(Effect.provide(world))
  )

  it.effect("closes them in an epoch of their own when nobody else has a record to commit", () =>
    Effect.gen(function* () {
      yield* append(Trades, [at(quiet, 5)])
      const running = yield* Effect.forkChild(Job.run(job, options))
      yield* TestClock.adjust("600 millis")
      yield* append(Trades, [at(busy, 41)])
      yield* eventually("the busy one", caughtUp)
      // now the one is silent for over a second, the other not yet
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(yield* results, [`${quiet} 20 0 1`])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("waits while all are silent: there is no time to go by", () =>
    Effect.gen(function* () {
      yield* append(Trades, [at(quiet, 5), at(busy, 41)])
      const running = yield* Effect.forkChild(Job.run(job, options))
      yield* eventually("the records", caughtUp)
      // both fall silent in the same round
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* results, [])
      yield* append(Trades, [at(busy, 42)])
      yield* eventually(
        "the window",
        Effect.map(results, (found) => found.length > 0)
      )
      assert.deepStrictEqual(yield* results, [`${quiet} 20 0 1`])
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  const points: ReadonlyArray<FaultPointName> = [
    "before-epoch-commit",
    "during-epoch-commit",
    "after-epoch-commit",
    "before-name"
  ]
  for (const point of points) {
    it.effect(`gives each result once when it crashes at ${point}, at any crossing`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (let nth = 1; nth <= 8; nth++) {
          if (!(yield* Effect.provide(crashing(point, nth), world))) break
          crashes++
        }
        assert.isAbove(crashes, 2, `${point} was hardly crossed`)
      })
    )
  }
})
