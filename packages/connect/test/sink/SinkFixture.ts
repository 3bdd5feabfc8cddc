/** A topic of counts, a log to keep it, and dead letters for what a target refuses: for tests of sinks. */
import { join } from "node:path"
import { Encoder, Field, makeRecordBuilder, Timestamp, Topic } from "@frazil/core"
import type { Append, LogShape } from "@frazil/engine"
import { DeadLetters, makeDeadLetter } from "@frazil/model"
import { Clock, Effect, Schema } from "effect"
import { makeEmbeddedLog, type Refused } from "../../src/index.ts"
import { temporaryFolder } from "../embedded/TemporaryFolder.ts"

export const Count = Schema.Struct({ customer: Field.text(), total: Field.decimal(12, 2), count: Field.int() })
export type Count = typeof Count.Type

export const Counts = Topic.make("counts", { schema: Count, key: "customer", partitions: 2 })

/** A log with the topic in it. */
export const openLog = Effect.gen(function* () {
  const log = yield* makeEmbeddedLog({ file: join(yield* temporaryFolder, "log.db") })
  yield* log.ensureTopic(Counts)
  yield* log.ensureTopic(DeadLetters)
  return log
})

const encode = Encoder.make(DeadLetters)

export const deadLetter = Effect.fnUntraced(function* ({ message, record }: Refused<Count>) {
  const failedAt = Timestamp.make(yield* Clock.currentTimeMillis)
  const failure = { reason: "sink_refused", field: undefined, message }
  const { offset, partition, topic } = record
  const value = new TextEncoder().encode(record.json)
  const builder = makeRecordBuilder()
  builder.addText(
    encode(makeDeadLetter({ topic, partition, offset, failure, value, headers: undefined, failedAt })),
    null
  )
  return { topic: DeadLetters.name, partition: 0, records: builder.take() } satisfies Append
})

/** `customer` and the count that it has from then on. */
export type Written = readonly [customer: string, count: number]

export const jsonOf = ([customer, count]: Written): string => JSON.stringify({ customer, total: "12345678.90", count })

/** Appends records by a producer of its own. */
export const append = Effect.fnUntraced(function* (
  log: LogShape,
  partition: number,
  records: ReadonlyArray<Written | string>
) {
  const producer = yield* log.producer(`test-${partition}`)
  const builder = makeRecordBuilder()
  for (const record of records) builder.addText(typeof record === "string" ? record : jsonOf(record), null)
  yield* producer.append(producer.nextSequence, [{ topic: Counts.name, partition, records: builder.take() }])
}, Effect.scoped)

export const deadLetters = Effect.fnUntraced(function* (log: LogShape) {
  return (yield* log.bounds(DeadLetters.name)).reduce((sum, { end }) => sum + end, 0)
})
