/**
 * The log on a Kafka cluster: the same `Log` as the embedded one, for any number of machines.
 *
 * Apps provide its layer for `--log kafka://…`. Files by the path of a call: `KafkaLog` → `Topics`, `PartitionReader` (fetch,
 * `DecodeBatches`), `Shards` (transactions, `Changelog`), `NamedProducer` → `Cluster` (connections, leaders) → the client's
 * connections. Decision 0008 says where records in force and deltas are, and why.
 *
 * **Delivery**: a commit that succeeded is on as many brokers as the topics ask for, and visible to every reader.
 */
import { Log, LogError, type LogShape, type ShardId } from "@frazil/engine"
import { Effect, Layer, type Scope } from "effect"
import { changelogTopic, inForceOf, isChangelog, makeChangelog, stageOf } from "./Changelog.ts"
import { type Cluster, type ClusterOptions, openCluster } from "./Cluster.ts"
import type { Compression } from "./Codec.ts"
import { makeAppendSignal } from "./AppendSignal.ts"
import { type LastRecord, makeLastRecords } from "./LastRecords.ts"
import { isProducer, openNamedProducer } from "./NamedProducer.ts"
import { makePartitionReader, type PartitionReader } from "./PartitionReader.ts"
import { makeShards } from "./Shards.ts"
import { createTopic, differingSettings, differs, growTopic, keptForEver, makeTopics } from "./Topics.ts"
import { trimRecords } from "./TrimRecords.ts"

/** The longest record that a log takes unless told otherwise: 1 MiB. */
const recordBytesMaxDefault = 1_048_576
const readAheadBytesMaxDefault = 64 * 1_048_576

export interface KafkaLogOptions {
  readonly brokers: ClusterOptions["brokers"]
  readonly tls?: ClusterOptions["tls"]
  readonly sasl?: ClusterOptions["sasl"]
  readonly serverName?: ClusterOptions["serverName"]
  /** Before the name of every topic and transactional id: several logs on one cluster. Default none. */
  readonly prefix?: string
  /** Longest value, and longest key. Default 1 MiB; longer ones that others wrote are cut, and say so. */
  readonly recordBytesMax?: number
  /** What fetches brought and nobody took yet, over all partitions that this log reads. Default 64 MiB. */
  readonly readAheadBytesMax?: number
  /** Of what is written. Default zstd. */
  readonly compression?: Compression
  /** Default 30 s. */
  readonly requestTimeoutMs?: number
  /** How long an operation is tried while brokers are out of reach, before it fails with `Unavailable`. Default 10 s. */
  readonly retryMs?: number
  /** How long a transaction of a process that is gone holds back readers, unless its shard is taken over. Default 60 s. */
  readonly transactionTimeoutMs?: number
  /** How often other processes' commits are looked for while a reader waits. Default 50 ms. */
  readonly pollMs?: number
}

/** Makes changelogs as rule 7 wants them, and refuses others. */
const changelogsOf = (cluster: Cluster, recordBytesMax: number) => {
  const settings = keptForEver(recordBytesMax)
  const checked = new Set<string>()
  return Effect.fnUntraced(function* (name: string, partitions: number): Effect.fn.Return<void, LogError> {
    const [found] = yield* cluster.topicsNow(name)
    const topic = found ?? (yield* createTopic(cluster, name, partitions, settings))
    if (topic === undefined || topic.leaders.length < partitions) yield* growTopic(cluster, name, partitions)
    if (checked.has(name)) return
    const differing = yield* differingSettings(cluster, name, settings)
    const wrong = differing.filter(({ key }) => key === "cleanup.policy" || key.startsWith("retention."))
    if (wrong.length > 0) {
      const said = wrong.map((each) => `${each.key}=${each.found}, not ${each.wanted}`).join("; ")
      return yield* differs(
        `topic ${name} holds the state of jobs and would lose it (${said}): set it back, and restore the state if it is gone`
      )
    }
    checked.add(name)
  })
}

/** Every shard that ever committed, with what its topic's name says. */
const listShards = Effect.fnUntraced(function* (
  cluster: Cluster,
  reader: PartitionReader,
  lastRecord: LastRecord,
  prefix: string
) {
  const found: Array<ShardId> = []
  const stages = (yield* cluster.topicsNow(null)).flatMap(({ leaders, name }) => {
    const stage = stageOf(prefix, name)
    return stage === undefined || isProducer(stage) ? [] : [{ name, stage, partitions: leaders.keys() }]
  })
  // all ends by one request of each broker
  yield* reader.ends(new Set(stages.map(({ name }) => name)))
  for (const { name, partitions, stage } of stages) {
    for (const partition of partitions) {
      // markers take offsets, and so does taking a shard
      const last = yield* lastRecord(name, partition, "known")
      if (inForceOf(last) !== undefined) found.push({ ...stage, shard: partition })
    }
  }
  return found.sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1))
})

const sortKey = ({ shard, stage, uid }: ShardId): string => `${uid}\0${stage}\0${String(shard).padStart(6, "0")}`

/** A stage that never ran has no topic, and so nothing. */
const orNone = <A, B>(effect: Effect.Effect<A, LogError>, none: B): Effect.Effect<A | B, LogError> =>
  Effect.catchIf(
    effect,
    (error) => error.reason === "TopicMissing" || error.reason === "TopicDiffers",
    () => Effect.succeed(none)
  )

/** Connects to a cluster; `layer` for most. */
export const makeKafkaLog = Effect.fnUntraced(function* (
  options: KafkaLogOptions
): Effect.fn.Return<LogShape, LogError, Scope.Scope> {
  const { prefix = "", recordBytesMax = recordBytesMaxDefault, requestTimeoutMs = 30_000, retryMs = 10_000 } = options
  const { compression = "zstd", pollMs = 50, transactionTimeoutMs = 60_000 } = options
  const { readAheadBytesMax = readAheadBytesMaxDefault } = options
  const { brokers, sasl, serverName, tls } = options
  const cluster = yield* openCluster({ brokers, requestTimeoutMs, retryMs, sasl, serverName, tls })
  const reader = makePartitionReader(cluster, { readAheadBytesMax, recordBytesMax })
  const topics = makeTopics(cluster, prefix, (name) => isChangelog(prefix, name), keptForEver(recordBytesMax))
  /** Topics that somebody here reads: whose ends are looked at while waiting. */
  const watched = new Set<string>()
  const signal = yield* makeAppendSignal(
    Effect.suspend(() => reader.ends(watched)),
    pollMs
  )
  const shards = makeShards({
    cluster,
    reader,
    prefix,
    producer: { compression, requestTimeoutMs, transactionTimeoutMs },
    recordBytesMax,
    ensureChangelog: changelogsOf(cluster, recordBytesMax),
    committed: (partitions) => {
      reader.committed(partitions)
      signal.committed()
    }
  })
  const lastRecord = makeLastRecords(cluster, reader)
  const changelogOf = (id: ShardId) => makeChangelog(reader, changelogTopic(prefix, id), id.shard)
  return {
    ensureTopic: (declaration) => {
      watched.add(prefix + declaration.name)
      return topics.ensure(declaration)
    },
    topics: topics.list,
    topic: topics.find,
    deleteTopic: (name) => {
      watched.delete(prefix + name)
      return Effect.tap(topics.remove(name), () => Effect.sync(() => reader.forget(prefix + name)))
    },
    bounds: (topic) => reader.bounds(prefix + topic),
    read: (topic, partition, offset, limits) => {
      watched.add(prefix + topic)
      return reader.read(prefix + topic, partition, offset, limits)
    },
    offsetAt: (topic, partition, timeMs) => reader.offsetAt(prefix + topic, partition, timeMs),
    awaitAppend: signal.awaitAppend,
    trim: Effect.fnUntraced(function* (topic, partition, offset) {
      const { end, start } = yield* reader.boundsOf(prefix + topic, partition)
      if (!(offset <= end)) {
        return yield* new LogError({
          reason: "OffsetOutOfRange",
          message: `topic ${topic}, partition ${partition}, ends at ${end}: it cannot be trimmed to ${offset}`
        })
      }
      if (offset > start) yield* trimRecords(cluster, prefix + topic, partition, offset)
      reader.forget(prefix + topic)
    }),
    producer: (name) => openNamedProducer(shards, name),
    fence: shards.fence,
    inForce: (id) =>
      Effect.map(orNone(lastRecord(changelogTopic(prefix, id), id.shard, "now"), undefined), (last) => inForceOf(last)),
    shards: listShards(cluster, reader, lastRecord, prefix),
    deltas: (id, after) => orNone(changelogOf(id).deltas(after), []),
    // **The commit point** of every log stage.
    commit: shards.commit,
    dropDeltas: shards.dropDeltas
  }
})

/** The log on Kafka as a layer of `Log`. */
export const KafkaLog = {
  /** Fails when no broker can be reached, or none lets us in. */
  layer: (options: KafkaLogOptions): Layer.Layer<Log, LogError> => Layer.effect(Log, makeKafkaLog(options))
}
