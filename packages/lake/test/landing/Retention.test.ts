/**
 * Retention beside a landing: what has not landed stays in the log, and what is gone from it stays in the table.
 */
import { assert, describe, it } from "@effect/vitest"
import { Log, trimLog } from "@frazil/engine"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { auditTable } from "../../src/landing/Audit.ts"
import { landingShard } from "../../src/landing/Landing.ts"
import { appendEvents, events, landEvents, landing, layerSystem } from "./LandingFixture.ts"

const readers = [{ topic: events.name, ...landingShard(landing) }]
const trim = Effect.andThen(TestClock.adjust(1), trimLog({ readers, ageMs: 0 }))

const starts = Log.use((log) => log.bounds(events.name)).pipe(Effect.map((bounds) => bounds.map(({ start }) => start)))

describe("retention beside a landing", () => {
  it.effect("waits for its marks, and the landing goes on after it", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 30)
      // declared, and never came to its first swap
      assert.deepStrictEqual(yield* trim, [])
      yield* landEvents
      yield* appendEvents(0, 10)
      yield* appendEvents(1, 6)
      yield* trim
      assert.deepStrictEqual(yield* starts, [29, 0])
      // started again, it finds its mark and the record before it
      yield* landEvents
      yield* trim
      assert.deepStrictEqual(yield* starts, [39, 5])
      yield* landEvents
      const report = yield* auditTable(landing)
      assert.isTrue(report.matches, JSON.stringify(report.problems))
      assert.deepInclude(report.partitions[0], { start: 39, next: 40, records: 1, rowsBelowStart: 26 })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("leaves the record by which a landing notices another log", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 30)
      yield* landEvents
      yield* trim
      const log = yield* Log
      const other: typeof log = {
        ...log,
        read: (topic, partition, offset, limits) =>
          Effect.map(log.read(topic, partition, offset, limits), (batch) => ({
            ...batch,
            bytes: batch.bytes.map((byte) => byte ^ 1)
          }))
      }
      const error = yield* Effect.flip(landEvents.pipe(Effect.provideService(Log, other)))
      assert.include(error, { reason: "TopicRecreated" })
    }).pipe(Effect.provide(layerSystem))
  )
})
