/**
 * Topics of a Kafka cluster: making them with declared settings, finding them, deleting them, and what of an existing one is
 * not as declared.
 *
 * A topic that somebody else made is taken as it is when it has the declared partitions and is not compacted away; what may
 * cost records later is told once, as a warning.
 */
import { LogError, type TopicDeclaration, type TopicInfo } from "@frazil/engine"
import {
  type Connection,
  createPartitionsV3,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4
} from "@platformatic/kafka"
import { Clock, Effect } from "effect"
import { answeredWith, type CallError, mayPass } from "./CallError.ts"
import { call, type Cluster, type ClusterTopic, missing } from "./Cluster.ts"

/** A topic's settings by Kafka's names. */
export type TopicSettings = Readonly<Record<string, string>>

/** Records stay until they are trimmed (protocol, rules 7 and 16), and have the time of their append. */
export const keptForEver = (recordBytesMax: number): TopicSettings => ({
  "cleanup.policy": "delete",
  "retention.ms": "-1",
  "retention.bytes": "-1",
  "message.timestamp.type": "LogAppendTime",
  // a key and a value of the longest, and what stands around them
  "max.message.bytes": String(2 * recordBytesMax + 65_536)
})

const replicationOfBroker = -1
const adminTimeoutMs = 15_000
/** Every broker has heard of a change within this, or none will. */
const settleMs = 15_000
const settlePollMs = 20
const resourceTopic = 2

const already = new Set(["TOPIC_ALREADY_EXISTS"])
const gone = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID"])

export const differs = (message: string): LogError => new LogError({ reason: "TopicDiffers", message })

/** Waits until the cluster says so, on whatever broker is asked. */
const settled = Effect.fnUntraced(function* (
  cluster: Cluster,
  name: string,
  isSo: (topic: ClusterTopic | undefined) => boolean
) {
  const until = (yield* Clock.currentTimeMillis) + settleMs
  while (true) {
    const [topic] = yield* cluster.topicsNow(name)
    if (isSo(topic)) return topic
    if ((yield* Clock.currentTimeMillis) > until) {
      return yield* new LogError({
        reason: "Unavailable",
        message: `Kafka at ${cluster.place} did not finish changing topic ${name} within ${settleMs} ms`
      })
    }
    yield* Effect.sleep(settlePollMs)
  }
})

const ready = (partitions: number) => (topic: ClusterTopic | undefined) =>
  topic !== undefined && topic.leaders.length >= partitions && topic.leaders.every((leader) => leader >= 0)

/** Makes a topic; one that somebody made meanwhile is left as it is. */
export const createTopic = Effect.fnUntraced(function* (
  cluster: Cluster,
  name: string,
  partitions: number,
  settings: TopicSettings
) {
  const topic = {
    name,
    numPartitions: partitions,
    replicationFactor: replicationOfBroker,
    assignments: [],
    configs: Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  }
  yield* cluster.ask(`making topic ${name}`, (connection: Connection) =>
    call(connection, createTopicsV7.api, [topic], adminTimeoutMs, false).pipe(
      Effect.asVoid,
      Effect.catchIf(
        (error) => answeredWith(error, already),
        () => Effect.void
      )
    )
  )
  return yield* settled(cluster, name, ready(1))
})

/** Adds partitions up to `partitions`. */
export const growTopic = Effect.fnUntraced(function* (cluster: Cluster, name: string, partitions: number) {
  yield* cluster.ask(`adding partitions to topic ${name}`, (connection) =>
    call(connection, createPartitionsV3.api, [{ name, count: partitions }], adminTimeoutMs, false).pipe(
      Effect.asVoid,
      // somebody else added as many
      Effect.catchIf(
        (error) => answeredWith(error, new Set(["INVALID_PARTITIONS"])),
        () => Effect.void
      )
    )
  )
  return yield* settled(cluster, name, ready(partitions))
})

/** The settings of a topic that differ from the wanted ones: name, found, wanted. */
export const differingSettings = (cluster: Cluster, name: string, wanted: TopicSettings) =>
  cluster.ask(`reading the settings of topic ${name}`, (connection) =>
    Effect.map(
      call(
        connection,
        describeConfigsV4.api,
        [{ resourceType: resourceTopic, resourceName: name, configurationKeys: Object.keys(wanted) }],
        false,
        false
      ),
      ({ results }) =>
        (results[0]?.configs ?? []).flatMap(({ name: key, value }) =>
          wanted[key] === undefined || wanted[key] === value ? [] : [{ key, found: value ?? "", wanted: wanted[key] }]
        )
    )
  )

export interface Topics {
  readonly ensure: (declaration: TopicDeclaration) => Effect.Effect<TopicInfo, LogError>
  readonly list: Effect.Effect<ReadonlyArray<TopicInfo>, LogError>
  readonly find: (name: string) => Effect.Effect<TopicInfo, LogError>
  readonly remove: (name: string) => Effect.Effect<void, LogError>
}

const infoOf = (prefix: string, { id, leaders, name }: ClusterTopic): TopicInfo => ({
  name: name.slice(prefix.length),
  id,
  partitions: leaders.length,
  // Kafka does not tell
  createdAt: 0
})

const partitionsMax = 10_000
const nameMax = 249

const checkDeclaration = ({ name, partitions }: TopicDeclaration, full: string): Effect.Effect<void, LogError> => {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax || name === "") {
    return Effect.die(
      new RangeError(`topic "${name}" with ${partitions} partitions: 1 to ${partitionsMax} and a name are needed`)
    )
  }
  return /^[a-zA-Z0-9._-]+$/.test(full) && full.length <= nameMax
    ? Effect.void
    : Effect.fail(
        differs(
          `topic ${full} cannot be made in Kafka: at most ${nameMax} letters, digits, dots, "_" and "-" make a name`
        )
      )
}

/** `isInternal`: topics of the log's own, which are not listed. */
export const makeTopics = (
  cluster: Cluster,
  prefix: string,
  isInternal: (name: string) => boolean,
  settings: TopicSettings
): Topics => {
  /** Topics whose settings were compared. */
  const compared = new Set<string>()

  const compare = Effect.fnUntraced(function* (topic: ClusterTopic) {
    if (compared.has(topic.id)) return
    const differing = yield* differingSettings(cluster, topic.name, settings)
    if (differing.length > 0) {
      const said = differing.map(({ found, key, wanted }) => `${key} is ${found}, not ${wanted}`).join("; ")
      const loses = differing.some(({ key }) => key === "cleanup.policy" || key.startsWith("retention."))
      yield* Effect.logWarning(
        `topic ${topic.name} was made with other settings than declared: ${said}. It is taken as it is${loses ? "; records may be gone before they were read" : ""}`
      )
    }
    compared.add(topic.id)
  })

  const ensure = Effect.fnUntraced(function* (declaration: TopicDeclaration): Effect.fn.Return<TopicInfo, LogError> {
    const name = prefix + declaration.name
    yield* checkDeclaration(declaration, name)
    const [found] = yield* cluster.topicsNow(name)
    const topic = found ?? (yield* createTopic(cluster, name, declaration.partitions, settings))
    if (topic === undefined) return yield* missing(cluster.place, name)
    if (topic.leaders.length !== declaration.partitions) {
      return yield* differs(
        `topic ${name} has ${topic.leaders.length} partitions, ${declaration.partitions} are declared: declare ${topic.leaders.length}, or move the records to a new topic`
      )
    }
    if (found === undefined) compared.add(topic.id)
    else yield* compare(topic)
    return infoOf(prefix, topic)
  })

  return {
    ensure,
    list: Effect.map(cluster.topicsNow(null), (found) =>
      found
        .filter(({ name }) => name.startsWith(prefix) && !isInternal(name))
        .map((topic) => infoOf(prefix, topic))
        .sort((left, right) => (left.name < right.name ? -1 : 1))
    ),
    find: (name) =>
      Effect.flatMap(cluster.topicsNow(prefix + name), ([found]) =>
        found === undefined ? Effect.fail(missing(cluster.place, prefix + name)) : Effect.succeed(infoOf(prefix, found))
      ),
    remove: Effect.fnUntraced(function* (name) {
      const full = prefix + name
      const [found] = yield* cluster.topicsNow(full)
      if (found === undefined) return yield* missing(cluster.place, full)
      yield* cluster.ask(`deleting topic ${full}`, (connection) =>
        call(connection, deleteTopicsV6.api, [{ name: full }], adminTimeoutMs).pipe(
          Effect.asVoid,
          // an answer that was lost, or somebody else
          Effect.catchIf(
            (error: CallError) => answeredWith(error, gone) && mayPass(error),
            () => Effect.void
          )
        )
      )
      yield* settled(cluster, full, (topic) => topic?.id !== found.id)
    })
  }
}
