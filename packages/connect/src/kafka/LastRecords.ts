/**
 * The last record of changelogs for who only looks, many times a second: read again only where the changelog has grown.
 *
 * `KafkaLog` answers `inForce` and `shards` by it; whoever takes a shard reads its `Changelog` itself (protocol, rule 4).
 * A changelog is appended to and its last record is never trimmed, so the same end has the same record before it.
 * **Bounds**: one record for each shard that there is.
 */
import type { LogError } from "@frazil/engine"
import { Effect } from "effect"
import { makeChangelog, type StoredRecord } from "./Changelog.ts"
import type { Cluster } from "./Cluster.ts"
import type { PartitionReader } from "./PartitionReader.ts"

interface Known {
  readonly topicId: string
  readonly end: number
  readonly record: StoredRecord | undefined
}

/** Undefined when nobody ever took the shard. As it is now, or as old as what is `known` of ends. */
export type LastRecord = (
  topic: string,
  partition: number,
  age: "now" | "known"
) => Effect.Effect<StoredRecord | undefined, LogError>

export const makeLastRecords = (cluster: Pick<Cluster, "topic">, reader: PartitionReader): LastRecord => {
  const known = new Map<string, Known>()
  return Effect.fnUntraced(function* (topic, partition, age) {
    const { id } = yield* cluster.topic(topic)
    const end = yield* reader.endOf(topic, partition, age)
    const key = `${topic}/${partition}`
    const found = known.get(key)
    if (found?.end === end && found.topicId === id) return found.record
    // up to an end that is asked for after this one: it may hold more than is kept for this end, never less
    const last = yield* makeChangelog(reader, topic, partition).last
    known.set(key, { topicId: id, end, record: last?.record })
    return last?.record
  })
}
