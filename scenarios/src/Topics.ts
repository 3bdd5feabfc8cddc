/** What lies in the topics of a data directory, record by record; read beside a running pipeline or after it. */
import { Log } from "@frazil/engine"
import { type DataDirectory, dataDirectory, logLayer } from "@frazil/platform"
import { Effect } from "effect"

const limits = { recordsMax: 10_000, bytesMax: 8_000_000 }
const text = new TextDecoder()

type LogPlace = DataDirectory["log"]

export type Value = Readonly<Record<string, unknown>>

/** Every record of the topic, as JSON; none when there is no such topic. The log is in the data directory unless given. */
export const readTopic = (data: string, topic: string, log?: LogPlace): Effect.Effect<ReadonlyArray<Value>, unknown> =>
  Effect.gen(function* () {
    const log = yield* Log
    const values: Array<Value> = []
    if (!(yield* log.topics).some(({ name }) => name === topic)) return values
    for (const { end, partition, start } of yield* log.bounds(topic)) {
      for (let offset = start; offset < end;) {
        const batch = yield* log.read(topic, partition, offset, limits)
        for (let row = 0; row < batch.length; row++) {
          // what generators and jobs wrote: JSON objects
          values.push(
            JSON.parse(text.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]))) as Value
          )
        }
        offset = batch.next
      }
    }
    return values
  }).pipe(Effect.provide(logLayer(dataDirectory(data, undefined, log))), Effect.scoped)

/** How many records the topic has had. */
export const countTopic = (data: string, topic: string, log?: LogPlace): Effect.Effect<number, unknown> =>
  Effect.gen(function* () {
    const log = yield* Log
    if (!(yield* log.topics).some(({ name }) => name === topic)) return 0
    return (yield* log.bounds(topic)).reduce((sum, { end }) => sum + end, 0)
  }).pipe(Effect.provide(logLayer(dataDirectory(data, undefined, log))), Effect.scoped)
