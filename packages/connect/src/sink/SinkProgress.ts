/**
 * How far sinks have delivered, by the cursors that they committed: read beside a running system, or after one.
 *
 * Lineage and retention ask. Takes nothing, changes nothing.
 */
import { type LogError, type LogShape, type ShardId, recordsBehind } from "@frazil/engine"
import { Effect } from "effect"

const uidPrefix = "sink."

/** The log stage of a sink: a name with a dot is no job's, so its positions are those of all partitions in order. */
export const sinkShard = (name: string): ShardId => ({ uid: `${uidPrefix}${name}`, stage: "sink", shard: 0 })

export interface SinkProgress {
  readonly name: string
  readonly topic: string
  /** Offsets below the cursors: records delivered, refused for good, or not this sink's to deliver. */
  readonly passed: number
  /** Records of the topic that are not delivered yet. */
  readonly lag: number
}

/** Every sink that ever ran here. */
export const sinkProgress = Effect.fnUntraced(function* (
  log: LogShape
): Effect.fn.Return<ReadonlyArray<SinkProgress>, LogError> {
  const sinks = (yield* log.shards).filter(({ stage, uid }) => stage === "sink" && uid.startsWith(uidPrefix))
  const topics = yield* log.topics
  const progress: Array<SinkProgress> = []
  for (const { shard, stage, uid } of sinks) {
    const positions = (yield* log.inForce({ uid, stage, shard }))?.positions ?? []
    const topic = topics.find(({ name }) => name === positions[0]?.topic)
    if (topic === undefined) continue
    let [passed, lag] = [0, 0]
    for (const bound of yield* log.bounds(topic.name)) {
      const position = positions[bound.partition]
      const next = position?.topicId === topic.id ? position.offset : bound.start
      passed += next
      lag += yield* recordsBehind(log, topic.name, bound, next)
    }
    progress.push({ name: uid.slice(uidPrefix.length), topic: topic.name, passed, lag })
  }
  return progress
})
