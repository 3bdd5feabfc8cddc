// A log in memory for the tests of whole flows: topics filled with records, jobs run to their end, topics read back.
import { EmbeddedLog } from "@frazil/connect"
import { layerMemory, makeRecordBuilder, partitionOf } from "@frazil/core"
import { CheckpointStore, DeadLetters, Job, Ledger, Log } from "@frazil/engine"
import { DeadLetters as DeadLettersTopic, Ledger as LedgerTopic, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Layer } from "effect"

export const flowWorld = Layer.mergeAll(
  EmbeddedLog.layerMemory,
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provideMerge(layerMemory)),
  Layer.succeed(DeadLetters, { topic: DeadLettersTopic, make: makeDeadLetter }),
  Layer.succeed(Ledger, { topic: LedgerTopic, make: makeLedgerEntry })
)

type Value = Readonly<Record<string, unknown>>

/** Appends records, each to the partition of its key. */
export const appendRecords = Effect.fnUntraced(function* <A extends object>(
  topic: { readonly name: string; readonly partitions: number },
  records: ReadonlyArray<A>,
  keyOf: (record: A) => string
) {
  const log = yield* Log
  yield* log.ensureTopic(topic)
  const builders = Array.from({ length: topic.partitions }, () => makeRecordBuilder())
  for (const record of records) {
    const key = keyOf(record)
    builders[partitionOf(key, topic.partitions)]!.addText(JSON.stringify(record), key)
  }
  const batches = builders.map((builder, partition) => ({ topic: topic.name, partition, records: builder.take() }))
  const producer = yield* log.producer("test")
  yield* producer.append(
    producer.nextSequence,
    batches.filter(({ records: { length } }) => length > 0)
  )
}, Effect.scoped)

const text = new TextDecoder()

/** Every record of a topic. */
export const recordsOf = Effect.fnUntraced(function* (topic: string) {
  const log = yield* Log
  const values: Array<Value> = []
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    for (let offset = start; offset < end;) {
      const batch = yield* log.read(topic, partition, offset, { recordsMax: 1_000, bytesMax: 1_000_000 })
      for (let row = 0; row < batch.length; row++) {
        const json = text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
        values.push(JSON.parse(json) as Value)
      }
      offset = batch.next
    }
  }
  return values
})

/** The fields of every record of a topic as a line of text each, sorted; absent ones are null. */
export const linesOf = (topic: string, ...fields: ReadonlyArray<string>) =>
  Effect.map(recordsOf(topic), (values) =>
    values.map((value) => fields.map((field) => String(value[field] ?? null)).join(" ")).toSorted()
  )

export const runToEnd = <R>(job: Job.Job<string, R>) =>
  Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true) })
