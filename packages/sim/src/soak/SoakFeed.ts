/** Sends a soak's input to its topic at the fixed rate, beside the pipeline and through every kill of it. */
import { Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { Effect } from "effect"
import { makeDelivery } from "../generate/Delivery.ts"
import { runGenerator } from "../generate/RunGenerator.ts"
import { makeTokenBucket } from "../generate/TokenBucket.ts"
import { makeTransactions } from "../generate/Transactions.ts"
import { arrivalsFromMs, shares, type SoakInput } from "./SoakInput.ts"

/** Ends when all records are in the topic. `delivered` is told how many are. */
export const feedSoak = Effect.fnUntraced(function* (input: SoakInput, delivered: (count: number) => void) {
  const log = yield* Log
  const topic = yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
  const producer = yield* log.producer("soak")
  const outlet = yield* makeDelivery({ producer, topic: topic.name, partitions: topic.partitions })
  const bucket = yield* makeTokenBucket(input.rate)
  yield* runGenerator({
    source: makeTransactions({ seed: input.seed, ...shares }),
    bucket,
    // arrivals are computed; the bucket says when they are sent
    outlet: { ...outlet, awaitRoom: Effect.flatMap(outlet.awaitRoom, bucket.take) },
    count: input.records,
    startMs: arrivalsFromMs,
    onProgress: (progress) => Effect.sync(() => delivered(progress.delivered))
  })
}, Effect.scoped)
