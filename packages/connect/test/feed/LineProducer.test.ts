/**
 * Lines from a stream become records byte for byte, once.
 */
import { assert, describe, it } from "@effect/vitest"
import { KeyScanner, originalLengthHeader } from "@frazil/core"
import { Log, LogError } from "@frazil/engine"
import { Effect, Stream } from "effect"
import { EmbeddedLog, recordBytesMaxDefault } from "../../src/embedded/EmbeddedLog.ts"
import { produceLines } from "../../src/feed/LineProducer.ts"

const topic = "lines"
const limits = { recordsMax: 1_000, bytesMax: 10_000_000 }

const produce = (...chunks: ReadonlyArray<string>) =>
  produceLines({
    topic,
    keys: KeyScanner.fromFunction(() => null),
    producer: "test",
    bytes: Stream.fromIterable(chunks.map((chunk) => Buffer.from(chunk)))
  })

const makeTopic = Log.use((log) => log.ensureTopic({ name: topic, partitions: 1 }))

const records = Effect.gen(function* () {
  const log = yield* Log
  const batch = yield* log.read(topic, 0, 0, limits)
  const values = Array.from({ length: batch.length }, (_, row) =>
    Buffer.from(batch.bytes.subarray(batch.valueStarts[row]!, batch.valueEnds[row]!)).toString()
  )
  return { values, headers: batch.headers }
})

/** A log that loses the answer of every append once, after it was done. */
const losingAnswers = Effect.map(Log, (log) =>
  Log.of({
    ...log,
    producer: (name) =>
      Effect.map(log.producer(name), (producer) => {
        const lost = new Set<number>()
        return {
          get nextSequence() {
            return producer.nextSequence
          },
          append: (sequence, batches) =>
            Effect.flatMap(producer.append(sequence, batches), (appended) => {
              if (lost.has(sequence)) return Effect.succeed(appended)
              lost.add(sequence)
              return Effect.fail(new LogError({ reason: "OutcomeUnknown", message: "the answer was lost" }))
            })
        }
      })
  })
)

describe("produceLines", () => {
  it.effect("cuts at newlines wherever chunks end, and takes a last line without one", () =>
    Effect.gen(function* () {
      yield* makeTopic
      assert.deepStrictEqual(yield* produce("a\nb", "c\n", "\n", "d"), { records: 4, tooLong: 0 })
      assert.deepStrictEqual((yield* records).values, ["a", "bc", "", "d"])
      assert.deepStrictEqual(yield* produce(), { records: 0, tooLong: 0 })
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("keeps the first bytes of a line that is too long, and says how long it was", () =>
    Effect.gen(function* () {
      yield* makeTopic
      const long = "x".repeat(recordBytesMaxDefault + 1)
      assert.deepStrictEqual(yield* produce(`a\n${long}`, "\nb\n"), { records: 3, tooLong: 1 })
      const { headers, values } = yield* records
      assert.deepStrictEqual(values, ["a", "x".repeat(1_000), "b"])
      assert.strictEqual(headers.get(1)?.[originalLengthHeader], String(recordBytesMaxDefault + 1))
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )

  it.effect("an append whose answer was lost is not done twice", () =>
    Effect.gen(function* () {
      yield* makeTopic
      const losing = yield* losingAnswers
      const produced = yield* Effect.provideService(produce("a\n", "b\n", "c"), Log, losing)
      assert.deepStrictEqual(produced, { records: 3, tooLong: 0 })
      assert.deepStrictEqual((yield* records).values, ["a", "b", "c"])
    }).pipe(Effect.provide(EmbeddedLog.layerMemory))
  )
})
