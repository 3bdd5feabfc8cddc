/** A join with a table under crashes: whatever the fault point, each order is checked once, against the right row. */
import type { FaultPointName } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { makeChance } from "../support/Chance.ts"
import { crashAt, epochPoints } from "../support/Faults.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { assertChecks, checkedJob, Limits, Orders, randomRound } from "../support/Limits.ts"

const options = { epochRecords: 10, checkpointEveryMs: 0 }
const roundsPerSeed = 3

const points: ReadonlyArray<FaultPointName> = [...epochPoints, "mid-restore"]

describe("a job with a table that crashes", () => {
  for (const point of points) {
    it.live(`at ${point} joins each record once, with the row that was there`, () =>
      Effect.gen(function* () {
        let crashes = 0
        for (const seed of [1, 4, 7]) {
          const chance = makeChance(seed)
          const rounds = Array.from({ length: roundsPerSeed }, (_, index) => randomRound(chance, index * 100))
          yield* Effect.gen(function* () {
            for (const { orders, rows } of rounds) {
              yield* append(Limits, rows)
              yield* append(Orders, orders)
              const first = yield* Effect.exit(runToEnd(checkedJob, options).pipe(crashAt(point, seed)))
              if (Exit.isFailure(first)) crashes++
              yield* runToEnd(checkedJob, options)
            }
            yield* assertChecks(rounds, `${point}, seed ${seed}`)
          }).pipe(Effect.provide(world))
        }
        assert.isAbove(crashes, 0, `${point} was never crossed`)
      })
    )
  }
})
