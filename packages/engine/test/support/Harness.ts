// A small world for engine tests: a log and storage in memory, topics filled with lines, topics read back as text.
import { EmbeddedLog } from "@frazil/connect"
import { Field, layerMemory, makeRecordBuilder, partitionOf, Topic } from "@frazil/core"
import { Effect, Layer, Schema } from "effect"
import {
  CheckpointStore,
  type DeadLetterInput,
  DeadLetters,
  Job,
  Ledger,
  type LedgerInput,
  Log
} from "../../src/index.ts"

class TestDeadLetter extends Schema.Opaque<TestDeadLetter>()(
  Schema.Struct({
    topic: Field.text(),
    partition: Field.int(),
    offset: Field.int(),
    reason: Field.text(),
    field: Field.optional(Field.text()),
    message: Field.text(),
    original: Field.text()
  })
) {}

/** The standard dead letter of these tests, without the time it was written. */
export const TestDeadLetters = Topic.make("dead-letter", { schema: TestDeadLetter, key: undefined })

export const makeTestDeadLetter = ({ failure, offset, partition, topic, value }: DeadLetterInput) => ({
  topic,
  partition,
  offset,
  reason: failure.reason,
  field: failure.field ?? null,
  message: failure.message,
  original: Buffer.from(value).toString("base64")
})

const deadLetters = Layer.succeed(DeadLetters, { topic: TestDeadLetters, make: makeTestDeadLetter })

class TestLedgerEntry extends Schema.Opaque<TestLedgerEntry>()(
  Schema.Struct({
    operator: Field.text(),
    reason: Field.text(),
    key: Field.optional(Field.text()),
    event_timestamp: Field.timestamp,
    lateness_ms: Field.optional(Field.double()),
    partition: Field.int(),
    offset: Field.int(),
    record: Field.text()
  })
) {}

/** The ledger of these tests. */
export const TestLedger = Topic.make("ledger", { schema: TestLedgerEntry, key: undefined, partitions: 1 })

export const makeTestLedgerEntry = (input: LedgerInput) => ({
  operator: input.operator,
  reason: input.reason,
  key: input.key ?? null,
  event_timestamp: input.eventTime,
  lateness_ms: input.latenessMs ?? null,
  partition: input.partition,
  offset: input.offset,
  record: Buffer.from(input.value).toString()
})

const ledger = Layer.succeed(Ledger, { topic: TestLedger, make: makeTestLedgerEntry })

const checkpoints = CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provideMerge(layerMemory))

/** Everything that a job without windows needs, in memory. */
export const worldWithoutLedger = Layer.mergeAll(EmbeddedLog.layerMemory, checkpoints, deadLetters)

/** Everything a job needs, in memory. */
export const world = Layer.mergeAll(worldWithoutLedger, ledger)

export interface Line {
  readonly key: string | null
  readonly value: string
}

/** Makes the topic if need be and appends the lines, each to its key's partition. */
export const append = Effect.fnUntraced(function* (
  topic: { readonly name: string; readonly partitions: number },
  lines: ReadonlyArray<Line>
) {
  const log = yield* Log
  yield* log.ensureTopic(topic)
  const builders = Array.from({ length: topic.partitions }, () => makeRecordBuilder())
  for (const line of lines) builders[partitionOf(line.key, topic.partitions)]!.addText(line.value, line.key)
  const batches = builders.flatMap((builder, partition) =>
    builder.length() === 0 ? [] : [{ topic: topic.name, partition, records: builder.take() }]
  )
  yield* Effect.scoped(
    Effect.gen(function* () {
      const producer = yield* log.producer("test")
      yield* producer.append(producer.nextSequence, batches)
    })
  )
})

const text = new TextDecoder()

/** Every record of a topic, partition by partition in offset order. */
export const readAll = Effect.fnUntraced(function* (topic: string) {
  const log = yield* Log
  const lines: Array<Line & { readonly partition: number; readonly offset: number }> = []
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    let offset = start
    while (offset < end) {
      const batch = yield* log.read(topic, partition, offset, { recordsMax: 1000, bytesMax: 1_000_000 })
      for (let row = 0; row < batch.length; row++) {
        const keyStart = batch.keyStarts[row]!
        lines.push({
          partition,
          offset: batch.offsets[row]!,
          key: keyStart < 0 ? null : text.decode(batch.bytes.subarray(keyStart, batch.keyEnds[row])),
          value: text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))
        })
      }
      offset = batch.next
    }
  }
  return lines
})

/** Runs a job until it has read everything there is. */
export const runToEnd = <R>(job: Job.Job<string, R>, options: Partial<Job.RunOptions> = {}) =>
  Job.run(job, { bounded: true, inputComplete: () => Effect.succeed(true), epochRecords: 10, ...options })
