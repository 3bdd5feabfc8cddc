/** A job with a process function that crashes, at every fault point: states, timers and what they told are there once. */
import { type FaultPointName, partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job } from "../../src/index.ts"
import {
  type CartsCase,
  cartsJob,
  expectedCarts,
  foundCarts,
  randomTouches,
  touch,
  type TouchLine,
  Touches
} from "../support/Carts.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas, upTo } from "../support/Crashes.ts"
import { epochPoints, eventually, notingDeltas } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const of: CartsCase = { ttlMs: 6000, entriesMax: 3, timersPerKeyMax: 4, idleMs: 3000, outOfOrdernessMs: 2000 }
const lines = randomTouches(makeChance(7), 150, 8000)
const placeOf = (line: TouchLine) => partitionOf(line.key, Touches.partitions)
const options = { epochRecords: 10, checkpointEveryMs: 0 }
const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]
const startMs = Date.UTC(2026, 0, 14)

const crashed = (name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    const job = cartsJob(of)
    yield* append(Touches, lines)
    const crossed = yield* crashTwice(job, options, [name, nth])
    assert.deepStrictEqual(yield* foundCarts, expectedCarts(lines, of, placeOf), `${name} ${nth}`)
    return crossed
  }).pipe(Effect.provide(world))

describe("a job with a process function that crashes", () => {
  atCrossings(points, upTo(8), "tells the same once", crashed)

  it.live("from deltas alone, without any snapshot", () =>
    Effect.gen(function* () {
      yield* append(Touches, lines)
      yield* runOnDeltas(cartsJob(of), options)
      assert.deepStrictEqual(yield* foundCarts, expectedCarts(lines, of, placeOf))
    }).pipe(Effect.provide(world))
  )

  it.live("fires timers that are set after the end of time at once, and none that those set", () =>
    Effect.gen(function* () {
      yield* append(Touches, [touch(1, "U0", "i0", "add", startMs)])
      yield* runToEnd(cartsJob(of), options)
      const before = (yield* foundCarts).told["U0"]!
      assert.deepStrictEqual(before, [`event ${startMs + 3000} [101,[["i0",1]],[1],"1"]`])
      yield* append(Touches, [touch(2, "U0", "i0", "add", startMs + 1000)])
      yield* runToEnd(cartsJob(of), options)
      const after = (yield* foundCarts).told["U0"]!
      assert.deepStrictEqual(after.slice(1), [`event ${startMs + 4000} [202,[["i0",2]],[1,2],"3"]`])
    }).pipe(Effect.provide(world))
  )

  it.live("writes deltas that cost what changed, not what is kept", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const watching = notingDeltas(sizes)
      const big = { ...of, entriesMax: 5000, ttlMs: 3_600_000, timersPerKeyMax: 5000, idleMs: 3_600_000 }
      // one user with many items: the map is not written whole
      const many = Array.from({ length: 1500 }, (_, index) => touch(index, "U", `i${index}`, "remove", startMs + index))
      const few = many.map((line) => (line.id % 50 === 0 ? touch(line.id, "U", line.item, "add", line.at) : line))
      yield* append(Touches, few)
      yield* runToEnd(cartsJob(big), { ...options, epochRecords: 50 }).pipe(watching)
      assert.isBelow(Math.max(...sizes), 20_000)
    }).pipe(Effect.provide(world))
  )

  it.effect("fires by the time of the other partitions when its own falls silent", () =>
    Effect.gen(function* () {
      const at = (user: string, id: number, second: number) => touch(id, user, "i", "add", startMs + second * 1000)
      const busy = ["U0", "U1", "U2", "U3"].find((user) => placeOf(at(user, 0, 0)) !== placeOf(at("U0", 0, 0)))!
      yield* append(Touches, [at("U0", 1, 0)])
      const fiber = yield* Effect.forkChild(Job.run(cartsJob(of, Touches, 1000), { epochMs: 0 }))
      yield* TestClock.adjust(1500)
      yield* append(Touches, [at(busy, 2, 1), at(busy, 3, 60)])
      yield* eventually(
        "the timer",
        Effect.map(foundCarts, ({ told }) => told["U0"]?.[0]?.startsWith(`event ${startMs + 3000}`) === true)
      )
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(world))
  )
})
