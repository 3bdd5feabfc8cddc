/**
 * The pipeline's own generator: card transactions into their topic, as `apps/generator` makes them.
 */
import { Log } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { makeDelivery, makeTokenBucket, makeTransactions, runGenerator } from "@frazil/sim"
import { Effect, Random } from "effect"

/** Another pipeline on the same log would fence this one's stream, not double it. */
const producerName = "pipeline-transactions"
const seedsMax = 2 ** 31

export interface GenerateOptions {
  readonly rate: number
  /** How many the topic shall hold in the end: a run that was stopped makes only what is missing. */
  readonly count: number | undefined
  readonly seed: number | undefined
}

/** Ends when the topic holds `count` records; without one, never. */
export const generateTransactions = Effect.fnUntraced(function* ({ count, rate, seed }: GenerateOptions) {
  const log = yield* Log
  const topic = yield* log.ensureTopic({ name: RawTransactions.name, partitions: RawTransactions.partitions })
  const bounds = yield* log.bounds(topic.name)
  const missing = count === undefined ? undefined : count - bounds.reduce((sum, { end }) => sum + end, 0)
  if (missing !== undefined && missing <= 0) return
  const bucket = yield* makeTokenBucket(rate)
  const producer = yield* log.producer(producerName)
  const outlet = yield* makeDelivery({ producer, topic: topic.name, partitions: topic.partitions })
  yield* runGenerator({
    source: makeTransactions({ seed: seed ?? (yield* Random.nextIntBetween(0, seedsMax)) }),
    bucket,
    outlet,
    ...(missing === undefined ? {} : { count: missing })
  })
}, Effect.scoped)
