/**
 * Golden runs: a file of good and nasty lines goes through the whole pipeline, and what is then in topics and tables is
 * what the oracle reads out of the file; again with a crash at every fault point that the pipeline crosses.
 */
import { existsSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import type { FaultPointName } from "@frazil/core"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Summary } from "../src/Summary.ts"
import { crashAt, crashed } from "./support/Crash.ts"
import { runDying } from "./support/DyingThreads.ts"
import { assertLeftBehind } from "./support/LeftBehind.ts"
import { makePlace, type Place, runIn } from "./support/PipelineRun.ts"

/** Every record went somewhere: counts add up to the input. */
const assertAddsUp = (summary: Summary, expected: ReturnType<typeof expectRawTransactions>) => {
  const [job, ...others] = summary.jobs
  assert.deepStrictEqual(others, [])
  assert.deepStrictEqual(
    { in: job?.in, out: job?.out, late: job?.late, dead_lettered: job?.dead_lettered, failed: job?.failed },
    { in: expected.lines, out: expected.rows.length, late: 0, dead_lettered: expected.deadLetters.length, failed: 0 }
  )
  assert.deepStrictEqual(
    // the ledger holds notes of records that are in a table as well
    new Map(
      summary.tables.flatMap(({ rows, table }) => (rows === 0 || table === "system.ledger" ? [] : [[table, rows]]))
    ),
    new Map([
      ["system.dead_letter", expected.deadLetters.length],
      ["transactions.raw", expected.rows.length]
    ])
  )
}

describe("a bounded run", () => {
  for (const seed of [1, 2, 3]) {
    it.live(`lands what the oracle reads out of the file (seed ${seed})`, () =>
      Effect.gen(function* () {
        const bytes = makeCorpus({
          seed,
          lines: 2_000,
          longLineBytes: [1_500_000, 900_000, seed === 1 ? 10_000_000 : 1_048_577]
        })
        const expected = expectRawTransactions(bytes)
        const place = yield* makePlace(bytes)
        assertAddsUp(yield* runIn(place), expected)
        yield* assertLeftBehind(place.data, expected)
      })
    )
  }
})

/** What a crash of one part leaves open in the others would be left to chance. */
const assertNothingOpen = (place: Place) => {
  const descriptors = "/proc/self/fd"
  if (!existsSync(descriptors)) return
  const open = readdirSync(descriptors).flatMap((name) => {
    try {
      return [readlinkSync(join(descriptors, name))]
    } catch {
      // the one that listed the folder is closed by now
      return []
    }
  })
  assert.deepStrictEqual(
    open.filter((path) => path.startsWith(place.folder)),
    []
  )
}

/** By fault point, the crossings to crash at: of the feed, of the job and of both landings. */
const crossings: ReadonlyArray<readonly [FaultPointName, ReadonlyArray<number>]> = [
  ["after-init", [1, 2]],
  ["before-epoch-commit", [1, 2, 4]],
  ["during-epoch-commit", [1, 2, 5]],
  ["after-epoch-commit", [1, 2, 4]],
  ["before-lake-file", [1, 6]],
  ["mid-lake-file", [1, 6]],
  ["after-lake-file", [1, 6]],
  ["before-swap", [1, 2, 4]],
  ["after-swap", [1, 2, 4]]
]

describe("a run on threads", () => {
  const bytes = makeCorpus({ seed: 5, lines: 2_000, longLineBytes: [1_500_000, 900_000] })
  const expected = expectRawTransactions(bytes)
  for (const parallelism of [2, 4, 7]) {
    it.live(`lands the same on ${parallelism}`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(bytes)
        assertAddsUp(yield* runIn(place, { parallelism }), expected)
        yield* assertLeftBehind(place.data, expected)
      })
    )
  }

  it.live("lands the same when they die", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      assertAddsUp(yield* runDying(runIn, place), expected)
      yield* assertLeftBehind(place.data, expected)
    })
  )
})

describe("a run that crashes", () => {
  const bytes = makeCorpus({ seed: 4, lines: 400, longLineBytes: [1_060_000] })
  const expected = expectRawTransactions(bytes)
  const recordsMax = 25

  /** Goes on after a crash; everything must be there, once. */
  const recover = Effect.fnUntraced(function* (place: Place) {
    assertNothingOpen(place)
    assertAddsUp(yield* runIn(place), expected)
    yield* assertLeftBehind(place.data, expected)
  })

  for (const [name, all] of crossings) {
    for (const nth of all) {
      it.live(`at ${name}, crossing ${nth}, goes on to the same topics and tables`, () =>
        Effect.gen(function* () {
          const place = yield* makePlace(bytes)
          assert.isTrue(crashed(yield* Effect.exit(runIn(place, { hit: crashAt(name, nth), recordsMax }))))
          yield* recover(place)
        })
      )
    }
  }

  it.live("at mid-restore, while the feed verifies its file, goes on", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      for (const name of ["after-swap", "mid-restore"] as const) {
        assert.isTrue(crashed(yield* Effect.exit(runIn(place, { hit: crashAt(name, 1), recordsMax }))))
      }
      yield* recover(place)
    })
  )

  it.live("again and again, at another point each time, goes on", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      for (const [name] of crossings) {
        assert.isTrue(crashed(yield* Effect.exit(runIn(place, { hit: crashAt(name, 1), recordsMax }))), name)
      }
      yield* recover(place)
    })
  )

  // the first of each pair of crossings is before the commit, the second after it
  for (const nth of [1, 2, 7]) {
    it.live(`goes on by itself when nobody knows the outcome of an epoch (crossing ${nth})`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(bytes)
        const crash = crashAt("epoch-unknown", nth)
        let lost = 0
        const hit = (name: FaultPointName) => crash(name).pipe(Effect.tapDefect(() => Effect.sync(() => lost++)))
        assertAddsUp(yield* runIn(place, { hit, recordsMax }), expected)
        assert.strictEqual(lost, 1)
        yield* assertLeftBehind(place.data, expected)
      })
    )
  }
})
