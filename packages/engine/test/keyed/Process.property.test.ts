/** Process functions against a slow reference that looks through all that was ever written, over batching and restarts. */
import { partitionOf } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  cartsJob,
  expectedCarts,
  foundCarts,
  randomCarts,
  randomTouches,
  type TouchLine,
  Touches
} from "../support/Carts.ts"
import { casesOf } from "../support/Cases.ts"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"

const placeOf = (line: TouchLine) => partitionOf(line.key, Touches.partitions)
const outOfOrdernessMs = 3000
const casesOfEach = casesOf(30)

describe("process functions", () => {
  for (const disorderMs of [0, 2900, 20_000]) {
    it.live(`over records ${disorderMs} out of order, with crashes`, () =>
      Effect.gen(function* () {
        const met = { paid: 0, fired: 0, letters: 0 }
        for (let seed = 1; seed <= casesOfEach; seed++) {
          const chance = makeChance(disorderMs * 1000 + seed)
          const of = randomCarts(chance, outOfOrdernessMs)
          const lines = randomTouches(chance, 90, disorderMs)
          const expected = expectedCarts(lines, of, placeOf)
          const options = {
            epochRecords: chance.pick([1, 7, 50]),
            checkpointEveryMs: chance.pick([0, Number.MAX_SAFE_INTEGER])
          }
          const job = cartsJob(of)
          const found = yield* Effect.gen(function* () {
            yield* append(Touches, lines)
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("after-epoch-commit", 1 + chance.below(9))))
            yield* Effect.exit(runToEnd(job, options).pipe(crashAt("before-epoch-commit", 1 + chance.below(9))))
            yield* runToEnd(job, options)
            return yield* foundCarts
          }).pipe(Effect.provide(world))
          assert.deepStrictEqual(found, expected, `seed ${seed}: ${JSON.stringify(of)}`)
          const told = Object.values(expected.told).flat()
          met.paid += told.filter((text) => text.startsWith("paid")).length
          met.fired += told.filter((text) => text.startsWith("event")).length
          met.letters += expected.letters
        }
        // the comparison means little where nothing happens
        for (const [what, count] of Object.entries(met)) assert.isAbove(count, 6 * casesOfEach, what)
      })
    )
  }
})
