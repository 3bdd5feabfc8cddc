/** A job of two stages on a real broker, crashed in either: the same results as the reference, the internal topic trimmed. */
import { layerMemory } from "@frazil/core"
import { CheckpointStore, DeadLetters, Ledger, Log } from "@frazil/engine"
import { sharedKafka } from "@frazil/sim/kafka"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { makeChance } from "../support/Chance.ts"
import { crashAt } from "../support/Faults.ts"
import {
  append,
  makeTestDeadLetter,
  makeTestLedgerEntry,
  runToEnd,
  TestDeadLetters,
  TestLedger
} from "../support/Harness.ts"
import { byShop, expectedByAccount, internalTopic, repartitionedJob, TradesByShop } from "../support/Repartitioned.ts"
import { foundOf, randomTrades } from "../support/Trades.ts"
import { kafkaLogLayer } from "@frazil/connect"

const kafka = sharedKafka(19_197)
beforeAll(kafka.start)
afterAll(kafka.stop)

const timing = { sizeMs: 20_000, everyMs: 5000, latenessMs: 10_000, outOfOrdernessMs: 2000 }
const job = repartitionedJob(timing, 3)

const world = (prefix: string) =>
  Layer.mergeAll(
    kafkaLogLayer({ brokers: [kafka.broker], prefix, pollMs: 5 }),
    CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provideMerge(layerMemory)),
    Layer.succeed(DeadLetters, { topic: TestDeadLetters, make: makeTestDeadLetter }),
    Layer.succeed(Ledger, { topic: TestLedger, make: makeTestLedgerEntry })
  )

describe("a repartition on Kafka", () => {
  for (const [seed, point] of (["after-epoch-commit", "during-epoch-commit", "before-name"] as const).entries()) {
    it.live(`gives each result once when it crashes at ${point}`, () =>
      Effect.gen(function* () {
        const chance = makeChance(seed + 1)
        const lines = randomTrades(chance, 150, 30_000).map(byShop)
        yield* append(TradesByShop, lines)
        const options = { epochRecords: 20, checkpointEveryMs: 0 }
        for (let round = 0; round < 3; round++)
          yield* Effect.exit(runToEnd(job, options).pipe(crashAt(point, 2 + chance.below(8))))
        yield* runToEnd(job, options)
        assert.deepStrictEqual(yield* foundOf, expectedByAccount(lines, timing))
        const log = yield* Log
        for (const { partition, start } of yield* log.bounds(internalTopic)) {
          const record = yield* log.inForce({ uid: job.name, stage: internalTopic, shard: partition })
          assert.strictEqual(start, record!.positions[0]!.offset)
        }
      }).pipe(Effect.provide(world(`rep${seed}.`)))
    )
  }
})
