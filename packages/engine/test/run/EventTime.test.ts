/** Rule 11, as far as it exists: event-time maxima and idleness are in the record in force, watermarks before filters. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job, Log } from "../../src/index.ts"
import type { ShardDetail } from "../../src/run/ShardDetail.ts"
import { eventually } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { baseMs, reading, Readings, shardIds, stateless, watching } from "../support/Readings.ts"

const seen = Effect.map(readAll("seen"), (lines) => lines.map(({ value }) => JSON.parse(value) as unknown))

/** What the record in force of a partition says of its time. */
const timeOf = Effect.fnUntraced(function* (partition: number) {
  const log = yield* Log
  const record = yield* log.inForce(shardIds[partition]!)
  const { idle, maxEventTime } = record!.detail as ShardDetail // the engine's own
  return { idle, seconds: maxEventTime === null ? null : (maxEventTime - baseMs) / 1000 }
})

describe("the watermark (rule 11)", () => {
  it.effect("is stamped per record before filters: what a filter drops moves it, the record itself does not", () =>
    Effect.gen(function* () {
      yield* append(Readings, [
        reading("first", 10),
        reading("dropped", 100, { keep: false }),
        reading("late", 50),
        reading("next", 101)
      ])
      yield* runToEnd(watching)
      assert.deepStrictEqual(yield* seen, [
        { id: "first", count: 1 },
        { id: "late", count: 2, watermark: 99_000 },
        { id: "next", count: 3, watermark: 99_000 }
      ])
    }).pipe(Effect.provide(world))
  )

  it.effect("goes on after a restart where it was, from the record in force", () =>
    Effect.gen(function* () {
      yield* append(Readings, [reading("dropped", 100, { keep: false })])
      yield* runToEnd(watching)
      assert.deepStrictEqual(yield* timeOf(0), { idle: false, seconds: 100 })
      assert.deepStrictEqual(yield* timeOf(1), { idle: false, seconds: null })
      yield* append(Readings, [reading("late", 50)])
      yield* runToEnd(watching)
      assert.deepStrictEqual(yield* seen, [{ id: "late", count: 1, watermark: 99_000 }])
    }).pipe(Effect.provide(world))
  )
})

describe("idleness (rule 11)", () => {
  it.effect("of a live partition is recorded with the next epoch, and ends with its next record", () =>
    Effect.gen(function* () {
      yield* append(Readings, [reading("a", 1), reading("b", 2, { partition: 1 })])
      const running = yield* Effect.forkChild(Job.run(watching, { checkpointEveryMs: 1_000_000 }))
      const wrote = (count: number) =>
        eventually(
          `${count} outputs`,
          Effect.map(
            Effect.orElseSucceed(seen, () => []),
            (all) => all.length === count
          )
        )
      yield* wrote(2)
      assert.deepStrictEqual(
        [yield* timeOf(0), yield* timeOf(1)],
        [
          { idle: false, seconds: 1 },
          { idle: false, seconds: 2 }
        ]
      )
      yield* TestClock.adjust("61 seconds")
      yield* append(Readings, [reading("c", 62)])
      yield* wrote(3)
      assert.deepStrictEqual(
        [yield* timeOf(0), yield* timeOf(1)],
        [
          { idle: false, seconds: 62 },
          { idle: true, seconds: 2 }
        ]
      )
      yield* append(Readings, [reading("d", 63, { partition: 1 })])
      yield* wrote(4)
      assert.deepStrictEqual((yield* timeOf(1)).idle, false)
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(world))
  )

  it.effect("does not exist in a bounded run", () =>
    Effect.gen(function* () {
      yield* append(Readings, [reading("a", 1)])
      let complete = false
      const running = yield* Effect.forkChild(runToEnd(watching, { inputComplete: () => Effect.sync(() => complete) }))
      yield* TestClock.adjust("2 minutes")
      complete = true
      yield* eventually(
        "the end",
        Effect.sync(() => running.pollUnsafe() !== undefined)
      )
      assert.isFalse((yield* timeOf(1)).idle)
    }).pipe(Effect.provide(world))
  )
})

describe("a version of a job that has its first state", () => {
  it.effect("starts it empty after epochs without; a version without it starts over later", () =>
    Effect.gen(function* () {
      yield* append(Readings, [reading("a", 1), reading("b", 2)])
      yield* runToEnd(stateless)
      yield* append(
        Readings,
        ["c", "d", "e", "f"].map((id, index) => reading(id, 3 + index))
      )
      yield* runToEnd(watching, { checkpointEveryMs: 0, epochRecords: 1 })
      yield* append(Readings, [reading("g", 7)])
      yield* runToEnd(watching)
      yield* append(Readings, [reading("h", 8)])
      yield* runToEnd(stateless)
      for (const [index, id] of ["i", "j", "k"].entries()) {
        yield* append(Readings, [reading(id, 9 + index)])
        yield* runToEnd(watching)
      }
      const counts = (yield* readAll("seen")).map(
        ({ value }) => (JSON.parse(value) as { readonly count: number }).count
      )
      assert.deepStrictEqual(counts, [0, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
    }).pipe(Effect.provide(world))
  )
})
