/**
 * A producer of the world: appends its records in small batches, each exactly once whatever happens to it.
 *
 * Started again after a crash, it asks the log which batch comes next. Its batches are the same in every run of a seed.
 */
import { KeyScanner, makeRecordBuilder, partitionOf, type Topic } from "@frazil/core"
import { type Append, Log, type LogError, type LogShape, type Producer } from "@frazil/engine"
import { Effect, Random } from "effect"

const pauseMsMax = 30
const retryMsMax = 400

const nothing = new Uint8Array(0)

/** Cuts records into batches of `batchMax`, each record in the partition of its key; one that deletes is its key alone. */
export const batchesOf = (
  topic: Topic<never>,
  records: ReadonlyArray<string>,
  batchMax: number,
  deletes: (record: string) => boolean = () => false
): ReadonlyArray<ReadonlyArray<Append>> => {
  const { keyOf } = KeyScanner.make(topic as unknown as Topic<unknown>) // read by its shape and key alone
  const encoder = new TextEncoder()
  return Array.from({ length: Math.ceil(records.length / batchMax) }, (_, batch) => {
    const builders = Array.from({ length: topic.partitions }, () => makeRecordBuilder(256))
    for (const record of records.slice(batch * batchMax, (batch + 1) * batchMax)) {
      const bytes = encoder.encode(record)
      const key = keyOf(bytes, 0, bytes.length)
      const value = deletes(record) ? nothing : bytes
      builders[partitionOf(key, topic.partitions)]!.add(value, key === null ? null : encoder.encode(key))
    }
    return builders.flatMap((builder, partition) =>
      builder.length() === 0 ? [] : [{ topic: topic.name, partition, records: builder.take() }]
    )
  })
}

const mayTryAgain = (error: LogError) =>
  error.reason === "Unavailable" || error.reason === "OutcomeUnknown" || error.reason === "Full"

/** Keeps trying; anything but an outage comes out. */
const persist = <A>(effect: Effect.Effect<A, LogError>): Effect.Effect<A, LogError> =>
  effect.pipe(
    Effect.catchIf(mayTryAgain, () =>
      Effect.flatMap(Random.nextIntBetween(1, retryMsMax), (waitMs) =>
        Effect.andThen(
          Effect.sleep(waitMs),
          Effect.suspend(() => persist(effect))
        )
      )
    )
  )

export const produce = Effect.fnUntraced(function* (
  topic: Topic<never>,
  batches: ReadonlyArray<ReadonlyArray<Append>>
): Effect.fn.Return<void, LogError, Log> {
  const log: LogShape = yield* Log
  yield* persist(log.ensureTopic({ name: topic.name, partitions: topic.partitions }))
  const producer: Producer = yield* persist(Effect.scoped(log.producer(`sim.${topic.name}`)))
  for (let sequence = producer.nextSequence; sequence < batches.length; sequence++) {
    yield* persist(Effect.suspend(() => producer.append(sequence, batches[sequence]!)))
    yield* Effect.sleep(yield* Random.nextIntBetween(0, pauseMsMax))
  }
})
