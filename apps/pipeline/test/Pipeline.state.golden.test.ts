/**
 * A whole run whose job keeps state by key: feed → job → topic → landing → table, on disk, against sums made by a plain
 * loop over what the oracle reads; with a crash at every fault point around epochs, snapshots and swaps.
 */
import type { FaultPointName } from "@frazil/core"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crashTwice, expectedTotals, landedTotals, runParts } from "./support/KeyedRun.ts"
import { makePlace } from "./support/PipelineRun.ts"

const crossings: ReadonlyArray<readonly [FaultPointName, number]> = [
  ["during-epoch-commit", 6],
  ["before-snapshot", 3],
  ["after-snapshot", 4],
  ["before-name", 2],
  ["before-delta-drop", 1],
  ["snapshot-delete", 1],
  ["after-swap", 1]
]

describe("a run with keyed state", () => {
  const bytes = makeCorpus({ seed: 12, lines: 2500, longLineBytes: [] })
  const expected = expectedTotals(expectRawTransactions(bytes))

  it.live("counts and sums each account as a plain loop does", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      yield* runParts(place)
      assert.deepStrictEqual(yield* landedTotals(place), expected)
    })
  )

  for (const [name, nth] of crossings) {
    it.live(`does so after a crash at ${name}, crossing ${nth}, and one while it restores`, () =>
      Effect.gen(function* () {
        const place = yield* makePlace(bytes)
        yield* crashTwice(place, name, nth)
        yield* runParts(place)
        assert.deepStrictEqual(yield* landedTotals(place), expected)
      })
    )
  }
})
