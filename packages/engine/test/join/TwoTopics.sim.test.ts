/** Joins of two topics that crash, at every fault point of any stage; instances that share their shards: all is there once. */
import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Job, shardWork } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { atCrossings, crashTwice, runOnDeltas } from "../support/Crashes.ts"
import { crashAt, epochPoints, eventually } from "../support/Faults.ts"
import { moveWorks } from "../support/FakeInstances.ts"
import { readAll, runToEnd } from "../support/Harness.ts"
import { foundOf, type JoinCase } from "../support/Joins.ts"
import { randomSignals, signal } from "../support/Sequences.ts"
import { appendSplit, expectedOfSplit, placedLedger, placedWorld, split, splitJob } from "../support/SplitJoins.ts"

const common = { latenessMs: 1000, same: false, coded: false, expressions: false }
/** Everything that state may hold: records of both sides, matched and not, made by code, versions, deletions, rows. */
const interval: JoinCase = {
  ...common,
  expressions: true,
  join: "interval",
  kind: "full",
  lowerMs: -3000,
  upperMs: 4000
}
const asOf: JoinCase = { ...common, join: "asOf", kind: "left", ttlMs: 6000, coded: true }
const latest: JoinCase = { ...common, join: "latest", kind: "left", ttlMs: 9000 }
const cases = [interval, asOf, latest]

const run = { outOfOrdernessMs: 2000, layout: { bids: 2, asks: 2, between: 2 } }
const { layout } = run
const lines = split(randomSignals(makeChance(42), 200, 8000))
const options = { epochRecords: 8, checkpointEveryMs: 0 }
const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore", "before-delete-records"]
const internalTopic = "meetings.between.repartition"

const found = (of: JoinCase) =>
  Effect.gen(function* () {
    const { results } = yield* foundOf(of)
    return { results, ledger: yield* placedLedger }
  })

const crashed = (of: JoinCase, name: FaultPointName, nth: number) =>
  Effect.gen(function* () {
    const job = splitJob(of, run)
    yield* appendSplit(lines, layout)
    const crossed = yield* crashTwice(job, options, [name, nth], { before: 60, again: 5 })
    assert.deepStrictEqual(yield* found(of), expectedOfSplit(lines, of, run), `${of.join} ${name} ${nth}`)
    return crossed
  }).pipe(Effect.provide(placedWorld))

describe("a job with a join of two topics that crashes", () => {
  it("has something to lose", () => {
    for (const of of cases) {
      const expected = expectedOfSplit(lines, of, run)
      const results = expected.results.flatMap(([, texts]) => texts)
      assert.isAbove(results.filter((result) => !result.includes("-")).length, 10, of.join)
      assert.isAbove(results.filter((result) => result.includes("-")).length, 10, of.join)
      assert.isAbove(expected.ledger.length, 5, of.join)
    }
  })

  atCrossings(points, [1, 2, 3, 4, 13, 22, 31, 40], "finds the same once", (name, nth) =>
    crashed(cases[nth % 3]!, name, nth)
  )

  it.live("from deltas alone, without any snapshot: what is held knows which side's topic it came by", () =>
    Effect.gen(function* () {
      for (const of of cases) {
        const result = yield* Effect.gen(function* () {
          const job = splitJob(of, run)
          yield* appendSplit(lines, layout)
          yield* runOnDeltas(job, options, { crashes: 11, commits: 4 })
          return yield* found(of)
        }).pipe(Effect.provide(placedWorld))
        assert.deepStrictEqual(result, expectedOfSplit(lines, of, run), of.join)
      }
    })
  )

  it.live("stops when the same topic would now be read for other sides", () =>
    Effect.gen(function* () {
      yield* appendSplit(lines, layout)
      yield* Effect.exit(runToEnd(splitJob(interval, run), options).pipe(crashAt("after-epoch-commit", 20)))
      const failure = yield* Effect.flip(runToEnd(splitJob(interval, run, true), options))
      assert.strictEqual(failure.reason, "StateDiffers")
    }).pipe(Effect.provide(placedWorld))
  )
})

describe("time, in a join of two topics", () => {
  const at = (account: string, id: number, kind: string, second: number) =>
    signal(id, account, kind, 1, Date.UTC(2026, 0, 14) + second * 1000)
  const live = { ...run, idleAfterMs: 1000, layout: { bids: 1, asks: 1, between: 1 } }
  const texts = Effect.map(
    Effect.orElseSucceed(readAll("pairs"), () => []),
    (pairs) => pairs.map(({ value }) => value)
  )

  it.effect("waits for the topic that is behind, and no longer than until it falls silent", () =>
    Effect.gen(function* () {
      const job = splitJob(interval, live)
      // a bid alone, whose partners are over by the time of the bids
      yield* appendSplit(split([at("A0", 1, "a", 0), at("A0", 2, "c", 60)]), live.layout)
      yield* appendSplit(split([at("A0", 3, "b", -20)]), live.layout)
      const fiber = yield* Effect.forkChild(Job.run(job, { epochMs: 0 }))
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(yield* texts, [], "the asks may still bring a partner")
      // as it does
      yield* appendSplit(split([at("A0", 5, "b", 2)]), live.layout)
      yield* eventually(
        "the pair",
        Effect.map(texts, (all) => all.some((text) => text.includes('"left":1,"right":5')))
      )
      yield* appendSplit(split([at("A0", 7, "b", 30)]), live.layout)
      yield* TestClock.adjust(2500)
      yield* appendSplit(split([at("A0", 4, "c", 200)]), live.layout)
      yield* TestClock.adjust(500)
      yield* eventually(
        "what has no partner, by the time of the bids",
        Effect.map(texts, (all) => all.some((text) => text.includes('"right":7')))
      )
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(placedWorld))
  )
})

describe("instances of a job with a join of two topics", () => {
  const works = [
    ["bids", layout.bids],
    ["asks", layout.asks],
    [internalTopic, layout.between]
  ] as const
  const all = works.flatMap(([stage, shards]) =>
    Array.from({ length: shards }, (_, shard) => shardWork({ uid: "meetings", stage, shard }))
  )
  for (let seed = 1; seed <= 6; seed++) {
    it.effect(`give each result once when shards of any stage move and instances crash (seed ${seed})`, () =>
      Effect.gen(function* () {
        const chance = makeChance(seed)
        const of = cases[seed % 3]!
        const job = splitJob(of, run)
        const more = split(randomSignals(chance, 200, 8000))
        yield* appendSplit([], layout)
        yield* moveWorks(job, all, chance, 4, (nth) => appendSplit(more.slice(nth * 25, (nth + 1) * 25), layout))
        yield* runToEnd(job)
        assert.deepStrictEqual(yield* found(of), expectedOfSplit(more, of, run))
      }).pipe(Effect.provide(placedWorld))
    )
  }
})
