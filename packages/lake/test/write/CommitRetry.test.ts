/** The retry loop at its bounds: what a table's `commit.retry.*` ask for, as Java's `Tasks` counts and waits. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Catalog, type CatalogShape } from "../../src/catalog/Catalog.ts"
import { LakeError } from "../../src/LakeError.ts"
import { commitRetryOf, retryWaitMs } from "../../src/write/CommitRetry.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"
import { layerLake, raw } from "../LakeHarness.ts"

const conflict = new LakeError({ reason: "CommitConflict", message: "another was first" })

/** When each attempt of a commit that always meets another begins, in milliseconds; an attempt takes so long. */
const attemptsOf = Effect.fnUntraced(function* (
  properties: Readonly<Record<string, string>>,
  { attemptMs = 0, retriesMax }: { readonly attemptMs?: number; readonly retriesMax?: number } = {}
) {
  const catalog = yield* Catalog
  yield* Effect.ignore(catalog.dropTable(raw))
  yield* catalog.createTable({
    identifier: raw,
    schema: eventSchema,
    partitionSpec: eventSpec,
    properties: new Map(Object.entries(properties).map(([name, value]) => [`commit.retry.${name}`, value]))
  })
  const clock = yield* TestClock.testClockWith((each) => Effect.succeed(each))
  const start = clock.currentTimeMillisUnsafe()
  const begun: Array<number> = []
  const busy: CatalogShape = {
    ...catalog,
    commit: () =>
      Effect.suspend(() => {
        begun.push(clock.currentTimeMillisUnsafe() - start)
        return Effect.andThen(Effect.sleep(attemptMs), Effect.fail(conflict))
      })
  }
  const commit = commitTable({
    table: raw,
    ...(retriesMax === undefined ? {} : { retriesMax }),
    actions: () => Effect.succeed([append([eventFile("a", 1, 0, 1)])])
  }).pipe(Effect.provideService(Catalog, busy), Effect.flip)
  const fiber = yield* Effect.forkChild(commit)
  for (let i = 0; i < 2_000 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust("1 second")
  assert.strictEqual((yield* Fiber.join(fiber)).reason, "CommitConflict")
  return begun
})

const waits = (begun: ReadonlyArray<number>) => begun.slice(1).map((at, i) => at - begun[i]!)

describe("a commit that always meets another", () => {
  it.effect("is tried exactly as often as the table says, or who commits, or Java's default", () =>
    Effect.gen(function* () {
      const counted = (properties: Readonly<Record<string, string>>, retriesMax?: number) =>
        Effect.map(attemptsOf(properties, retriesMax === undefined ? {} : { retriesMax }), (begun) => begun.length)
      assert.strictEqual(yield* counted({}), 5)
      assert.strictEqual(yield* counted({}, 0), 1)
      assert.strictEqual(yield* counted({}, 2), 3)
      for (const n of [0, 1, 4, 7]) assert.strictEqual(yield* counted({ "num-retries": String(n) }), n + 1)
      assert.strictEqual(yield* counted({ "num-retries": "1" }, 7), 2, "the table says otherwise than who commits")
      for (const wrong of ["", "many", "-1", "1.5"])
        assert.strictEqual(yield* counted({ "num-retries": wrong }), 5, wrong)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("waits twice as long each time, from the least to the most, a fifth more or less", () =>
    Effect.gen(function* () {
      const found = waits(yield* attemptsOf({ "num-retries": "7", "min-wait-ms": "1000", "max-wait-ms": "16000" }))
      const asked = [1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000]
      assert.lengthOf(found, asked.length)
      for (const [i, wait] of found.entries()) {
        assert.isAtLeast(wait, Math.max(1_000, asked[i]! * 0.8), `wait ${i}`)
        // the clock of this test goes on by seconds
        assert.isAtMost(wait, Math.min(16_000, asked[i]! * 1.2) + 1_000, `wait ${i}`)
      }
      const exact = waits(yield* attemptsOf({ "num-retries": "3", "min-wait-ms": "5000", "max-wait-ms": "5000" }))
      assert.deepStrictEqual(exact, [5_000, 5_000, 5_000])
      assert.deepStrictEqual(waits(yield* attemptsOf({ "num-retries": "3", "max-wait-ms": "0" })), [0, 0, 0])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("ends when its time is over, after a second attempt at least", () =>
    Effect.gen(function* () {
      const said = { "num-retries": "100", "min-wait-ms": "1000", "max-wait-ms": "1000" }
      const begun = (totalMs: number, attemptMs: number) =>
        attemptsOf({ ...said, "total-timeout-ms": String(totalMs) }, { attemptMs })
      // an attempt takes four seconds and a wait one: they fail after 4, 9, 14 and 19
      assert.deepStrictEqual(yield* begun(14_000, 4_000), [0, 5_000, 10_000, 15_000])
      assert.deepStrictEqual(yield* begun(13_999, 4_000), [0, 5_000, 10_000])
      assert.deepStrictEqual(yield* begun(0, 4_000), [0, 5_000])
    }).pipe(Effect.provide(layerLake))
  )

  it("never goes on for longer than orphan removal waits, whatever the table says", () => {
    const day = String(86_400_000)
    const retry = commitRetryOf(
      new Map([
        ["commit.retry.max-wait-ms", day],
        ["commit.retry.total-timeout-ms", day]
      ])
    )
    assert.isAtMost(retry.waitMaxMs + retry.totalMsMax, 3_600_000)
  })

  it.effect("waits no shorter and no longer than asked by any chance", () =>
    Effect.gen(function* () {
      const retry = commitRetryOf(
        new Map([
          ["commit.retry.min-wait-ms", "100"],
          ["commit.retry.max-wait-ms", "1000"]
        ])
      )
      for (const attempts of [1, 2, 4, 5, 40, 2_000]) {
        for (let i = 0; i < 100; i++) {
          const wait = yield* retryWaitMs(retry, attempts)
          assert.isTrue(wait >= 100 && wait <= 1_000, `${wait} after ${attempts}`)
        }
      }
    })
  )
})
