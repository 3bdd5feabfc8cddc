/**
 * Appends lines that come from somewhere, such as standard input, to a topic: each is one record, byte for byte.
 *
 * Commands use it; for files that a pipeline reads there is `FileFeed`, which knows where it stopped. **Delivery**: an
 * append whose answer was lost is not done twice; what was appended when the input fails stays. **Bounds**: one longest
 * line and one append in memory.
 */
import { Effect, type Scope, Stream } from "effect"
import { createHash } from "node:crypto"
import type { KeyScanner } from "@frazil/core"
import { Log, type LogError } from "@frazil/engine"
import { recordBytesMaxDefault } from "../embedded/EmbeddedLog.ts"
import { headBytes, makeFeedEpoch } from "./FeedEpoch.ts"
import { makeLineSplitter } from "./LineSplitter.ts"

export interface LineProducerOptions<E, R> {
  /** The topic, which exists. */
  readonly topic: string
  /** Finds the keys of its records. */
  readonly keys: KeyScanner
  /** The producer's name: a second one of the same name fences it. */
  readonly producer: string
  /** Empty lines are records too. A last line may lack its newline. */
  readonly bytes: Stream.Stream<Uint8Array, E, R>
}

export interface LinesProduced {
  readonly records: number
  /** Of these, lines longer than a record may be: their first bytes are in the topic. */
  readonly tooLong: number
}

const appendRecordsMax = 50_000
const appendBytesMax = 4_000_000
/** How often an append whose outcome is unknown is sent again. */
const resendsMax = 3

/** Appends to the end of `bytes`. */
export const produceLines = Effect.fn("produceLines")(function* <E, R>(
  options: LineProducerOptions<E, R>
): Effect.fn.Return<LinesProduced, E | LogError, R | Log | Scope.Scope> {
  const { bytes, keys, topic } = options
  const log = yield* Log
  const { partitions } = yield* log.topic(topic)
  const producer = yield* log.producer(options.producer)
  const splitter = makeLineSplitter({
    lineBytesMax: recordBytesMaxDefault,
    headBytes,
    hash: createHash("sha256")
  })
  const epoch = makeFeedEpoch({ topic, partitions, keys, recordsMax: appendRecordsMax, bytesMax: appendBytesMax })
  let records = 0
  let tooLong = 0
  const append = Effect.gen(function* () {
    const { lines, linesTooLong, outputs } = epoch.take()
    if (lines === 0) return
    yield* Effect.retry(producer.append(producer.nextSequence, outputs), {
      while: (error) => error.reason === "OutcomeUnknown",
      times: resendsMax
    })
    records += lines
    tooLong += linesTooLong
  })
  // what has come is appended before more is waited for: a slow input is not held back
  const take = Effect.fnUntraced(function* (chunk: Uint8Array) {
    let at = 0
    while (at < chunk.length) {
      const { at: to, buffer } = splitter.space()
      const count = Math.min(chunk.length - at, buffer.length - to)
      buffer.set(chunk.subarray(at, at + count), to)
      splitter.filled(count)
      at += count
      while (splitter.split(epoch)) yield* append
    }
    yield* append
  })
  yield* Stream.runForEach(bytes, take)
  splitter.end(epoch)
  yield* append
  return { records, tooLong }
})
