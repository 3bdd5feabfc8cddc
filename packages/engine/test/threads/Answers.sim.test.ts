/**
 * Jobs on threads against the slow references of their operators: windows behind a repartition, joins of two topics, patterns;
 * any number of threads, one after the other on the same log, and threads that die.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Job, Log } from "../../src/index.ts"
import { Effect } from "effect"
import { partitionOf } from "@frazil/core"
import { type Chance, makeChance } from "../support/Chance.ts"
import { append, world } from "../support/Harness.ts"
import { foundOf as foundJoin, randomJoin } from "../support/Joins.ts"
import { byShop, expectedByAccount, internalTopic, repartitionedJob, TradesByShop } from "../support/Repartitioned.ts"
import {
  expectedOf,
  foundOf as foundMatches,
  randomPattern,
  randomSignals,
  Signals,
  signalsJob
} from "../support/Sequences.ts"
import { appendSplit, expectedOfSplit, placedLedger, placedWorld, split, splitJob } from "../support/SplitJoins.ts"
import { foundOf as foundWindows, randomTrades } from "../support/Trades.ts"
import { ThreadWatcher } from "@frazil/platform"
import { fakeThreads, jobBody, threadsOf } from "./FakeThreads.ts"

const seeds = 4

/** Now and then a thread dies when it has just said something. */
const dying = (chance: Chance, deathsMax: number) => {
  let deaths = 0
  return {
    deaths: () => deaths,
    watch: ({ said, thread }: Parameters<(typeof ThreadWatcher)["Service"]>[0]) => {
      if (deaths >= deathsMax || said === "Hello" || !chance.once(3)) return
      deaths++
      Effect.runFork(thread.terminate)
    }
  }
}

/** To the end on so many threads; whole processes stop in between, and go on with another number. */
const onThreads = Effect.fnUntraced(function* (job: Job.Job<string, never>, chance: Chance, threads: number) {
  const options = {
    epochRecords: chance.pick([1, 7, 50]),
    checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
  }
  const fakes = yield* fakeThreads(jobBody(job, options))
  for (const before of chance.pick([[], [1], [2, 4], [1, 2, 4]])) {
    // the time is chance's as well: it takes some milliseconds to come to an end
    yield* Effect.timeoutOption(threadsOf(job, fakes, before).run, chance.below(12))
    assert.strictEqual(fakes.living(), 0, "a thread is left")
  }
  const { deaths, watch } = dying(chance, 2)
  const running = threadsOf(job, fakes, threads)
  yield* Effect.provideService(running.run, ThreadWatcher, watch)
  assert.strictEqual(fakes.living(), 0, "a thread is left")
  return { deaths: deaths(), status: running.status() }
})

/**
 * To the end on so many threads, of which the second begins later: the others' stages behind a repartition have nothing left to
 * read by then, and its writers are not at their end.
 */
const secondOneLate = Effect.fnUntraced(function* (job: Job.Job<string, never>, threads: number) {
  const body = jobBody(job, { epochRecords: 7 })
  const fakes = yield* fakeThreads((context, of) => Effect.delay(body(context), of.index === 1 ? lateMs : 0))
  yield* threadsOf(job, fakes, threads).run
})

/** Many times what the others need. */
const lateMs = 300

describe("on threads", () => {
  for (const threads of [2, 4]) {
    it.live(`a stage behind a repartition ends after its writers, whoever has them (${threads} threads)`, () =>
      Effect.gen(function* () {
        const timing = { sizeMs: 10_000, everyMs: 5000, latenessMs: 0, outOfOrdernessMs: 2000 }
        const chance = makeChance(threads)
        const lines = randomTrades(chance, 60, 6000).map(byShop)
        const job = repartitionedJob(timing, 4)
        yield* append(TradesByShop, lines)
        yield* onThreads(job, chance, threads)
        const expected = expectedByAccount(lines, timing)
        assert.deepStrictEqual(yield* foundWindows, expected)
        // time ended with the first run: all that comes now is late, once for each record
        yield* append(TradesByShop, lines)
        yield* secondOneLate(job, threads)
        const found = yield* foundWindows
        assert.strictEqual(found.late.length, expected.late.length + lines.length)
        assert.deepStrictEqual(found.windows, expected.windows)
      }).pipe(Effect.provide(world))
    )
  }

  for (const threads of [2, 4]) {
    it.live(`windows behind a repartition are those of the reference (${threads} threads)`, () =>
      Effect.gen(function* () {
        const timing = { sizeMs: 10_000, everyMs: 5000, latenessMs: 4000, outOfOrdernessMs: 2000 }
        let died = 0
        for (let seed = 1; seed <= seeds; seed++) {
          const chance = makeChance(threads * 100 + seed)
          const lines = randomTrades(chance, 120, 6000).map(byShop)
          const job = repartitionedJob(timing, 4)
          yield* Effect.gen(function* () {
            yield* append(TradesByShop, lines)
            const { deaths, status } = yield* onThreads(job, chance, threads)
            died += deaths
            assert.deepStrictEqual(yield* foundWindows, expectedByAccount(lines, timing), `seed ${seed}`)
            assert.deepStrictEqual(
              status.map(({ finished, in: taken }) => [finished, taken]),
              [
                [true, lines.length],
                [true, lines.length]
              ]
            )
            const log = yield* Log
            for (const { end, start } of yield* log.bounds(internalTopic)) assert.strictEqual(start, end)
          }).pipe(Effect.provide(world))
        }
        assert.isAbove(died, 1)
      })
    )

    it.live(`joins of two topics are those of the reference (${threads} threads)`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= seeds; seed++) {
          const chance = makeChance(threads * 1000 + seed)
          const of = { ...randomJoin(chance, chance.pick(["interval", "asOf", "latest"])), same: false } as const
          const run = { outOfOrdernessMs: 3000, layout: { asks: 2, bids: 3, between: 4 } }
          const lines = split(randomSignals(chance, 90, 20_000))
          const found = yield* Effect.gen(function* () {
            yield* appendSplit(lines, run.layout)
            yield* onThreads(splitJob(of, run), chance, threads)
            const { results } = yield* foundJoin(of)
            return { results, ledger: yield* placedLedger }
          }).pipe(Effect.provide(placedWorld))
          assert.deepStrictEqual(found, expectedOfSplit(lines, of, run), `seed ${seed}`)
        }
      })
    )

    it.live(`patterns are those of the reference (${threads} threads)`, () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= seeds; seed++) {
          const chance = makeChance(threads * 10_000 + seed)
          const pattern = randomPattern(chance)
          const lines = randomSignals(chance, 90, 2900)
          const placeOf = (line: (typeof lines)[number]) => partitionOf(line.key, Signals.partitions)
          const found = yield* Effect.gen(function* () {
            yield* append(Signals, lines)
            yield* onThreads(signalsJob(pattern, 3000), chance, threads)
            return yield* foundMatches
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expectedOf(lines, pattern, 3000, placeOf), `seed ${seed}`)
        }
      })
    )
  }
})
