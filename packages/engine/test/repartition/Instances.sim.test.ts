/** Instances that share the shards of two stages: whatever moves when, and whoever dies, the results are there once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { shardWork } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { moveWorks } from "../support/FakeInstances.ts"
import { append, runToEnd, world } from "../support/Harness.ts"
import { byShop, expectedByAccount, internalTopic, repartitionedJob, TradesByShop } from "../support/Repartitioned.ts"
import { foundOf, randomTrades, type Timing } from "../support/Trades.ts"

const timing: Timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const job = repartitionedJob(timing, 3)
const works = [TradesByShop.name, internalTopic].flatMap((stage) =>
  [0, 1, 2].map((shard) => shardWork({ uid: job.name, stage, shard }))
)
describe("instances of a job of two stages", () => {
  for (let seed = 1; seed <= 8; seed++) {
    it.effect(`give each result once when shards of both move between them and they crash (seed ${seed})`, () =>
      Effect.gen(function* () {
        const chance = makeChance(seed)
        const lines = randomTrades(chance, 240, 30_000).map(byShop)
        yield* append(TradesByShop, [])
        yield* moveWorks(job, works, chance, 4, (nth) => append(TradesByShop, lines.slice(nth * 30, (nth + 1) * 30)))
        yield* runToEnd(job)
        assert.deepStrictEqual(yield* foundOf, expectedByAccount(lines, timing))
      }).pipe(Effect.provide(world))
    )
  }
})
