/**
 * How far a topic has landed, as its table and the log tell it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Log } from "@frazil/engine"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { landingProgress } from "../../src/landing/LandingProgress.ts"
import { appendEvents, events, landEvents, landing, layerSystem } from "./LandingFixture.ts"

describe("landingProgress", () => {
  it.effect("before anything has landed everything waits, since it was appended", () =>
    Effect.gen(function* () {
      const none = yield* landingProgress(landing)
      assert.deepInclude(none, { lag: 0, rows: 0, partitions: [], waitingSinceMs: undefined, problem: undefined })
      yield* TestClock.setTime(1_000_000)
      yield* appendEvents(1, 3)
      yield* TestClock.setTime(2_000_000)
      yield* appendEvents(0, 3)
      const some = yield* landingProgress(landing)
      assert.deepInclude(some, { lag: 6, rows: 0, waitingSinceMs: 1_000_000, snapshotId: undefined })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("after a commit only what came later waits", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      yield* appendEvents(0, 30)
      yield* landEvents
      const all = yield* landingProgress(landing)
      assert.deepInclude(all, { lag: 0, rows: 20, waitingSinceMs: undefined, problem: undefined })
      assert.isDefined(all.committedAtMs)
      yield* TestClock.setTime(5_000_000)
      yield* appendEvents(0, 4)
      const more = yield* landingProgress(landing)
      assert.deepInclude(more, { lag: 4, rows: 20, waitingSinceMs: 5_000_000, problem: undefined })
      assert.deepInclude(more.partitions, { partition: 0, next: 30, end: 34 })
    }).pipe(Effect.provide(layerSystem))
  )

  it.effect("tells why a landing would not go on: its table is gone, its topic another", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 3)
      yield* landEvents
      yield* Log.use((log) => log.deleteTopic(events.name))
      yield* appendEvents(0, 3)
      assert.include((yield* landingProgress(landing)).problem, "was landed from a topic events with id")
      yield* Catalog.use((catalog) => catalog.dropTable(landing))
      assert.strictEqual((yield* landingProgress(landing)).problem, "table test.events is gone from the catalog")
    }).pipe(Effect.provide(layerSystem))
  )
})
