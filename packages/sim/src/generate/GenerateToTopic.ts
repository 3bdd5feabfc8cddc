/**
 * Generated records into the topic of their kind: opening it for a generator, and filling those that hold no events.
 *
 * `apps/generator` and the pipeline's demo use it. **Gotcha**: of two that generate under one producer's name on the same
 * log the later one fences the first, instead of doubling its stream.
 */
import { Log } from "@frazil/engine"
import { Effect, Schedule } from "effect"
import { makeDelivery } from "./Delivery.ts"
import { type KindName, kinds } from "./Kinds.ts"
import { runGenerator } from "./RunGenerator.ts"
import { makeTokenBucket, rateDefault } from "./TokenBucket.ts"

/** How many records the topic of a kind has had, which is made if it is not there. */
export const topicCount = Effect.fnUntraced(function* (kind: KindName) {
  const log = yield* Log
  const { name, partitions } = kinds[kind].topic
  yield* log.ensureTopic({ name, partitions })
  return (yield* log.bounds(name)).reduce((sum, { end }) => sum + end, 0)
})

/** A broker that answers may be too young to know its producers yet; delivery, which repeats by itself, lets a log wait less. */
const producerWaitMs = 30_000
const askAgainMs = 500

/** Delivers to the topic of a kind until the scope closes. */
export const openTopic = Effect.fnUntraced(function* (kind: KindName, producerName: string) {
  const log = yield* Log
  const { name, partitions } = kinds[kind].topic
  const topic = yield* log.ensureTopic({ name, partitions })
  const producer = yield* Effect.retry(log.producer(producerName), {
    while: ({ reason }) => reason === "Unavailable",
    schedule: Schedule.spaced(askAgainMs).pipe(Schedule.upTo({ duration: producerWaitMs }))
  })
  return yield* makeDelivery({ producer, topic: topic.name, partitions: topic.partitions })
})

/** What is no event and not paced, such as customers: all of it, once, into a topic that has had nothing. Gives how many. */
export const generateAll = Effect.fnUntraced(function* (kind: KindName, producerName: string) {
  const { all = 0, source } = kinds[kind]
  if ((yield* topicCount(kind)) > 0) return 0
  const outlet = yield* openTopic(kind, producerName)
  const bucket = yield* makeTokenBucket(rateDefault)
  yield* runGenerator({ source: source(0), bucket, outlet, count: all, startMs: 0 })
  return all
}, Effect.scoped)
