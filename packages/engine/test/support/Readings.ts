// A small job over two partitions that tells what an operator saw: its watermark and how often it saw the key.
import { Field, partitionOf, Topic } from "@frazil/core"
import { Schema } from "effect"
import { Flow, Job } from "../../src/index.ts"
import type { Line } from "./Harness.ts"

class Reading extends Schema.Opaque<Reading>()(
  Schema.Struct({ id: Field.text(), sensor: Field.text(), at: Field.timestamp, keep: Field.boolean })
) {}
class Seen extends Schema.Opaque<Seen>()(
  Schema.Struct({ id: Field.text(), count: Field.int(), watermark: Field.optional(Field.int()) })
) {}

export const Readings = Topic.make("readings", { schema: Reading, key: "sensor", eventTime: "at", partitions: 2 })
const SeenTopic = Topic.make("seen", { schema: Seen, key: "id", partitions: 1 })

const readings = Flow.from(Readings).pipe(Flow.eventTime("at", { outOfOrderness: "1s", idleAfter: "1 minute" }))

/** Filters before its state, so that the watermark must have been stamped before the filter. */
export const watching = Job.make("watching", [
  readings.pipe(
    Flow.filter((reading) => reading.keep),
    Flow.keyBy("sensor"),
    Flow.mapWithState(
      { name: "seen", schema: Schema.Finite, initial: () => 0, ttl: "1 day" },
      (count, { id }: Reading, { watermark }) => [
        count + 1,
        [{ id, count: count + 1, watermark: Number.isFinite(watermark) ? watermark - baseMs : null }]
      ]
    ),
    Flow.to(SeenTopic)
  )
])

/** An older version of `watching`, which had no state yet. */
export const stateless = Job.make("watching", [
  readings.pipe(
    Flow.map(({ id }) => ({ id, count: 0 })),
    Flow.to(SeenTopic)
  )
])

export const baseMs = Date.UTC(2026, 0, 14)
/** A sensor for each partition. */
export const sensors = [0, 1].map((partition) =>
  ["a", "b", "c", "d", "e"].find((sensor) => partitionOf(sensor, 2) === partition)!
)

/** A reading of the partition's sensor, `seconds` after the base. */
export const reading = (id: string, seconds: number, { keep = true, partition = 0 } = {}): Line => {
  const sensor = sensors[partition]!
  const at = new Date(baseMs + seconds * 1000).toISOString()
  return { key: sensor, value: JSON.stringify({ id, sensor, at, keep }) }
}

export const shardIds = [0, 1].map((shard) => ({ uid: "watching", stage: "readings", shard }))
